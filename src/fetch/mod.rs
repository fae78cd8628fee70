//! Syntax and tables of the [Fetch standard](https://fetch.spec.whatwg.org/): tokens, forbidden
//! names, safelisted methods, and the value of `Access-Control-Request-Headers`.
//!
//! Nothing here knows a configuration or a policy.

mod forbidden;
mod forbidden_request;
mod line;
mod requested_headers;
mod safelist;
mod safelisted_value;
mod token;

pub use self::requested_headers::RequestedHeaders;
pub(crate) use self::{
    forbidden::{GRANT_HEADERS, PREFLIGHT_ONLY, REQUEST_SIDE, is_forbidden_response_header},
    forbidden_request::{is_forbidden_method, is_forbidden_request_header},
    line::{Line, shared_value},
    safelist::is_safelisted,
    safelisted_value::is_safelisted_value,
    token::is_token,
};
