//! Tokens that only their issuer understands ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).

mod builder;
mod client;
mod failure_budget;
mod memory;
mod response;
mod verifier;

pub use self::{
    builder::{IntrospectionConfigError, IntrospectionVerifierBuilder},
    client::{IntrospectionClient, IntrospectionRequest},
    response::{IntrospectionError, IntrospectionResponse},
    verifier::IntrospectionVerifier,
};
