//! Tokens that are JWTs, verified with a key set that is fetched
//! ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).

mod builder;
mod document;
mod state;
mod store;
mod verifier;

pub use self::{
    builder::{JwksConfigError, JwksVerifierBuilder},
    document::{JwkSet, JwkSetError},
    state::{JwksStatus, RefreshError},
    verifier::JwksVerifier,
};
