//! Issuers asked over HTTP, by `reqwest`.
//!
//! This crate enables no TLS: enable one of `reqwest`'s TLS features in your application, or every
//! `https` URL is out of reach.

mod client_auth;
mod endpoint;
mod introspection;
mod key_set;

pub use self::{
    client_auth::ClientAuth, endpoint::EndpointError, introspection::ReqwestIntrospectionClient,
    key_set::ReqwestKeySetFetcher,
};
