use std::time::Duration;

use http::{HeaderMap, header::ACCESS_CONTROL_MAX_AGE};

use super::super::{
    fetch::Fetch,
    header_list::get,
    preflight_answer::{DEFAULT_MAX_AGE, Star},
};

/// Whose choices a [`Browser`](super::Browser) makes where engines differ.
///
/// | point | standard | Chromium | Firefox | WebKit |
/// |---|---|---|---|---|
/// | [longest](Self::max_age_limit) that an answer to a preflight is kept | no limit | 7,200 s | 86,400 s | 600 s |
/// | `Access-Control-Max-Age` with a sign | 5 s | the number, and 0 below 0 | not kept | as Chromium |
/// | other text there | 5 s | 5 s | not kept | 5 s |
/// | `Access-Control-Allow-Headers: *` covers `Authorization` | no | yes | yes | yes |
/// | several lines of a request header are joined before they are looked at | no | yes | no | yes |
/// | a preflight asks for a header of two lines | once | once | twice | once |
/// | what is kept | each method and name by itself | the whole answer, replaced by the next one | as the standard, but `*` is never found | as Chromium |
/// | `HEAD` with a header of its own needs `HEAD` among what is kept | no | no | yes | no |
/// | a kept answer outlives a request whose answer fails the check | no | yes | no | yes |
/// | a kept answer outlives a request that it does not permit | yes | no | yes | yes |
/// | an answer to a request with credentials serves one without | yes | yes | no | yes |
/// | after a redirect, a preflighted request is preflighted again | if it needs it | if it needs it | always | always |
/// | the origin of that preflight | as the request's | as the request's | the page's | as the request's |
/// | that preflight asks for an `Authorization` that another origin does not get | no | no | no | yes |
/// | fetch metadata after a redirect to another origin | sent | sent | sent | with the preflight alone |
/// | an empty line of `Access-Control-Allow-Origin` beside another one | counts | counts | does not count | counts |
///
/// Not simulated is that a Firefox which has just started does not use the first two answers that it
/// keeps, and what is no matter of `fetch()`: the [guide's page about browsers] has it.
///
/// ```
/// use std::time::Duration;
/// use tower_cors::test_util::Engine;
///
/// assert_eq!(Engine::Chromium.max_age_limit(), Some(Duration::from_secs(7200)));
/// assert_eq!(Engine::Standard.max_age_limit(), None);
/// ```
///
/// [guide's page about browsers]: https://docs.rs/tower-cors/latest/tower_cors/guide/browsers/index.html
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Engine {
    /// As the Fetch standard has it. What passes here passes everywhere.
    #[default]
    Standard,
    /// Chromium 156.
    Chromium,
    /// Firefox 153.
    Firefox,
    /// WebKitGTK 2.50.
    WebKit,
}

impl Engine {
    /// The longest that an answer to a preflight is kept, whatever it says. `None` is no limit: the
    /// standard leaves it to engines.
    pub fn max_age_limit(self) -> Option<Duration> {
        match self {
            Self::Standard => None,
            Self::Chromium => Some(Duration::from_secs(7_200)),
            Self::Firefox => Some(Duration::from_secs(86_400)),
            Self::WebKit => Some(Duration::from_secs(600)),
        }
    }

    /// How long an answer with these headers is kept; `None` where it is not kept at all.
    pub(super) fn max_age(self, headers: &HeaderMap) -> Option<Duration> {
        let age = match self {
            Self::Standard => Fetch::preflight_max_age(headers),
            Self::Chromium | Self::WebKit => signed(headers),
            Self::Firefox => digits(headers)?,
        };
        let age = self.max_age_limit().map_or(age, |limit| age.min(limit));
        (!age.is_zero()).then_some(age)
    }

    pub(super) fn star(self) -> Star {
        match self {
            Self::Standard => Star::WithoutAuthorization,
            Self::Chromium | Self::Firefox | Self::WebKit => Star::WithAuthorization,
        }
    }

    /// Whether several lines of a request header are one before the engine looks at their values.
    pub(super) fn joins_lines(self) -> bool {
        matches!(self, Self::Chromium | Self::WebKit)
    }

