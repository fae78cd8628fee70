//! Tokens that are bound to a key of the page ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
//!
//! A stolen bearer token is good for anybody. A token with `cnf.jkt` is good only beside a *proof*: a
//! small JWT in the header `DPoP`, made for this one request and signed with the page's own key.
//! [`Dpop`] checks the proof around any other verifier.
//!
//! A preflight carries neither token nor proof, so it is a matter of
//! [`with_preflight`](crate::OriginPolicy::with_preflight); let the page send the header `dpop`.
//! Not implemented: nonces of the server (section 9), and the challenge `WWW-Authenticate: DPoP` of
//! a refusal.

mod builder;
mod proof;
mod replay;
mod verifier;

pub use self::{
    builder::{DpopBuilder, DpopConfigError},
    verifier::Dpop,
};
