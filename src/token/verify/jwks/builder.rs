use std::{sync::Arc, time::Duration};

use super::{
    state::Times,
    store::{Bounds, Store},
    verifier::JwksVerifier,
};
use crate::{
    debug_as_display::debug_as_display,
    time::{Clock, SystemClock},
    token::verify::{
        BuildErrors, ClaimRuleError, KeySetFetcher, claim_rule_setters,
        jwt::{JwtKey, JwtKeyError, JwtRules, Unnamed, jwt_rule_setters},
    },
};

/// Configures a [`JwksVerifier`].
///
/// ```
/// use std::time::Duration;
///
/// use tower_cors::token::verify::{
///     BuildErrors, KeySetFetcher, jwks::{JwksConfigError, JwksVerifier},
/// };
///
/// fn verifier(fetcher: impl KeySetFetcher) -> Result<JwksVerifier, BuildErrors<JwksConfigError>> {
///     JwksVerifier::builder(fetcher)
///         .issuer("https://login.example.com/realms/shop")
///         .audience("https://api.example.com")
///         .keys_ttl(Duration::from_secs(600))
///         .build()
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing is verified before `build`"]
pub struct JwksVerifierBuilder {
    fetcher: Arc<dyn KeySetFetcher>,
    clock: Arc<dyn Clock>,
    rules: JwtRules,
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
            rules: JwtRules::default(),
            bounds: Bounds {
                times: Times {
                    keys_ttl: Duration::from_secs(3600),
                    stale_if_error: Duration::ZERO,
                    min_refresh_interval: Duration::from_secs(30),
                },
                max_keys: 64,
                max_document: 256 * 1024,
                unnamed: Unnamed::Nothing,
            },
        }
    }

    jwt_rule_setters!();

    /// Lets a token that names no key mean the only key of its algorithm, and keeps keys without a
    /// name, as of an issuer that publishes a single one
    /// ([OpenID Connect Core, section 10.1][rotation]). A token that names a key still means no
    /// other. Default: such keys are left out, and such tokens are refused.
    ///
    /// No token tells by a new name that the issuer has a new key: it is noticed when the old one
    /// is renewed, so set a short [`keys_ttl`](Self::keys_ttl).
    ///
    /// [rotation]: https://openid.net/specs/openid-connect-core-1_0.html#RotateSigKeys
    pub fn accept_unnamed_key(mut self) -> Self {
        self.bounds.unnamed = Unnamed::OfAlgorithm;
        self
    }

    /// How long fetched keys are good, and so how late it may be noticed that one was removed. New
    /// ones are fetched after four fifths of it. Default: 1 hour; 1 minute to 1 day.
    pub fn keys_ttl(mut self, ttl: Duration) -> Self {
        self.bounds.times.keys_ttl = ttl;
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

    /// Makes the verifier, without asking the issuer.
    ///
    /// # Errors
    ///
    /// Every setting that is out of its bounds; that there is no audience, or more than one issuer;
    /// that `jsonwebtoken` has no backend.
    pub fn build(self) -> Result<JwksVerifier, BuildErrors<JwksConfigError>> {
        BuildErrors::none_or(self.mistakes(), || {
            let store = Store::new(self.fetcher, self.clock, self.bounds);
            JwksVerifier::new(store, self.rules)
        })
    }

    fn mistakes(&self) -> Vec<JwksConfigError> {
        use JwksConfigError as Mistake;
        const MINUTE: Duration = Duration::from_secs(60);
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let times = &self.bounds.times;
        let issuers = &self.rules.claims.issuers;
        let rules = self.rules.claims.mistakes();
        let mut mistakes: Vec<_> = rules.into_iter().map(Mistake::from).collect();
        for (is_wrong, mistake) in [
            (issuers.len() > 1, Mistake::SeveralIssuers(issuers.len())),
            (
                !(MINUTE..=DAY).contains(&times.keys_ttl),
                Mistake::KeysTtl(times.keys_ttl),
            ),
            (
                times.stale_if_error > DAY,
                Mistake::StaleIfError(times.stale_if_error),
            ),
            (
                !(MINUTE / 6..=MINUTE).contains(&times.min_refresh_interval),
                Mistake::MinRefreshInterval(times.min_refresh_interval),
            ),
            // Better found out here than by the first request.
            (
                matches!(JwtKey::from_jwk(PROBE), Err(JwtKeyError::Backend)),
                Mistake::Backend,
            ),
        ] {
            if is_wrong {
                mistakes.push(mistake);
            }
        }
        mistakes
    }
}

/// The public key of RFC 8037, appendix A.2, with which nothing is verified.
const PROBE: &[u8] = br#"{"kty": "OKP", "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// A setting of a [`JwksVerifier`] that is out of its bounds.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksConfigError {
    /// What a token has to say.
    #[error(transparent)]
    Rules(#[from] ClaimRuleError),
    /// One issuer could sign tokens of another.
    #[error(
        "issuer: {0} share one set of keys, so that each could sign tokens of the others: make a \
         verifier for each, and put them into `Issuers`"
    )]
    SeveralIssuers(usize),
    /// The issuer would be asked all the time, or removed keys would live on.
    #[error("keys_ttl: {0:?}: 1min to 1day, because a removed key may live as long as this")]
    KeysTtl(Duration),
    /// Removed keys would live on whenever the issuer is down.
    #[error("stale_if_error: {0:?}: at most 1day, because a removed key may live as long as this")]
    StaleIfError(Duration),
    /// Anybody could make this service flood the issuer, or a new key would be found too late.
    #[error("min_refresh_interval: {0:?}: 10s to 60s, because anybody can name unknown keys")]
    MinRefreshInterval(Duration),
    /// `jsonwebtoken` has no cryptography to work with, or cannot choose between two.
    #[error("{}", JwtKeyError::Backend)]
    Backend,
}

debug_as_display!(JwksConfigError);
