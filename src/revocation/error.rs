use crate::debug_as_display::debug_as_display;

/// Why something cannot be revoked. Nothing else can fail: a list that is full
/// [revokes more](crate::revocation::Revocations), never less.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationError {
    /// The id of a token or session is empty or too long.
    #[error("the id of a token or session has 1 to 256 bytes")]
    Id,
}

debug_as_display!(RevocationError);
