use std::fmt;

use crate::debug_as_display::debug_as_display;

/// What every [`OriginPolicy`](crate::OriginPolicy) owes, and [`policy_conformance`] looks at.
///
/// [`policy_conformance`]: super::policy_conformance
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Obligation {
    /// The expectations are well-formed, and the policy allows the requests that they name. Without
    /// this, a policy that denies everything would pass.
    Expectations,
    /// Without a fact that the verdict needs, or with a fact that has been changed, cut, emptied or
    /// sent twice, nothing is allowed.
    FailsClosed,
    /// Whole origins are compared: another scheme, port or domain, a name that begins or ends alike,
    /// `null`, and very long ones are not allowed, and get no denial that the page could read.
    WholeOrigins,
    /// The same question gets the same verdict: the first time and the next, at once or after
    /// waiting, after somebody stopped waiting, and while others ask.
    ReadyAndWaitingAlike,
    /// Every header that a verdict depends on is among
    /// [`reads`](crate::policy::PolicyProperties::reads), so that it is in `Vary`.
    NamesWhatItReads,
    /// [`properties`](crate::OriginPolicy::properties) are the same each time.
    ConstantProperties,
    /// A grant to any origin, or with credentials of its own, is among the properties.
    GrantsAsStated,
    /// The preflight of an allowed request passes, though it has neither credentials nor facts in
    /// headers; and no other preflight does, unless the properties say so.
    Preflights,
    /// A layer can be built with the policy, and lets in no malformed origin.
    WorksInALayer,
}

/// An [`Obligation`] that a policy does not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    obligation: Obligation,
    text: String,
}

/// Every obligation that a policy does not keep. There is at least one.
#[derive(Clone, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violation {
    /// What is not kept.
    pub fn obligation(&self) -> Obligation {
        self.obligation
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.obligation, self.text)
    }
}

impl Violations {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policy does not keep its obligations:")?;
        self.0
            .iter()
            .try_for_each(|violation| write!(f, "\n  {violation}"))
    }
}

impl std::error::Error for Violations {}

debug_as_display!(Violations);

/// The violations that have been found so far.
#[derive(Debug, Default)]
pub(super) struct Found(Vec<Violation>);

impl Found {
    pub(super) fn add(&mut self, obligation: Obligation, text: impl Into<String>) {
        let violation = Violation {
            obligation,
            text: text.into(),
        };
        if !self.0.contains(&violation) {
            self.0.push(violation);
        }
    }

    pub(super) fn into_result(self) -> Result<(), Violations> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Violations(self.0))
        }
    }
}
