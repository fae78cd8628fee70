//! What requests are held against: lists that are parsed, validated and written out once, when the
//! layer is built.

use http::{HeaderValue, StatusCode};

use super::prepared::Prepared;
use crate::{
    lists::{AllowHeaders, AllowMethods, ExposeHeaders, MaxAge},
    origin::OriginSet,
    policy::{DeniedRequests, PolicyProperties},
};

/// Everything of a configuration but the policy, ready for use.
#[derive(Debug)]
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
    pub(crate) properties: PolicyProperties,
    /// Whether every response names the same origin, whoever asks.
    pub(crate) to_all: Option<ToAll>,
    /// The policy, if it is nothing but this list.
    pub(crate) plain_list: Option<OriginSet>,
    pub(crate) prepared: Prepared,
}

/// The origin that every response names.
#[derive(Debug)]
pub(crate) enum ToAll {
    /// `*`: any origin.
    Star,
    /// One origin, for caches that ignore `Vary`.
    Origin(HeaderValue),
}

impl Rules {
    /// Whether anybody wants to know of denials: the extensions of responses, or a subscriber.
    pub(crate) fn wants_denials(&self) -> bool {
        #[cfg(feature = "tracing")]
        if super::audience::are_wanted() {
            return true;
        }
        self.record_denials
    }
}
