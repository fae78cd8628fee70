//! Tokens that are JSON Web Tokens (RFC 7519), signed (RFC 7515).

mod algorithm;
mod backend;
mod error;
mod jwks;
mod key;
mod keys;
mod rules;
mod unverified;
mod verifier;

pub(super) use self::{algorithm::Family, backend::prefer_backend};
pub use self::{
    algorithm::JwtAlgorithm,
    error::JwtError,
    jwks::{JwkSet, JwkSetError, JwksConfigError, JwksStatus, JwksVerifier, JwksVerifierBuilder},
    key::JwtKey,
    keys::JwtKeys,
    verifier::{JwtVerifier, JwtVerifierBuilder},
};
