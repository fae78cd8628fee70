/// What a token without a list of origins means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingClaim {
    /// It lists nobody.
    #[default]
    Deny,
    /// It says nothing of origins, and the next policy decides: see
    /// [`fallback`](crate::OriginPolicy::fallback), which leaves the token for the
    /// inner service even so.
    Abstain,
}
