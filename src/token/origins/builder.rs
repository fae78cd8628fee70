use std::{sync::Arc, time::Duration};

use super::{
    cache::{CacheLimits, TokenCache},
    error::{TokenConfigError, TokenConfigErrors},
    judgement::JudgementRules,
    missing_claim::MissingClaim,
    policy::{Settings, TokenOrigins},
    verification::TokenVerification,
};
#[cfg(feature = "metrics")]
use crate::observe::{CacheCounters, CacheKind};
use crate::{
    time::{Clock, MAX_EXPIRED_GRACE, SystemClock},
    token::{
        claim::{ListLimits, ListRules, OriginsClaim},
        source::TokenSource,
        verify::{TokenVerifier, VerifiedBy},
    },
};

/// A [`TokenOrigins`] in the making: see [`TokenOrigins::builder`].
///
/// ```
/// use tower_cors::token::{TokenConfigError, TokenOrigins, source::TokenSource};
///
/// let errors = TokenOrigins::builder().source(TokenSource::bearer()).build().unwrap_err();
/// let errors: Vec<_> = errors.iter().collect();
/// assert_eq!(errors, [&TokenConfigError::MissingClaim, &TokenConfigError::MissingVerifier]);
///
/// // An outer layer that has verified the token needs neither.
/// assert!(TokenOrigins::builder().source(TokenSource::verified_origins()).build().is_ok());
/// ```
#[derive(Clone, Debug)]
#[must_use = "a configuration does nothing until it is built"]
pub struct TokenOriginsBuilder {
    verifier: Option<Arc<dyn TokenVerifier>>,
    sources: Vec<TokenSource>,
    fallback_sources: Vec<TokenSource>,
    claim: Option<OriginsClaim>,
    list: ListLimits,
    missing_claim: MissingClaim,
    max_token_bytes: usize,
    grace: Duration,
    private_responses: bool,
    cache: CacheLimits,
    clock: Arc<dyn Clock>,
    #[cfg(feature = "metrics")]
    counters: Option<CacheCounters>,
}

impl TokenOrigins {
    /// Starts a configuration.
    pub fn builder() -> TokenOriginsBuilder {
        TokenOriginsBuilder {
            verifier: None,
            sources: Vec::new(),
            fallback_sources: Vec::new(),
            claim: None,
            list: ListLimits::default(),
            missing_claim: MissingClaim::default(),
            max_token_bytes: 8 * 1024,
            grace: Duration::from_secs(600),
            private_responses: false,
            cache: CacheLimits::default(),
            clock: Arc::new(SystemClock),
            #[cfg(feature = "metrics")]
            counters: None,
        }
    }
}

impl TokenOriginsBuilder {
    /// Sets who verifies tokens.
    pub fn verifier(mut self, verifier: impl TokenVerifier) -> Self {
        self.verifier = Some(Arc::new(verifier));
        self
    }

    /// Adds a place where a token may be. All of them are looked at: different tokens in two
    /// places are refused, since another part of the service might take the other one.
    pub fn source(mut self, source: impl Into<TokenSource>) -> Self {
        self.sources.push(source.into());
        self
    }

    /// Adds a place that is looked at only where the others have no token, such as a cookie that
    /// browsers send along with a fresher token in a header. Only for a service that goes by the
    /// token which this policy leaves in the extensions.
    pub fn fallback_source(mut self, source: impl Into<TokenSource>) -> Self {
        self.fallback_sources.push(source.into());
        self
    }

    /// Sets where the claims hold the origins.
    pub fn claim(mut self, claim: OriginsClaim) -> Self {
        self.claim = Some(claim);
        self
    }

    /// Sets which entries of the list are let in. Default: `https` origins without wildcards.
    pub fn entries(mut self, rules: ListRules) -> Self {
        self.list.entries = rules;
        self
    }

