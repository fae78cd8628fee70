//! What requests are held against: lists that are parsed, validated and written out once, when the
//! layer is built.

mod allow_headers;
mod allow_methods;
mod denied_requests;
mod entries;
mod expose_headers;
mod header_name;
mod max_age;
mod origins;

use http::StatusCode;

#[cfg(feature = "test-util")]
pub(crate) use self::header_name::{is_forbidden_request_header, is_forbidden_response_header};
pub(crate) use self::origins::crosses_public_suffix;
pub(crate) use self::origins::{Doors, ListedOrigins};
pub use self::{
    allow_headers::AllowHeaders, allow_methods::AllowMethods, denied_requests::DeniedRequests,
    entries::Entries, expose_headers::ExposeHeaders, max_age::MaxAge,
};

use crate::{origin_set::OriginSet, policy::PolicyProperties, write::Prepared};

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
    /// The policy, where it is nothing but this list.
    pub(crate) plain_list: Option<OriginSet>,
    pub(crate) prepared: Prepared,
}

impl Rules {
    /// Whether anybody wants to know of denials: the extensions of responses, or a subscriber.
    pub(crate) fn wants_denials(&self) -> bool {
        #[cfg(feature = "tracing")]
        if crate::events::are_wanted() {
            return true;
        }
        self.record_denials
    }
}
