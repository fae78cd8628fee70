//! Who verifies a token: the trait [`TokenVerifier`], and its implementations.

mod claim_rule_error;
#[cfg(feature = "dpop")]
pub mod dpop;
mod error;
mod fetch;
pub mod introspection;
#[cfg(feature = "jwt")]
pub mod issuers;
#[cfg(feature = "jwt")]
pub mod jwks;
#[cfg(feature = "jwt")]
pub mod jwt;
mod keys_id;
mod request;
#[cfg(feature = "reqwest")]
pub mod reqwest;
mod single_flight;
mod token_key;
mod validity;
mod verified_token;
mod verifier;

#[cfg(feature = "jwt")]
pub(crate) use self::error::quoted;
pub(crate) use self::error::unmendable;
pub use self::{
    claim_rule_error::ClaimRuleError,
    error::{Mismatch, VerifyError, VerifyResult},
    fetch::{FetchError, FetchFuture, KeySetFetcher},
    keys_id::KeysId,
    request::{OwnedTokenRequest, TokenRequest},
    verified_token::VerifiedToken,
    verifier::{TokenVerifier, VerifyFuture},
};
pub(crate) use self::{
    single_flight::{Flight, SingleFlight},
    token_key::{TokenKey, TokenKeys},
    validity::{ClaimRules, NotATime, Requirement, claim_rule_setters, numeric_date},
    verified_token::VerifiedBy,
};
pub use crate::build_errors::BuildErrors;
