//! Several issuers in one verifier, each with its own keys.
//!
//! An issuer is its name, its keys, its audience and the types of its tokens: a
//! [`JwtVerifier`](super::jwt::JwtVerifier) whose keys are at hand, or a
//! [`JwksVerifier`](super::jwks::JwksVerifier) that fetches them. One of them is a verifier already;
//! [`Issuers`] chooses among several, by the token's `iss`.
//!
//! The [guide](crate::guide::tokens) has Keycloak, Auth0, Entra, Clerk and an issuer of one's own,
//! each in a few lines.

mod builder;
mod issuer;
mod verifier;

pub use self::{
    builder::{IssuersBuilder, IssuersConfigError},
    issuer::Issuer,
    verifier::Issuers,
};
