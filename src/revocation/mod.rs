//! Tokens and sessions that are revoked: [`Revocations`].
//!
//! One list serves everybody who needs it. The
//! [minter](crate::token::issue::TokenMinter) writes the claim by which a session is known and
//! refuses to mint for a revoked one, the verifier
//! ([`Revocable`](crate::token::issue::Revocable)) refuses the requests of what is revoked, and the
//! [index](crate::preflight::IssuedIndex) closes its preflights. Replicas
//! [exchange](Revocations::changes_since) what is new.

mod changes;
#[cfg(feature = "serde")]
mod content;
mod error;
mod identity;
mod revocations;
mod table;
mod unknown_kind;

pub(crate) use self::{
    changes::PAGE,
    revocations::OnRevoked,
    table::{end_of, seconds, time},
};
pub use self::{
    changes::{ChangeCursor, Revocation, RevocationChanges, Revoked},
    error::RevocationError,
    identity::TokenIdentity,
    revocations::{Revocations, RevocationsBuilder},
    unknown_kind::UnknownKind,
};
