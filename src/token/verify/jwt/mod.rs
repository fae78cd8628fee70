//! Tokens that are JWTs, verified with keys that the service has
//! ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)).

mod admission;
mod algorithm;
mod backend;
mod builder;
mod error;
mod key;
mod keys;
mod rules;
mod unverified;
mod verifier;

pub(crate) use self::{
    algorithm::Family,
    backend::prefer_backend,
    builder::jwt_rule_setters,
    key::Names,
    keys::Unnamed,
    rules::{AcceptedTypes, JwtRules},
    unverified::{UNKNOWN_KEY, UnverifiedJwt, WRONG_ALGORITHM, WRONG_SIGNATURE},
};
pub use self::{
    algorithm::JwtAlgorithm,
    builder::JwtVerifierBuilder,
    error::{JwtConfigError, JwtKeyError, JwtKeyFault},
    key::JwtKey,
    keys::JwtKeys,
    verifier::JwtVerifier,
};
