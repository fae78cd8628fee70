//! The result of a decision: everything that can be done about a request. Fields are private to the
//! protocol, so that no other code can make a plan.

use std::sync::Arc;

use http::HeaderValue;

use super::{grpc::GrpcRequest, rules::Rules};
use crate::policy::{Attachment, Denial, Grant, GrantedTo, Terms};

/// What is done about a request.
///
/// A plan is moved before it is carried out, so what is rare and large is boxed.
#[derive(Debug)]
pub(crate) enum Plan {
    /// The inner service answers. The attachment, if there is one, is added to the request.
    Forward(Edit, Option<Arc<dyn Attachment>>),
    /// The layer answers.
    Answer(Answer),
}

/// What is done to the headers of the inner service's response.
#[derive(Debug)]
pub(crate) enum Edit {
    /// Add `Vary`, and leave everything else.
    VaryOnly,
    /// Remove every header of the protocol.
    RemoveCorsHeaders,
    /// Replace the headers of the protocol by these, with the layer's own lists.
    Grant(Allowed),
    /// An edit with terms of the grant's own, or with a denial to record.
    Full(Box<FullEdit>),
}

/// The origin that a grant is for (`None` for `*`), and whether it allows credentials.
#[derive(Debug)]
pub(crate) struct Allowed {
    pub(super) origin: Option<HeaderValue>,
    pub(super) credentials: bool,
}

impl Allowed {
    /// The same as [`new`](Self::new) with a grant that sets nothing, in fewer instructions.
    #[inline(always)]
    pub(super) fn on_own_terms(rules: &Rules, origin: Option<&HeaderValue>) -> Self {
        Self {
            origin: origin.cloned(),
            credentials: origin.is_some() && rules.credentials,
        }
    }

    #[inline(always)]
    pub(super) fn new(rules: &Rules, origin: Option<&HeaderValue>, grant: &Grant) -> Self {
        match (grant.granted_to(), origin) {
            (GrantedTo::Origin, Some(origin)) => Self {
                origin: Some(origin.clone()),
                credentials: grant.own_credentials().unwrap_or(rules.credentials),
            },
            // https://fetch.spec.whatwg.org/#cors-protocol-and-credentials: never with `*`.
            (GrantedTo::Any, _) | (GrantedTo::Origin, None) => Self {
                origin: None,
                credentials: false,
            },
        }
    }
}

pub(super) const ANY: HeaderValue = HeaderValue::from_static("*");

/// The edits that are rare, and large.
#[derive(Debug)]
pub(crate) struct FullEdit {
    /// `None` to remove every header of the protocol.
    pub(super) allowed: Option<Allowed>,
    /// Lists of the grant's own.
    pub(super) terms: Option<Terms>,
    pub(super) denial: Option<Denial>,
}

impl FullEdit {
    #[cfg(feature = "tracing")]
    pub(crate) fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }

    pub(crate) fn take_denial(&mut self) -> Option<Denial> {
        self.denial.take()
    }
}

/// An answer that does not come from the inner service.
#[derive(Debug)]
pub(crate) enum Answer {
    /// To a preflight on the layer's own terms. All headers have been written when the layer was
    /// built, except for these.
    Prepared {
        /// Without one it is `*`.
        origin: Option<HeaderValue>,
        /// Where the grant caps the layer's.
        max_age: Option<HeaderValue>,
    },
    /// The same, with the requested method or names in place of `*`.
    Echo(Echo),
    /// The refusal of a preflight, if nobody wants its denial.
    RefusedPreflight,
    /// An answer that has to be written for the request.
    Full(Box<FullAnswer>),
}

/// The values that replace `*`, because with credentials browsers take it for a name.
#[derive(Debug)]
pub(crate) struct Echo {
    pub(super) origin: HeaderValue,
    /// `None` if the layer lists methods.
    pub(super) method: Option<HeaderValue>,
    /// `None` if the layer lists header names, or if no name is requested.
    pub(super) headers: Option<HeaderValue>,
}

/// The answers that are rare, and large.
#[derive(Debug)]
pub(crate) enum FullAnswer {
    /// To a preflight on the grant's own terms, with names that cannot be echoed as they were sent, or
    /// with a denial to record.
    Preflight {
        allowed: Allowed,
        lists: Lists,
        denial: Option<Denial>,
    },
    /// The refusal of a preflight whose denial somebody wants.
    RefusedPreflight { denial: Denial },
    /// The refusal of a request.
    Refusal {
        to: Refused,
        /// The origin that may read the refusal.
        readable: Option<HeaderValue>,
        denial: Denial,
    },
}

/// Which request is refused. The form of the refusal depends on it.
#[derive(Debug)]
pub(crate) enum Refused {
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
