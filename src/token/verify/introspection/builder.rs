use std::{sync::Arc, time::Duration};

use super::{
    budget::Budget,
    client::IntrospectionClient,
    memory::Memory,
    verifier::{IntrospectionVerifier, Settings, Shared},
};
use crate::{
    time::{Clock, MAX_LEEWAY, SystemClock},
    token::verify::{SingleFlight, TokenKeys},
};

/// Configures an [`IntrospectionVerifier`].
///
/// ```
/// use std::time::Duration;
///
/// use tower_cors::token::verify::introspection::{
///     IntrospectionClient, IntrospectionConfigError, IntrospectionVerifier,
/// };
///
/// fn verifier(
///     client: impl IntrospectionClient,
/// ) -> Result<IntrospectionVerifier, IntrospectionConfigError> {
///     IntrospectionVerifier::builder(client)
///         .issuer("https://login.example.com")
///         .audience("https://api.example.com")
///         .positive_ttl(Duration::from_secs(30))
///         .build()
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing is verified before `build`"]
pub struct IntrospectionVerifierBuilder {
    client: Arc<dyn IntrospectionClient>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    max_outstanding: usize,
    max_refused_per_second: u32,
    max_cache: u64,
}

impl IntrospectionVerifier {
    /// Begins the configuration of a verifier that asks through `client`.
    pub fn builder(client: impl IntrospectionClient) -> IntrospectionVerifierBuilder {
        IntrospectionVerifierBuilder::new(Arc::new(client))
    }
}

impl IntrospectionVerifierBuilder {
    pub(crate) fn new(client: Arc<dyn IntrospectionClient>) -> Self {
        Self {
            client,
            clock: Arc::new(SystemClock),
            settings: Settings {
                token_type_hint: None,
                issuer: None,
                audience: None,
                leeway: Duration::from_secs(30),
                positive_ttl: Duration::from_secs(60),
                negative_ttl: Duration::from_secs(5),
                stale_if_error: Duration::ZERO,
                max_response: 64 * 1024,
            },
            max_outstanding: 64,
            max_refused_per_second: 100,
            max_cache: 16 * 1024 * 1024,
        }
    }

    /// Sends a `token_type_hint` with each question, such as `access_token`.
    pub fn token_type_hint(mut self, hint: impl Into<String>) -> Self {
        self.settings.token_type_hint = Some(hint.into());
        self
    }