    /// Sets how many entries a list may have, those that name nobody included. A token with a longer
    /// list is refused; its list is never cut short. They are compared one after the other.
    /// Default: 64.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.list.max_entries = entries;
        self
    }

    /// Sets how many bytes a list may have, all its entries together. A token with a longer one is
    /// refused. Default: 8192.
    pub fn max_list_bytes(mut self, bytes: usize) -> Self {
        self.list.max_bytes = bytes;
        self
    }

    /// Lets a `*` in a list stand for any origin, as Keycloak's adapters do: the answer repeats the
    /// origin, and **never allows credentials**, whatever the layer says. Without effect on `null`,
    /// and on requests with cookies, which any page can send. Default: a `*` lists nobody.
    ///
    /// The token is then all that keeps other pages out.
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// use tower_cors::{CorsLayer, token::TokenOrigins};
    /// # use tower_cors::token::{
    /// #     TokenVerifier, VerifiedToken, claim::Claims, verify::{TokenRequest, VerifyFuture},
    /// # };
    /// # #[derive(Debug)]
    /// # struct Verifier;
    /// # impl TokenVerifier for Verifier {
    /// #     fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
    /// #         let claims = Claims::parse(br#"{"allowed-origins": ["*"]}"#).unwrap();
    /// #         VerifyFuture::ready(Ok(VerifiedToken::new(claims)))
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///
    /// // The token says {"allowed-origins": ["*"]}.
    /// let policy = TokenOrigins::keycloak(Verifier).star_lists_any_origin().build()?;
    /// let service = CorsLayer::builder()
    ///     .origin_policy(policy)
    ///     .build()?
    ///     .layer(service_fn(async |_| Ok::<_, std::convert::Infallible>(Response::new(()))));
    /// let request = || {
    ///     Request::get("/").header("origin", "https://a.example").header("authorization", "Bearer t")
    /// };
    ///
    /// let granted = service.clone().oneshot(request().body(())?).await?;
    /// assert_eq!(granted.headers()["access-control-allow-origin"], "https://a.example");
    /// let with_cookie = request().header("cookie", "session=1").body(())?;
    /// assert_eq!(service.oneshot(with_cookie).await?.status(), 403);
    /// # Ok(())
    /// # }
    /// ```
    pub fn star_lists_any_origin(mut self) -> Self {
        self.list.honours_star = true;
        self
    }

    /// Sets what a token without the claim means. Default: [`MissingClaim::Deny`].
    pub fn missing_claim(mut self, missing: MissingClaim) -> Self {
        self.missing_claim = missing;
        self
    }

    /// Sets how many bytes a token may have. Default: 8192.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// Sets how long after a token's expiry the pages that it lists may still read that it has
    /// expired. Nothing else is granted to them. Default: 10 minutes; at most 1 hour, because
    /// revocations are remembered for that long.
    pub fn expired_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Keeps the service's own responses out of shared caches:
    /// [`PolicyProperties::private_responses`](crate::policy::PolicyProperties::private_responses).
    /// For tokens in the URL or in a cookie, where the service does not say so itself; with
    /// `Authorization`, caches keep nothing unless they are told to (RFC 9111, section 3.5).
    /// Default: not.
    pub fn private_responses(mut self) -> Self {
        self.private_responses = true;
        self
    }

    /// Sets how many bytes the verifications that are remembered may take, about; 0 verifies each
    /// token each time. Default: 16 MiB.
    pub fn max_cache_bytes(mut self, bytes: u64) -> Self {
        self.cache.max_bytes = bytes;
        self
    }

    /// Sets how long a good token is not verified again; never beyond its expiry. A revoked one may
    /// be accepted for that long, unless the verifier
    /// [tells](crate::token::TokenVerifier::is_revoked). Default: 60 seconds.
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache.cache_ttl = ttl;
        self
    }

    /// Sets how long a refused token is not verified again. Default: 5 seconds.
    pub fn refusal_ttl(mut self, ttl: Duration) -> Self {
        self.cache.refusal_ttl = ttl;
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Counts through the facade `metrics` how often a token is remembered, with this name: see
    /// [the table in the guide](crate::guide::observing#counters). The counters are registered here,
    /// so install the recorder first. Default: not.
    #[cfg(feature = "metrics")]
    pub fn record_metrics(mut self, name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        self.counters = Some(CacheCounters::register(CacheKind::Token, name.into()));
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// Every mistake, not only the first.
    pub fn build(self) -> Result<TokenOrigins, TokenConfigErrors> {
        let mut errors = Vec::new();
        let sources = || self.sources.iter().chain(&self.fallback_sources);
        if self.sources.is_empty() {
            errors.push(TokenConfigError::MissingSource);
        }
        let mistakes = sources().filter_map(TokenSource::mistake);
        errors.extend(mistakes.map(TokenConfigError::Source));
        match &self.claim {
            Some(claim) => errors.extend(claim.mistake().map(TokenConfigError::Claim)),
            None if sources().any(TokenSource::needs_claim) => {
                errors.push(TokenConfigError::MissingClaim);
            }
            None => {}
        }
        if self.verifier.is_none() && sources().any(TokenSource::needs_verifier) {
            errors.push(TokenConfigError::MissingVerifier);
        }
        if self.max_token_bytes == 0 {
            errors.push(TokenConfigError::MaxTokenBytes);
        }
        if self.list.max_entries == 0 {
            errors.push(TokenConfigError::MaxEntries);
        }
        if self.list.max_bytes == 0 {
            errors.push(TokenConfigError::MaxListBytes);
        }
        if self.grace > MAX_EXPIRED_GRACE {
            errors.push(TokenConfigError::ExpiredGrace(self.grace));
        }
        TokenConfigErrors::none_or(errors, || ())?;
        let rules = JudgementRules {
            missing_claim: self.missing_claim,
            grace: self.grace,
            claim: self
                .claim
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default()
                .into(),
        };
        let settings = Settings {
            max_token_bytes: self.max_token_bytes,
            private_responses: self.private_responses,
            ..Settings::new(self.sources, self.fallback_sources, rules)
        };
        let cache = TokenCache::new(self.cache);
        #[cfg(feature = "metrics")]
        let cache = cache.counted(self.counters);
        let verification = TokenVerification {
            verified_by: VerifiedBy::unique(),
            verifier: self.verifier,
            claim: self.claim,
            list: self.list,
            cache,
            clock: self.clock,
        };
        Ok(TokenOrigins::new(settings, verification))
    }
}
