use std::{error::Error, fmt, slice, vec};

use crate::lines::Lines;

/// Every mistake that was given to a builder, in the order of its settings.
///
/// It prints one mistake per line. `{:?}`, which `unwrap` and `fn main` show, puts a heading above them.
///
/// ```
/// use tower_cors::host::HostLayer;
///
/// let errors = HostLayer::builder()
///     .allow_hosts(["https://api.example.com", "api.example.org", "*.com"])
///     .build()
///     .unwrap_err();
/// assert_eq!(errors.len(), 2);
/// assert_eq!(
///     format!("{errors:?}"),
///     "mistakes in the configuration:\n  \
///      allow_hosts: \"https://api.example.com\": a host has no scheme: write \"api.example.com\"\n  \
///      allow_hosts: \"*.com\": anyone can register a name below \"com\" and have it point at the \
///      service: list the names that are yours",
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BuildErrors<E>(Vec<E>);

impl<E> BuildErrors<E> {
    /// `Ok` with the value if there are no mistakes.
    pub(crate) fn none_or<T>(errors: Vec<E>, value: impl FnOnce() -> T) -> Result<T, Self> {
        if errors.is_empty() {
            Ok(value())
        } else {
            Err(Self(errors))
        }
    }

    /// The mistakes, in the order of the settings.
    pub fn iter(&self) -> slice::Iter<'_, E> {
        self.0.iter()
    }

    /// How many mistakes there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<E: fmt::Display> fmt::Display for BuildErrors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lines(&self.0).fmt(f)
    }
}

/// The same lines: Rust uses `Debug` when `main` returns an error, and in `unwrap`, and a person reads
/// that in a terminal. There they follow the word `Error:`, so that they need a heading.
impl<E: fmt::Display> fmt::Debug for BuildErrors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("mistakes in the configuration:")?;
        for error in self {
            write!(f, "\n  {error}")?;
        }
        Ok(())
    }
}

impl<E: fmt::Display> Error for BuildErrors<E> {}

impl<E> IntoIterator for BuildErrors<E> {
    type Item = E;
    type IntoIter = vec::IntoIter<E>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a BuildErrors<E> {
    type Item = &'a E;
    type IntoIter = slice::Iter<'a, E>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
