use std::{any::Any, fmt, sync::Arc, time::Duration};

use http::Extensions;

use super::terms::Terms;

/// Permission for an origin to use the service.
///
/// By default a grant is on the layer's own terms. Its own settings override them.
///
/// ```
/// use std::time::Duration;
/// use tower_cors::Grant;
///
/// // On the layer's terms.
/// let grant = Grant::new();
///
/// // With cookies, and to be asked for again after a minute.
/// let grant = Grant::new().allow_credentials(true).max_age_at_most(Duration::from_secs(60));
/// ```
#[derive(Clone, Default)]
#[must_use = "it does nothing until it is passed on"]
pub struct Grant {
    granted_to: GrantedTo,
    credentials: Option<bool>,
    max_age_cap: Option<u32>,
    terms: Option<Terms>,
    attachment: Option<Arc<dyn Attachment>>,
}

/// Which origins a grant is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum GrantedTo {
    /// The request's origin, which the answer repeats.
    #[default]
    Origin,
    /// Every origin alike: the answer is `*`, which browsers never accept together with
    /// credentials.
    Any,
}

impl Grant {
    /// A grant to the origin of the request, on the layer's terms.
    pub fn new() -> Self {
        Self::default()
    }

    /// A grant to every origin alike. The answer is the literal `*`, never with credentials.
    pub fn any_origin() -> Self {
        Self {
            granted_to: GrantedTo::Any,
            ..Self::default()
        }
    }

    /// Allows or forbids credentials, whatever the layer says. Without effect on
    /// [`any_origin`](Self::any_origin).
    pub fn allow_credentials(mut self, allowed: bool) -> Self {
        self.credentials = Some(allowed);
        self
    }

    /// Lets browsers keep the answer to a preflight at most this long, in whole seconds.
    pub fn max_age_at_most(mut self, cap: Duration) -> Self {
        let cap = u32::try_from(cap.as_secs()).unwrap_or(u32::MAX);
        // Combinators may call this in turn; the shortest time holds.
        self.max_age_cap = Some(self.max_age_cap.map_or(cap, |old| old.min(cap)));
        self
    }

    /// Replaces the layer's lists by these.
    pub fn terms(mut self, terms: Terms) -> Self {
        self.terms = Some(terms);
        self
    }

    /// Adds a value to the extensions of the request, as an `Arc<T>`, for the inner service. A
    /// policy that has verified a token passes it on in this way, so that nobody verifies it a
    /// second time, perhaps by other rules.
    pub fn attach<T: Any + Send + Sync + fmt::Debug>(mut self, found: Arc<T>) -> Self {
        self.attachment = Some(found);
        self
    }

    /// As [`attach`](Self::attach), unless the policy has attached a value itself.
    pub(crate) fn attach_if_none(mut self, found: Arc<dyn Attachment>) -> Self {
        self.attachment.get_or_insert(found);
        self
    }

    /// The grant for a preflight that is answered before the token is known: without credentials,
    /// and without wildcards.
    pub(crate) fn for_broad_preflight(mut self) -> Self {
        self.credentials = Some(false);
        self.terms = self.terms.map(Terms::without_any);
        self
    }

    pub(crate) fn granted_to(&self) -> GrantedTo {
        self.granted_to
    }

    pub(crate) fn own_credentials(&self) -> Option<bool> {
        self.credentials
    }

    pub(crate) fn max_age_cap(&self) -> Option<u32> {
        self.max_age_cap
    }

    pub(crate) fn own_terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    pub(crate) fn take_attachment(&mut self) -> Option<Arc<dyn Attachment>> {
        self.attachment.take()
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("granted_to", &self.granted_to)
            .field("credentials", &self.credentials)
            .field("max_age_cap", &self.max_age_cap)
            .field("terms", &self.terms)
            .field("attached", &self.attachment.is_some())
            .finish()
    }
}

/// A value of any type that a policy passes on to the inner service. It knows how to insert itself
/// into the extensions under its own type.
pub(crate) trait Attachment: Send + Sync {
    fn attach(self: Arc<Self>, extensions: &mut Extensions);
}

impl fmt::Debug for dyn Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attachment")
    }
}

impl<T: Any + Send + Sync> Attachment for T {
    fn attach(self: Arc<Self>, extensions: &mut Extensions) {
        extensions.insert(self);
    }
}
