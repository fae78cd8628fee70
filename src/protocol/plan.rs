//! What is decided: everything that can be done about a request, and no way to make it but from a
//! decision.

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

    /// Leaves for the inner service what the policy found, and tells what to do to its response.
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
    /// Nothing but `Vary`.
    VaryOnly,
    /// No header of the protocol may stay.
    RemoveCorsHeaders,
    /// The headers of the protocol become these.
    Grant(Allowed),
}

/// To whom, and whether with credentials; the terms are the layer's or the grant's own.
#[derive(Debug)]
pub(crate) struct Allowed {
    origin: HeaderValue,
    credentials: bool,
    terms: Option<Terms>,
}

impl Allowed {
    /// What [`new`](Self::new) makes of a grant that sets nothing.
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

/// The origin that a grant is for, or `None` for every one alike, and whether with credentials.
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
    /// To a preflight on the layer's own terms: written out when the layer was built, but for the
    /// origin, and with `*` where there is none.
    Prepared {
        origin: Option<HeaderValue>,
        denial: Option<Denial>,
    },
    /// To a preflight on terms of the grant's own, or which depend on what is asked for.
    Preflight {
        origin: HeaderValue,
        credentials: bool,
        // Boxed, because it is rare, and a plan that is small is cheap to move.
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

/// What is refused, which decides on the form of the refusal.
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
