//! A built configuration: its lists are parsed and checked once, so that a request only reads them.

use http::{HeaderValue, StatusCode};

use super::prepared::Prepared;
use crate::{
    lists::{AllowHeaders, AllowMethods, ExposeHeaders, MaxAge},
    origin::OriginSet,
    policy::{DeniedRequests, PolicyProperties},
};

/// A configuration without its policy. The policy is kept apart, in the layer, because it may wait.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) credentials: bool,
    pub(crate) methods: AllowMethods,
    pub(crate) headers: AllowHeaders,
    pub(crate) expose: ExposeHeaders,
    pub(crate) max_age: Option<MaxAge>,
    pub(crate) denied_requests: DeniedRequests,
    pub(crate) preflight_status: StatusCode,
    /// Whether denials go into the extensions of responses.
    pub(crate) record_denials: bool,
    /// Whether an observer wants the reason of each denial.
    pub(crate) is_observed: bool,
    pub(crate) properties: PolicyProperties,
    /// The origin that every response names, if it does not depend on the request.
    pub(crate) to_all: Option<ToAll>,
    /// The same list that the policy is, if it is a plain list: it is searched without a virtual
    /// call.
    pub(crate) plain_list: Option<OriginSet>,
    pub(crate) prepared: Prepared,
    /// Whether this is the rule of one method of a route.
    pub(crate) by_method: bool,
}

/// The origin that every response names.
#[derive(Clone, Debug)]
pub(crate) enum ToAll {
    /// `*`: any origin.
    Star,
    /// One origin, for caches that ignore `Vary`.
    Origin(HeaderValue),
}

impl Rules {
    /// The same rules with every denial recorded: for explanations, which are decided by them as
    /// requests are by the original.
    pub(crate) fn recording(&self) -> Self {
        Self {
            record_denials: true,
            ..self.clone()
        }
    }

    /// Whether denials go anywhere: into the extensions of responses, or to an observer.
    pub(crate) fn wants_denials(&self) -> bool {
        #[cfg(feature = "tracing")]
        if super::audience::are_wanted() {
            return true;
        }
        self.record_denials || self.is_observed
    }

    /// The same for the denials of refused preflights.
    pub(crate) fn wants_refusals(&self) -> bool {
        #[cfg(feature = "tracing")]
        if super::audience::are_refusals_wanted() {
            return true;
        }
        self.record_denials || self.is_observed
    }
}
