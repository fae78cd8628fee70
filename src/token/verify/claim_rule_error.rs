use std::time::Duration;

use crate::debug_as_display::debug_as_display;

/// A mistake about what tokens have to say, which all verifiers have in common.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimRuleError {
    /// A token for any other service of the issuer would be accepted.
    #[error(
        "audience: there is none, so that a token for any other service would do: name the `aud` \
         of this service's tokens, or call `dangerously_any_audience`"
    )]
    MissingAudience,
    /// One of the two settings would have no effect.
    #[error("audience: given beside `dangerously_any_audience`: leave one of them out")]
    AnyAudience,
    /// `exp` and `nbf` would have no meaning, and revocations would be forgotten too early.
    #[error("leeway: {0:?}: at most 5min; set the clocks by NTP")]
    Leeway(Duration),
}

debug_as_display!(ClaimRuleError);
