use std::time::Duration;

use http::HeaderValue;

use crate::error::{
    BroadPreflightReason, ConfigError, ConfigErrors, MAX_AGE_SECS, MAX_BROAD_AGE_SECS,
};

/// How long browsers may keep the answer to a preflight: whole seconds, 0 to 86,400.
///
/// Browsers cut it: WebKit (Safari) to 600 seconds, Chromium to 7,200, Firefox to 86,400. Without a
/// max-age, they keep the answer for 5 seconds; with 0, not at all
/// ([Fetch, CORS-preflight fetch](https://fetch.spec.whatwg.org/#cors-preflight-fetch)).
///
/// Firefox does not find a `*` in what it has kept, whatever the max-age is, and asks again before
/// every request. Names listed beside the `*`, or in its place, are found: see
/// [`AllowHeaders`](crate::lists::AllowHeaders).
///
/// ```
/// use std::time::Duration;
/// use tower_cors::lists::MaxAge;
///
/// assert_eq!(MaxAge::new(Duration::from_secs(600))?.secs(), 600);
/// assert!(MaxAge::new(Duration::from_secs(86_401)).is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaxAge {
    secs: u32,
    value: HeaderValue,
}

impl MaxAge {
    /// The longest that any browser honours.
    pub const MAX_SECS: u32 = MAX_AGE_SECS;
    /// The longest for answers that are broader than the judgement of the request that follows:
    /// see [`PolicyProperties::broad_preflight`](crate::policy::PolicyProperties::broad_preflight).
    pub const MAX_BROAD_SECS: u32 = MAX_BROAD_AGE_SECS;

    /// A max-age of the duration's whole seconds.
    ///
    /// # Errors
    ///
    /// [`ConfigError::MaxAge`] beyond [`MAX_SECS`](Self::MAX_SECS).
    pub fn new(duration: Duration) -> Result<Self, ConfigErrors> {
        let secs = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let mut errors = Vec::new();
        let max_age = Self::build(secs, &mut errors);
        ConfigErrors::none_or(errors, || max_age)
    }

    /// The seconds.
    pub fn secs(&self) -> u32 {
        self.secs
    }

    pub(crate) fn build(secs: i64, errors: &mut Vec<ConfigError>) -> Self {
        match u32::try_from(secs) {
            Ok(secs) if secs <= Self::MAX_SECS => Self::from_bounded(secs),
            _ => {
                errors.push(ConfigError::MaxAge { seconds: secs });
                // Never used, because the mistake prevents the build.
                Self::from_bounded(0)
            }
        }
    }

    fn from_bounded(secs: u32) -> Self {
        Self {
            secs,
            value: HeaderValue::from(secs),
        }
    }

    /// The header value for a grant that caps the max-age.
    pub(crate) fn capped(max_age: Option<&Self>, cap: Option<u32>) -> Option<HeaderValue> {
        /// How long browsers keep an answer without the header.
        const ABSENT: u32 = 5;
        match (max_age, cap) {
            // A cap never makes the time longer.
            (Some(own), Some(cap)) if cap < own.secs => Some(HeaderValue::from(cap)),
            (None, Some(cap)) if cap < ABSENT => Some(HeaderValue::from(cap)),
            (Some(own), _) => Some(own.value.clone()),
            (None, _) => None,
        }
    }

    pub(crate) fn check_broad(max_age: Option<&Self>) -> Result<(), BroadPreflightReason> {
        match max_age {
            Some(own) if own.secs > Self::MAX_BROAD_SECS => Err(BroadPreflightReason::MaxAge),
            _ => Ok(()),
        }
    }
}
