use crate::debug_as_display::debug_as_display;

/// Why a token cannot be registered.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// There is no room for anybody.
    #[error("the index is full: it holds at most {limit} entries")]
    Full {
        /// The most entries that it holds.
        limit: usize,
    },
    /// There is no room for this tenant; others have some.
    #[error("the share of the tenant {tenant:?} is full: it holds at most {limit} entries")]
    TenantFull {
        /// Whose share is full.
        tenant: Box<str>,
        /// The most entries that a tenant may have.
        limit: usize,
    },
    /// There is a token with this id already.
    #[error("a token with this id is registered already")]
    Known,
    /// The token, or its session, has been revoked.
    #[error("the token or its session has been revoked")]
    Revoked,
    /// The token has expired.
    #[error("the token has expired")]
    Expired,
    /// The token would live too long.
    #[error("the token expires in more than 24 hours")]
    Lifetime,
    /// The token names no origin.
    #[error("the token names no origin")]
    NoOrigin,
    /// The id of a token, session or tenant is empty or too long.
    #[error("the id of a token, session or tenant has 1 to 256 bytes")]
    Id,
}

debug_as_display!(RegisterError);