    /// Whether a preflight asks for a header once for each line of it.
    pub(super) fn repeats_names(self) -> bool {
        self == Self::Firefox
    }

    /// Whether an answer is kept as a whole, and replaced by the next one.
    pub(super) fn keeps_whole_answers(self) -> bool {
        matches!(self, Self::Chromium | Self::WebKit)
    }

    /// Whether a kept `*` permits a request.
    pub(super) fn finds_star(self) -> bool {
        self != Self::Firefox
    }

    pub(super) fn separates_credentials(self) -> bool {
        self == Self::Firefox
    }

    /// Whether what was kept is forgotten if the request itself fails.
    pub(super) fn forgets_after_failure(self) -> bool {
        !self.keeps_whole_answers()
    }

    /// Whether what was kept is forgotten if it does not permit a request.
    pub(super) fn forgets_after_mismatch(self) -> bool {
        self == Self::Chromium
    }

    /// Whether what was kept is forgotten if the next preflight fails.
    pub(super) fn forgets_after_failed_preflight(self) -> bool {
        self != Self::WebKit
    }

    /// Whether a request that was preflighted is so again after a redirect, also if it has become
    /// simple.
    pub(super) fn preflights_again(self) -> bool {
        matches!(self, Self::Firefox | Self::WebKit)
    }

    /// Whether the preflight after a redirect has the page's origin where the request has `null`.
    pub(super) fn preflights_with_page_origin(self) -> bool {
        self == Self::Firefox
    }

    /// Whether that preflight asks for an `Authorization` that the request does not have any more.
    pub(super) fn asks_for_dropped_authorization(self) -> bool {
        self == Self::WebKit
    }

    /// Whether a request that was redirected to another origin has fetch metadata.
    pub(super) fn has_metadata_after_redirect(self) -> bool {
        self != Self::WebKit
    }

    /// Whether an empty line of `Access-Control-Allow-Origin` is one of several.
    pub(super) fn counts_empty_lines(self) -> bool {
        self != Self::Firefox
    }
}

fn value(headers: &HeaderMap) -> Option<String> {
    let value = get(headers, &ACCESS_CONTROL_MAX_AGE)?;
    Some(String::from_utf8_lossy(&value).into_owned())
}

/// A number with or without a sign; negative ones are 0.
fn signed(headers: &HeaderMap) -> Duration {
    let seconds = value(headers).and_then(|value| value.parse::<i64>().ok());
    seconds.map_or(DEFAULT_MAX_AGE, |seconds| {
        Duration::from_secs(seconds.max(0).unsigned_abs())
    })
}

/// Digits, however many.
fn digits(headers: &HeaderMap) -> Option<Duration> {
    let Some(value) = value(headers).filter(|value| !value.is_empty()) else {
        return Some(DEFAULT_MAX_AGE);
    };
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(value.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn ages() {
        use Engine::{Chromium, Firefox, Standard, WebKit};
        let age = |engine: Engine, value: Option<&'static str>| {
            let lines = value.map(|v| (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(v)));
            let age = engine.max_age(&lines.into_iter().collect());
            age.map(|age| age.as_secs())
        };
        for (value, expected) in [
            (None, [Some(5), Some(5), Some(5), Some(5)]),
            (Some("60"), [Some(60), Some(60), Some(60), Some(60)]),
            (Some("0"), [None, None, None, None]),
            (Some("-1"), [Some(5), None, None, None]),
            (Some("+60"), [Some(5), Some(60), None, Some(60)]),
            (Some("60s"), [Some(5), Some(5), None, Some(5)]),
            (Some(""), [Some(5), Some(5), Some(5), Some(5)]),
            (
                Some("100000"),
                [Some(100_000), Some(7_200), Some(86_400), Some(600)],
            ),
            (
                Some("99999999999999999999"),
                [Some(5), Some(5), Some(86_400), Some(5)],
            ),
        ] {
            let engines = [Standard, Chromium, Firefox, WebKit];
            assert_eq!(
                engines.map(|engine| age(engine, value)),
                expected,
                "{value:?}"
            );
        }
    }
}
