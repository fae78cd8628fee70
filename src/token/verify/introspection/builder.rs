#[cfg(feature = "metrics")]
use std::borrow::Cow;
use std::{sync::Arc, time::Duration};

use super::{
    client::IntrospectionClient,
    failure_budget::FailureBudget,
    memory::Memory,
    verifier::{IntrospectionSettings, IntrospectionVerifier, Shared},
};
#[cfg(feature = "metrics")]
use crate::observe::{CacheCounters, CacheKind};
use crate::{
    debug_as_display::debug_as_display,
    time::{Clock, SystemClock},
    token::verify::{
        BuildErrors, ClaimRuleError, ClaimRules, SingleFlight, TokenKeys, claim_rule_setters,
    },
};

/// Configures an [`IntrospectionVerifier`].
///
/// ```
/// use std::time::Duration;
///
/// use tower_cors::token::verify::{
///     BuildErrors,
///     introspection::{IntrospectionClient, IntrospectionConfigError, IntrospectionVerifier},
/// };
///
/// fn verifier(
///     client: impl IntrospectionClient,
/// ) -> Result<IntrospectionVerifier, BuildErrors<IntrospectionConfigError>> {
///     IntrospectionVerifier::builder(client)
///         .issuer("https://login.example.com")
///         .audience("https://api.example.com")
///         .cache_ttl(Duration::from_secs(30))
///         .build()
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing is verified before `build`"]
pub struct IntrospectionVerifierBuilder {
    client: Arc<dyn IntrospectionClient>,
    clock: Arc<dyn Clock>,
    settings: IntrospectionSettings,
    max_outstanding: usize,
    max_refused_per_second: u32,
    max_cache: u64,
    #[cfg(feature = "metrics")]
    counters: Option<CacheCounters>,
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
            settings: IntrospectionSettings {
                token_type_hint: None,
                rules: ClaimRules {
                    // The issuer has just been asked, so its word is enough: RFC 7662 makes both
                    // `exp` and `aud` optional.
                    requires_expiry: false,
                    is_lenient_about_expiry: false,
                    allows_any_audience: true,
                    ..ClaimRules::default()
                },
                cache_ttl: Duration::from_secs(60),
                refusal_ttl: Duration::from_secs(5),
                stale_if_error: Duration::ZERO,
                max_response: 64 * 1024,
            },
            max_outstanding: 64,
            max_refused_per_second: 100,
            max_cache: 16 * 1024 * 1024,
            #[cfg(feature = "metrics")]
            counters: None,
        }
    }

    claim_rule_setters!(settings.rules);

    /// How far the issuer's clock may be off when `nbf` is compared. Default: 30 seconds; at most
    /// 5 minutes.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.settings.rules.leeway = leeway;
        self
    }

    /// Sets the `token_type_hint` that is sent with each question, such as `access_token`. Default:
    /// none.
    pub fn token_type_hint(mut self, hint: impl Into<String>) -> Self {
        self.settings.token_type_hint = Some(hint.into());
        self
    }

    /// How long a good token is remembered, and so how late its revocation may be noticed; never
    /// beyond the token's `exp`. Default: 1 minute; at most 1 hour.
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.settings.cache_ttl = ttl;
        self
    }

    /// How long a refused token is remembered. Default: 5 seconds; at most 10 seconds.
    pub fn refusal_ttl(mut self, ttl: Duration) -> Self {
        self.settings.refusal_ttl = ttl;
        self
    }

    /// How much longer a good token is used while the issuer gives no answer, or while there are
    /// too many questions to ask it; never beyond the token's `exp`. The issuer is asked about the
    /// token again every 5 seconds. Default: not at all; at most 1 hour.
    pub fn stale_if_error(mut self, max: Duration) -> Self {
        self.settings.stale_if_error = max;
        self
    }

    /// The largest answer that is read, in bytes. Default: 64 KiB.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_response = bytes;
        self
    }

    /// How many questions about tokens that are not known may be under way, and as many again about
    /// tokens that were good at their last answer. Default: 64. Beyond, a token is
    /// [unavailable](crate::token::verify::VerifyError::Unavailable) at once, unless it may be used
    /// [stale](Self::stale_if_error).
    ///
    /// A question that all of its clients have left can be continued by others with the same token,
    /// until 5 seconds after it began. It gives its place to another question that needs it, and
    /// then counts as failed.
    pub fn max_outstanding(mut self, questions: usize) -> Self {
        self.max_outstanding = questions;
        self
    }

    /// How many questions per second may fail, and ten times as many at once. The limit protects
    /// the issuer from clients that send tokens which were never issued. Default: 100.
    ///
    /// A question fails when the token is refused, when the issuer does not answer, or when no
    /// request waits for the answer any more. Questions that are
    /// [under way](Self::max_outstanding) when the limit is reached count, too, and delay the next
    /// ones. Beyond the limit, tokens that are not known are
    /// [unavailable](crate::token::verify::VerifyError::Unavailable) without a question. The issuer
    /// is always asked about a token that was good at its last answer, and this is not counted.
    pub fn max_refused_per_second(mut self, questions: u32) -> Self {
        self.max_refused_per_second = questions;
        self
    }

    /// How much is remembered, in bytes. Default: 16 MiB, enough for some 5,000 good tokens.
    pub fn max_cache_bytes(mut self, bytes: u64) -> Self {
        self.max_cache = bytes;
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Counts through the facade `metrics` how often the answer is remembered, with this name: see
    /// [the table in the guide](crate::guide::observing#counters). The counters are registered here,
    /// so install the recorder first. Default: not.
    #[cfg(feature = "metrics")]
    pub fn record_metrics(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        let kind = CacheKind::Introspection;
        self.counters = Some(CacheCounters::register(kind, name.into()));
        self
    }

    /// Makes the verifier.
    ///
    /// # Errors
    ///
    /// Every setting that is out of its bounds.
    pub fn build(self) -> Result<IntrospectionVerifier, BuildErrors<IntrospectionConfigError>> {
        BuildErrors::none_or(self.mistakes(), || {
            let places = || SingleFlight::new(self.max_outstanding, KEPT);
            IntrospectionVerifier::new(Shared {
                client: self.client,
                budget: FailureBudget::new(
                    self.max_refused_per_second,
                    self.max_outstanding,
                    Arc::clone(&self.clock),
                ),
                clock: self.clock,
                settings: self.settings,
                keys: TokenKeys::default(),
                memory: Memory::new(self.max_cache),
                unknown: places(),
                renewals: places(),
                #[cfg(feature = "metrics")]
                counters: self.counters,
            })
        })
    }

    fn mistakes(&self) -> Vec<IntrospectionConfigError> {
        use IntrospectionConfigError as Mistake;
        const HOUR: Duration = Duration::from_secs(3600);
        let settings = &self.settings;
        let mut rules = settings.rules.clone();
        // An audience is welcome here, and not demanded.
        rules.allows_any_audience = rules.audiences.is_empty();
        let mut mistakes: Vec<_> = rules.mistakes().into_iter().map(Mistake::from).collect();
        for (is_wrong, mistake) in [
            (
                settings.cache_ttl > HOUR,
                Mistake::CacheTtl(settings.cache_ttl),
            ),
            (
                settings.refusal_ttl > Duration::from_secs(10),
                Mistake::RefusalTtl(settings.refusal_ttl),
            ),
            (
                settings.stale_if_error > HOUR,
                Mistake::StaleIfError(settings.stale_if_error),
            ),
            (self.max_outstanding == 0, Mistake::MaxOutstanding),
            (
                self.max_refused_per_second == 0,
                Mistake::MaxRefusedPerSecond,
            ),
        ] {
            if is_wrong {
                mistakes.push(mistake);
            }
        }
        mistakes
    }
}

/// How long a question is kept that nobody waits for: the time that an issuer has to answer by
/// default.
const KEPT: Duration = Duration::from_secs(5);

/// A setting of an [`IntrospectionVerifier`] that is out of its bounds.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionConfigError {
    /// What a token has to say.
    #[error(transparent)]
    Rules(#[from] ClaimRuleError),
    /// Revocations would be noticed too late.
    #[error("cache_ttl: {0:?}: at most 1h, because a revocation is noticed as late as this")]
    CacheTtl(Duration),
    /// Refusals would outlast their reason.
    #[error("refusal_ttl: {0:?}: at most 10s, so that a token that becomes good is soon accepted")]
    RefusalTtl(Duration),
    /// Revoked tokens would live on whenever the issuer is down.
    #[error("stale_if_error: {0:?}: at most 1h, because no revocation is noticed meanwhile")]
    StaleIfError(Duration),
    /// No question could be asked.
    #[error("max_outstanding: 0: at least 1, or no token can be verified")]
    MaxOutstanding,
    /// After the first tokens that are not good, no question could be asked.
    #[error("max_refused_per_second: 0: at least 1, or a few bad tokens stop all others")]
    MaxRefusedPerSecond,
}

debug_as_display!(IntrospectionConfigError);