    /// Accepts only tokens whose `iss` is this, byte by byte; one without is refused.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.settings.issuer = Some(issuer.into());
        self
    }

    /// Accepts only tokens whose `aud` is this or holds it; one without is refused.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.settings.audience = Some(audience.into());
        self
    }

    /// How far the issuer's clock may be ahead of ours when `nbf` is compared: 30 s unless set.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.settings.leeway = leeway;
        self
    }

    /// How long a good token is remembered, and so how late its revocation may be noticed: 60 s
    /// unless set, and never beyond the token's `exp`.
    pub fn positive_ttl(mut self, ttl: Duration) -> Self {
        self.settings.positive_ttl = ttl;
        self
    }

    /// How long a refused token is remembered: 5 s unless set, at most 10 s.
    pub fn negative_ttl(mut self, ttl: Duration) -> Self {
        self.settings.negative_ttl = ttl;
        self
    }

    /// How much longer a good token is good while the issuer gives no answer, or while there are
    /// too many questions to ask it: not at all unless set, at most an hour, and never beyond the
    /// token's `exp`. An issuer that gave no answer is asked about the token again after 5 s.
    pub fn stale_if_error(mut self, max: Duration) -> Self {
        self.settings.stale_if_error = max;
        self
    }

    /// The largest answer that is read, in bytes: 64 KiB unless set.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_response = bytes;
        self
    }

    /// How many questions may be under way: 64 unless set. Tokens beyond are
    /// [unavailable](crate::token::verify::VerifyError::Unavailable) at once, unless they may be
    /// [stale](Self::stale_if_error).
    ///
    /// A question whose clients have all hung up can be taken up by those who ask the same until 5 s
    /// after it began. It is kept until another one begins after that, or needs its place: it then
    /// counts as one that came to nothing.
    pub fn max_outstanding(mut self, questions: usize) -> Self {
        self.max_outstanding = questions;
        self
    }

    /// How many questions per second may come to nothing, and ten times as many at once: 100 unless
    /// set. It bounds what the issuer has to bear of those who send tokens that were never issued.
    ///
    /// A question comes to nothing when the issuer does not stand by the token, when it gives no
    /// answer, or when nobody waited for that. Those [under way](Self::max_outstanding) when the bound
    /// is reached count, too: there are so many fewer afterwards. Beyond the bound, tokens that are not remembered are
    /// [unavailable](crate::token::verify::VerifyError::Unavailable) without a question, unless they may
    /// be [stale](Self::stale_if_error). Good tokens are not counted, and have to wait for the next
    /// question like others.
    pub fn max_refused_per_second(mut self, questions: u32) -> Self {
        self.max_refused_per_second = questions;
        self
    }

    /// How much is remembered, in bytes: 16 MiB unless set, enough for some 5,000 good tokens.
    pub fn max_cache_bytes(mut self, bytes: u64) -> Self {
        self.max_cache = bytes;
        self
    }

    /// Reads the time from `clock`, which is the machine's unless set.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Makes the verifier.
    ///
    /// # Errors
    ///
    /// The first setting that is out of its bounds.
    pub fn build(self) -> Result<IntrospectionVerifier, IntrospectionConfigError> {
        let hour = Duration::from_secs(3600);
        let settings = &self.settings;
        if settings.negative_ttl > Duration::from_secs(10) {
            return Err(IntrospectionConfigError::NegativeTtl(settings.negative_ttl));
        }
        if settings.positive_ttl > hour {
            return Err(IntrospectionConfigError::PositiveTtl(settings.positive_ttl));
        }
        if settings.stale_if_error > hour {
            return Err(IntrospectionConfigError::StaleIfError(
                settings.stale_if_error,
            ));
        }
        if settings.leeway > MAX_LEEWAY {
            return Err(IntrospectionConfigError::Leeway(settings.leeway));
        }
        if self.max_outstanding == 0 {
            return Err(IntrospectionConfigError::MaxOutstanding);
        }
        if self.max_refused_per_second == 0 {
            return Err(IntrospectionConfigError::MaxRefusedPerSecond);
        }
        Ok(IntrospectionVerifier::new(Shared {
            client: self.client,
            budget: Budget::new(
                self.max_refused_per_second,
                self.max_outstanding,
                Arc::clone(&self.clock),
            ),
            clock: self.clock,
            settings: self.settings,
            keys: TokenKeys::default(),
            memory: Memory::new(self.max_cache),
            flights: SingleFlight::new(self.max_outstanding, KEPT),
        }))
    }
}

/// How long a question is kept that nobody waits for: the time that an issuer has to answer by
/// default.
const KEPT: Duration = Duration::from_secs(5);

/// A setting of an [`IntrospectionVerifier`] that is out of its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionConfigError {
    /// Refusals would outlast their reason.
    #[error("negative_ttl: {0:?}: at most 10s, so that a token that becomes good is soon let in")]
    NegativeTtl(Duration),
    /// Revocations would be noticed too late.
    #[error("positive_ttl: {0:?}: at most 1h, because a revocation is noticed as late as this")]
    PositiveTtl(Duration),
    /// Revoked tokens would live on whenever the issuer is down.
    #[error("stale_if_error: {0:?}: at most 1h, because no revocation is noticed meanwhile")]
    StaleIfError(Duration),
    /// `nbf` would have no meaning.
    #[error("leeway: {0:?}: at most 5min; set the clocks by NTP")]
    Leeway(Duration),
    /// No question could be asked.
    #[error("max_outstanding: 0: at least 1, or no token can be verified")]
    MaxOutstanding,
    /// After the first tokens that are not good, no question could be asked.
    #[error("max_refused_per_second: 0: at least 1, or a few bad tokens stop all others")]
    MaxRefusedPerSecond,
}
