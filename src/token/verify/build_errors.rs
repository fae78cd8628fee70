use std::{error::Error, fmt, slice, time::Duration, vec};

use crate::lines::Lines;

/// Every mistake that was given to a builder, in the order of its settings.
///
/// It prints one mistake per line, also for `{:?}`: what `unwrap` and `fn main` show.
///
/// ```
/// use std::time::Duration;
///
/// use bytes::Bytes;
/// use tower_cors::token::verify::{
///     FetchFuture,
///     introspection::{IntrospectionClient, IntrospectionRequest, IntrospectionVerifier},
/// };
///
/// # #[derive(Debug)]
/// # struct Client;
/// # impl IntrospectionClient for Client {
/// #     fn introspect(&self, _: IntrospectionRequest) -> FetchFuture {
/// #         Box::pin(async { Ok(Bytes::new()) })
/// #     }
/// # }
/// let errors = IntrospectionVerifier::builder(Client)
///     .refusal_ttl(Duration::from_secs(60))
///     .max_outstanding(0)
///     .build()
///     .unwrap_err();
/// assert_eq!(errors.len(), 2);
/// assert_eq!(format!("{errors:?}"), errors.to_string());
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

impl<E: fmt::Display> fmt::Debug for BuildErrors<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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

/// A mistake about what tokens have to say, which all verifiers have in common.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
