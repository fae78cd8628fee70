use std::{any::type_name, borrow::Cow};

use crate::origin::{Listing, RequestOrigin};

/// The policy that decides about a request, and by what: see
/// [`OriginPolicy::decider`](crate::OriginPolicy::decider).
///
/// ```
/// use tower_cors::policy::Decider;
///
/// // What a policy of your own can say:
/// let decider = Decider::new("tenants").by("tenant 7");
/// assert_eq!(decider.to_string(), "tenants, by tenant 7");
///
/// // What a list says:
/// let request = |origin| http::Request::get("/").header("origin", origin).body(());
/// let list = tower_cors::CorsLayer::builder().allow_origins(["https://*.example.com"]).build()?;
/// let explained = list.explain_now(&request("https://app.example.com")?).ok_or("it is ready")?;
/// let entry = Some("https://*.example.com");
/// assert_eq!(explained.decider().and_then(Decider::entry), entry);
///
/// let refused = list.explain_now(&request("https://app.example.org")?).ok_or("it is ready")?;
/// assert_eq!(refused.decider().and_then(Decider::entry), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it does nothing until it is passed on"]
pub struct Decider {
    name: Cow<'static, str>,
    entry: Option<String>,
}

impl Decider {
    /// A policy by its short name.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            entry: None,
        }
    }

    /// The entry, claim or rule that the policy goes by. It is printed, so it must not be a secret.
    pub fn by(mut self, entry: impl Into<String>) -> Self {
        self.entry = Some(entry.into());
        self
    }

    /// The short name of the policy.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The entry, claim or rule, if one is known.
    pub fn entry(&self) -> Option<&str> {
        self.entry.as_deref()
    }

    /// The policy by the name of its type, without modules and parameters.
    pub(super) fn of_type<P: ?Sized>() -> Self {
        let path = type_name::<P>();
        let path = path.split('<').next().unwrap_or(path);
        Self::new(path.rsplit("::").next().unwrap_or(path))
    }

    /// A policy that looks the origin up.
    pub(crate) fn of_listing(
        name: &'static str,
        listing: &dyn Listing,
        origin: &RequestOrigin,
    ) -> Self {
        let entry = origin.tuple().and_then(|origin| listing.entry_for(origin));
        Self {
            entry,
            ..Self::new(name)
        }
    }

    /// Two policies of which it is not known yet which one decides.
    pub(super) fn or_else(&self, second: &Self) -> Self {
        Self::new(format!("{}, else {}", self.name, second.name))
    }
}

impl std::fmt::Display for Decider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.entry {
            Some(entry) => write!(f, "{}, by {entry}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
