//! Tokens that are JWTs, verified with keys that the service has ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)).

mod algorithm;
mod backend;
mod error;
mod key;
mod keys;
mod rules;
mod unverified;
mod verifier;

pub(crate) use self::{
    algorithm::Family, backend::prefer_backend, key::Names, keys::Unnamed, rules::Rules,
    unverified::UnverifiedJwt,
};
pub use self::{
    algorithm::JwtAlgorithm,
    error::JwtError,
    key::JwtKey,
    keys::JwtKeys,
    verifier::{JwtVerifier, JwtVerifierBuilder},
};
