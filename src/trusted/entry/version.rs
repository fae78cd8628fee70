use std::fmt;

/// A point in the history of a store: every change has a greater one than those that were committed
/// before it. Changes that were committed together may share one.
///
/// Versions grow, not necessarily by one. Zero is before every change.
///
/// ```
/// use tower_cors::trusted::entry::Version;
///
/// assert!(Version::new(7) < Version::new(7).next());
/// assert!(Version::ZERO < Version::new(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(u64);

impl Version {
    /// Before every change.
    pub const ZERO: Self = Self(0);

    /// The version with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The next version.
    ///
    /// The numbers do not run out: a million changes a second last for half a million years.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_one_is_greater_up_to_the_last() {
        for (number, next) in [(0, 1), (7, 8), (u64::MAX, u64::MAX)] {
            assert_eq!(Version::new(number).next().number(), next);
        }
    }
}
