//! The policy [`TokenOrigins`]: find the token, verify it, read its list, judge the origin.

mod authenticate;
mod builder;
mod cache;
mod error;
mod judgement;
mod missing_claim;
mod not_one_token;
mod policy;
mod presets;
mod verification;

pub use self::{
    builder::TokenOriginsBuilder,
    error::{TokenConfigError, TokenConfigErrors},
    missing_claim::MissingClaim,
    policy::TokenOrigins,
};
