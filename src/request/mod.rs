//! The parts of a request that CORS is about, and which kind of request it is.
//!
//! [`CorsRequest`] is what an [`OriginPolicy`](crate::OriginPolicy) sees. [`Preflight`] is the
//! parsed preflight, with the names of the requested headers in [`RequestedHeaders`].

mod classify;
mod cors_request;
mod head;
mod malformed;
mod preflight;
mod same_origin;

pub(crate) use self::{
    classify::{Classified, SentOrigin, announced_method, classify},
    head::Head,
    malformed::Malformed,
    same_origin::is_same_origin,
};
pub use self::{
    cors_request::{CorsRequest, OwnedRequest},
    preflight::Preflight,
};
pub use crate::fetch::RequestedHeaders;
