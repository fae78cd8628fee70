use super::{
    denial::{Denial, DenialKind},
    grant::Grant,
};

/// The answer of a policy about a request.
///
/// ```
/// use tower_cors::{DenialKind, Grant, Verdict};
///
/// let verdict = |is_customer: bool| {
///     if is_customer {
///         Verdict::from(Grant::new())
///     } else {
///         DenialKind::OriginNotAllowed.into()
///     }
/// };
/// assert!(matches!(verdict(true), Verdict::Allow(_)));
/// assert!(matches!(verdict(false), Verdict::Deny(_)));
/// ```
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a combinator must treat every verdict"
)]
pub enum Verdict {
    /// The policy does not judge this request: ask the next one. If there is none, this is a
    /// denial.
    Abstain,
    /// The origin may use the service, on these terms.
    Allow(Grant),
    /// The origin may not, for this reason.
    Deny(Denial),
}

impl From<Grant> for Verdict {
    fn from(grant: Grant) -> Self {
        Self::Allow(grant)
    }
}

impl From<Denial> for Verdict {
    fn from(denial: Denial) -> Self {
        Self::Deny(denial)
    }
}

/// Allows on the layer's own terms, or denies the origin.
impl From<bool> for Verdict {
    fn from(is_allowed: bool) -> Self {
        if is_allowed {
            Grant::new().into()
        } else {
            DenialKind::OriginNotAllowed.into()
        }
    }
}

impl From<DenialKind> for Verdict {
    fn from(kind: DenialKind) -> Self {
        Self::Deny(kind.into())
    }
}
