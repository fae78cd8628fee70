use std::{sync::Arc, time::Duration};

use super::{
    state::Times,
    store::{Bounds, Store},
    verifier::JwksVerifier,
};
use crate::{
    time::{Clock, MAX_LEEWAY, SystemClock},
    token::verify::{
        KeySetFetcher,
        jwt::{JwtError, JwtKey, Rules, Unnamed},
    },
};

/// Configures a [`JwksVerifier`].
///
/// ```
/// use std::time::Duration;
///
/// use tower_cors::token::verify::{KeySetFetcher, jwks::{JwksConfigError, JwksVerifier}};
///
/// fn verifier(fetcher: impl KeySetFetcher) -> Result<JwksVerifier, JwksConfigError> {
///     JwksVerifier::builder(fetcher)
///         .issuer("https://login.example.com/realms/shop")
///         .audience("https://api.example.com")
///         .time_to_live(Duration::from_secs(600))
///         .build()
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing is verified before `build`"]
pub struct JwksVerifierBuilder {
    fetcher: Arc<dyn KeySetFetcher>,
    clock: Arc<dyn Clock>,
    rules: Rules,
    bounds: Bounds,
}

impl JwksVerifier {
    /// Begins the configuration of a verifier that gets its keys from `fetcher`.
    pub fn builder(fetcher: impl KeySetFetcher) -> JwksVerifierBuilder {
        JwksVerifierBuilder::new(Arc::new(fetcher))
    }
}

impl JwksVerifierBuilder {
    pub(crate) fn new(fetcher: Arc<dyn KeySetFetcher>) -> Self {
        Self {
            fetcher,
            clock: Arc::new(SystemClock),
            rules: Rules::default(),
            bounds: Bounds {
                times: Times {
                    time_to_live: Duration::from_secs(3600),
                    stale_if_error: Duration::ZERO,
                    min_refresh_interval: Duration::from_secs(30),
                },
                max_keys: 64,
                max_document: 256 * 1024,
                unnamed: Unnamed::Nothing,
            },
        }
    }

    /// How far the issuer's clock may be off. Default: 30 seconds; at most 5 minutes.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// Adds an issuer; a token must be from one of them. Default: not checked.
    pub fn issuer(mut self, issuer: impl Into<Box<str>>) -> Self {
        self.rules.issuers.push(issuer.into());
        self
    }

    /// Adds an audience; a token must be for one of them. Default: not checked.
    pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
        self.rules.audiences.push(audience.into());
        self
    }

    /// Accepts tokens without `exp`, which are good as long as their key is.
    pub fn dangerously_accept_endless_tokens(mut self) -> Self {
        self.rules.requires_expiry = false;
        self
    }

    /// Lets a token that names no key mean the only key of its algorithm, and keeps keys without a
    /// name, as of an issuer that publishes a single one
    /// ([OpenID Connect Core, section 10.1](https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys)).
    /// A token that names a key still means no other. Default: such keys are left out, and such
    /// tokens are refused.
    ///
    /// No token tells by a new name that the issuer has a new key: it is noticed when the old one
    /// is renewed, so set a short [`time_to_live`](Self::time_to_live).
    pub fn accept_unnamed_key(mut self) -> Self {
        self.bounds.unnamed = Unnamed::OfAlgorithm;
        self
    }

    /// How long fetched keys are good, and so how late it may be noticed that one was removed. New
    /// ones are fetched after four fifths of it. Default: 1 hour; 1 minute to 1 day.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.bounds.times.time_to_live = time_to_live;
        self
    }

    /// How much longer keys are good while the issuer gives no answer. Default: not at all; at
    /// most 1 day.
    pub fn stale_if_error(mut self, max: Duration) -> Self {
        self.bounds.times.stale_if_error = max;
        self
    }

    /// How long after one fetch another may begin, whatever keys tokens name. Default: 30 seconds;
    /// 10 to 60 seconds. About a name that the issuer did not know, it is not asked again for a
    /// minute.
    pub fn min_refresh_interval(mut self, interval: Duration) -> Self {
        self.bounds.times.min_refresh_interval = interval;
        self
    }

    /// How many keys a document may hold. Default: 64.
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.bounds.max_keys = keys;
        self
    }

    /// The largest document that is read, in bytes. Default: 256 KiB.
    pub fn max_document_bytes(mut self, bytes: usize) -> Self {
        self.bounds.max_document = bytes;
        self
    }

    /// Reads the time from `clock`. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the verifier, without asking the issuer.
    ///
    /// # Errors
    ///
    /// The first setting that is out of its bounds, or that `jsonwebtoken` has no backend.
    pub fn build(self) -> Result<JwksVerifier, JwksConfigError> {
        let times = &self.bounds.times;
        let second = Duration::from_secs(1);
        let day = Duration::from_secs(24 * 3600);
        if !(60 * second..=day).contains(&times.time_to_live) {
            return Err(JwksConfigError::TimeToLive(times.time_to_live));
        }
        if times.stale_if_error > day {
            return Err(JwksConfigError::StaleIfError(times.stale_if_error));
        }
        if !(10 * second..=60 * second).contains(&times.min_refresh_interval) {
            return Err(JwksConfigError::MinRefreshInterval(
                times.min_refresh_interval,
            ));
        }
        if self.rules.leeway > MAX_LEEWAY {
            return Err(JwksConfigError::Leeway(self.rules.leeway));
        }
        // Better found out here than by the first request.
        if matches!(JwtKey::from_jwk(PROBE), Err(JwtError::Backend)) {
            return Err(JwksConfigError::Backend);
        }
        let store = Store::new(self.fetcher, self.clock, self.bounds);
        Ok(JwksVerifier::new(store, self.rules))
    }
}

/// The public key of RFC 8037, appendix A.2, with which nothing is verified.
const PROBE: &[u8] = br#"{"kty": "OKP", "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// A setting of a [`JwksVerifier`] that is out of its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksConfigError {
    /// The issuer would be asked all the time, or removed keys would live on.
    #[error("time_to_live: {0:?}: 1min to 1day, because a removed key may live as long as this")]
    TimeToLive(Duration),
    /// Removed keys would live on whenever the issuer is down.
    #[error("stale_if_error: {0:?}: at most 1day, because a removed key may live as long as this")]
    StaleIfError(Duration),
    /// Anybody could make this service flood the issuer, or a new key would be found too late.
    #[error("min_refresh_interval: {0:?}: 10s to 60s, because anybody can name unknown keys")]
    MinRefreshInterval(Duration),
    /// `exp` and `nbf` would have no meaning, and revocations would be forgotten too early.
    #[error("leeway: {0:?}: at most 5min; set the clocks by NTP")]
    Leeway(Duration),
    /// `jsonwebtoken` has no cryptography to work with, or cannot choose between two.
    #[error("{}", JwtError::Backend)]
    Backend,
}
