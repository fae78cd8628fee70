//! The result of a decision: everything that can be done about a request. Fields are private to the
//! protocol, so that no other code can make a plan.

use std::sync::Arc;

use http::{Extensions, HeaderValue};

use super::{grpc::GrpcRequest, rules::Rules};
use crate::policy::{Attachment, Denial, Grant, GrantedTo, Terms};

/// What is done about a request.
#[derive(Debug)]
pub(crate) enum Plan {
    /// The inner service answers.
    Forward(Forward),
    /// The layer answers.
    Answer(Answer),
}

/// How to pass on a request, and what to do to the response.
#[derive(Debug)]
pub(crate) struct Forward {
    pub(super) edit: Edit,
    pub(super) attachment: Option<Arc<dyn Attachment>>,
    pub(super) denial: Option<Denial>,
}

impl Forward {
    #[inline(always)]
    pub(super) fn new(edit: Edit) -> Self {
        Self {
            edit,
            attachment: None,
            denial: None,
        }
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }

    /// Adds the policy's attachment to the request, and returns what to do to the response.
    #[inline(always)]
    pub(crate) fn start(self, extensions: &mut Extensions) -> (Edit, Option<Denial>) {
        if let Some(attachment) = self.attachment {
            attachment.attach(extensions);
        }
        (self.edit, self.denial)
    }
}

/// What is done to the headers of the inner service's response.
#[derive(Debug)]
pub(crate) enum Edit {
    /// Add `Vary`, and leave everything else.
    VaryOnly,
    /// Remove every header of the protocol.
    RemoveCorsHeaders,
    /// Replace the headers of the protocol by these.
    Grant(Allowed),
}

/// A grant that is ready to be written: to which origin, and whether with credentials. The terms
/// are the layer's unless the grant has its own.
#[derive(Debug)]
pub(crate) struct Allowed {
    origin: HeaderValue,
    credentials: bool,
    terms: Option<Terms>,
}

impl Allowed {
    /// The same as [`new`](Self::new) with a grant that sets nothing, in fewer instructions.
    #[inline(always)]
    pub(super) fn on_own_terms(rules: &Rules, origin: Option<&HeaderValue>) -> Self {
        Self {
            origin: origin.map_or(ANY, HeaderValue::clone),
            credentials: origin.is_some() && rules.credentials,
            terms: None,
        }
    }

    pub(super) fn new(rules: &Rules, origin: Option<HeaderValue>, grant: &Grant) -> Self {
        let (origin, credentials) = allowed_origin(rules, origin, grant);
        Self {
            origin: origin.unwrap_or(ANY),
            credentials,
            terms: grant.own_terms().cloned(),
        }
    }

    #[inline(always)]
    pub(crate) fn credentials(&self) -> bool {
        self.credentials
    }

    #[inline(always)]
    pub(crate) fn exposed(&self, rules: &Rules) -> Option<HeaderValue> {
        let own = self.terms.as_ref().and_then(Terms::own_expose);
        own.unwrap_or(&rules.expose).value(self.credentials)
    }

    #[inline(always)]
    pub(crate) fn into_origin(self) -> HeaderValue {
        self.origin
    }
}

/// The origin that a grant is for (`None` for `*`), and whether it allows credentials.
pub(super) fn allowed_origin(
    rules: &Rules,
    origin: Option<HeaderValue>,
    grant: &Grant,
) -> (Option<HeaderValue>, bool) {
    match (grant.granted_to(), origin) {
        (GrantedTo::Origin, Some(origin)) => {
            let credentials = grant.own_credentials().unwrap_or(rules.credentials);
            (Some(origin), credentials)
        }
        // https://fetch.spec.whatwg.org/#cors-protocol-and-credentials: never with `*`.
        (GrantedTo::Any, _) | (GrantedTo::Origin, None) => (None, false),
    }
}

pub(super) const ANY: HeaderValue = HeaderValue::from_static("*");

/// An answer that does not come from the inner service.
#[derive(Debug)]
pub(crate) enum Answer {
    /// To a preflight on the layer's own terms. All headers have been written when the layer was
    /// built, except for the origin; without one it is `*`.
    Prepared {
        origin: Option<HeaderValue>,
        denial: Option<Denial>,
    },
    /// To a preflight on the grant's own terms, or if the lists depend on the request, as a `*`
    /// does with credentials.
    Preflight {
        origin: HeaderValue,
        credentials: bool,
        // Boxed: it is rare, and a small plan is cheap to move.
        lists: Box<Lists>,
        denial: Option<Denial>,
    },
    Refusal {
        to: Refused,
        /// The origin that may read the refusal.
        readable: Option<HeaderValue>,
        denial: Denial,
        record: Option<Denial>,
    },
}

/// What is refused. The form of the refusal depends on it.
#[derive(Debug)]
pub(crate) enum Refused {
    Preflight,
    Request,
    GrpcRequest(GrpcRequest),
}

/// The lists of an answer to a preflight.
#[derive(Debug)]
pub(crate) struct Lists {
    pub(crate) methods: HeaderValue,
    pub(crate) headers: Option<HeaderValue>,
    pub(crate) max_age: Option<HeaderValue>,
}
