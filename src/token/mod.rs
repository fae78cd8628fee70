//! Origins carried by a token: [`TokenOrigins`] allows the origins that a verified token lists.
//!
//! The modules follow the way of a token through a service:
//!
//! 1. [`source`]: where in a request the token travels,
//! 2. [`verify`]: who verifies it,
//! 3. [`claim`]: which claim has the origins, and how they are written,
//! 4. [`issue`]: how a service makes such tokens, and refuses those that are
//!    [revoked](crate::revocation).
//!
//! The [guide](crate::guide::tokens) goes through them step by step.

pub mod claim;
pub mod issue;
mod origins;
mod redacted_uri;
pub mod source;
pub mod verify;

pub use self::{
    origins::{
        MissingClaim, TokenConfigError, TokenConfigErrors, TokenOrigins, TokenOriginsBuilder,
    },
    redacted_uri::RedactedUri,
    verify::{TokenVerifier, VerifiedToken},
};
