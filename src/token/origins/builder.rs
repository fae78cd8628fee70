use std::{sync::Arc, time::Duration};

use super::{
    cache::{CacheLimits, TokenCache},
    error::{TokenConfigError, TokenConfigErrors},
    judgement::Settings,
    missing_claim::MissingClaim,
    policy::TokenOrigins,
};
use crate::{
    time::MAX_EXPIRED_GRACE,
    token::{
        claim::{ListLimits, ListRules, OriginsClaim},
        source::TokenSource,
        verify::TokenVerifier,
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
#[derive(Clone, Debug, Default)]
#[must_use = "a configuration does nothing until it is built"]
pub struct TokenOriginsBuilder {
    verifier: Option<Arc<dyn TokenVerifier>>,
    sources: Vec<TokenSource>,
    claim: Option<OriginsClaim>,
    list: ListLimits,
    missing_claim: MissingClaim,
    max_token_len: Option<usize>,
    grace: Option<Duration>,
    private_responses: bool,
    cache: CacheLimits,
}

impl TokenOrigins {
    /// Starts a configuration.
    pub fn builder() -> TokenOriginsBuilder {
        TokenOriginsBuilder::default()
    }
}

impl TokenOriginsBuilder {
    /// Who verifies tokens.
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

    /// Where the claims hold the origins.
    pub fn claim(mut self, claim: OriginsClaim) -> Self {
        self.claim = Some(claim);
        self
    }

    /// Which entries of the list are let in. Default: `https` origins, each spelt out.
    pub fn entries(mut self, rules: ListRules) -> Self {
        self.list.entries = rules;
        self
    }

    /// How many entries a list may have, those that count for nothing among them. A token with a
    /// longer list is refused; its list is never cut short. Default: 64. They are compared one
    /// after the other.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.list.max_entries = entries;
        self
    }

    /// How long a list may be, in bytes, all its entries together. A token with a longer one is
    /// refused. Default: 8192.
    pub fn max_list_len(mut self, bytes: usize) -> Self {
        self.list.max_len = bytes;
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

    /// What a token without the claim means. Default: [`MissingClaim::Deny`].
    pub fn missing_claim(mut self, missing: MissingClaim) -> Self {
        self.missing_claim = missing;
        self
    }

    /// How long a token may be, in bytes. Default: 8192.
    pub fn max_token_len(mut self, len: usize) -> Self {
        self.max_token_len = Some(len);
        self
    }

    /// How long after a token's expiry the pages that it lists may still read that it has
    /// expired. Nothing else is granted to them. Default: 10 minutes; at most 1 hour, for which
    /// revocations are remembered.
    pub fn expired_grace(mut self, grace: Duration) -> Self {
        self.grace = Some(grace);
        self
    }

    /// Keeps the service's own responses out of shared caches:
    /// [`PolicyProperties::private_responses`](crate::policy::PolicyProperties::private_responses). For tokens
    /// in the URL or in a cookie, where the service does not say so itself; with `Authorization`,
    /// caches keep nothing unless they are told to (RFC 9111, section 3.5). Default: not.
    pub fn private_responses(mut self) -> Self {
        self.private_responses = true;
        self
    }

    /// How many bytes may be spent on what is known of tokens, about; 0 verifies each token each
    /// time. Default: 16 MiB.
    pub fn cache_capacity(mut self, bytes: u64) -> Self {
        self.cache.capacity = bytes;
        self
    }

    /// How long a good token is not verified again, at most until it expires. It bounds how long
    /// a revoked one is still accepted. Default: 60 seconds.
    pub fn cache_ttl(mut self, ttl: Duration) -> Self {
        self.cache.ttl = ttl;
        self
    }

    /// How long a refused token is not verified again. Default: 5 seconds.
    pub fn refusal_ttl(mut self, ttl: Duration) -> Self {
        self.cache.refusal_ttl = ttl;
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// Every mistake, not only the first.
    pub fn build(self) -> Result<TokenOrigins, TokenConfigErrors> {
        let mut errors = Vec::new();
        if self.sources.is_empty() {
            errors.push(TokenConfigError::MissingSource);
        }
        let mistakes = self.sources.iter().filter_map(TokenSource::mistake);
        errors.extend(mistakes.map(TokenConfigError::Source));
        match &self.claim {
            Some(claim) => errors.extend(claim.mistake().map(TokenConfigError::Claim)),
            None if self.sources.iter().any(TokenSource::needs_claim) => {
                errors.push(TokenConfigError::MissingClaim);
            }
            None => {}
        }
        if self.verifier.is_none() && self.sources.iter().any(TokenSource::needs_verifier) {
            errors.push(TokenConfigError::MissingVerifier);
        }
        if self.max_token_len == Some(0) {
            errors.push(TokenConfigError::MaxTokenLen);
        }
        if self.list.max_entries == 0 {
            errors.push(TokenConfigError::MaxEntries);
        }
        if self.list.max_len == 0 {
            errors.push(TokenConfigError::MaxListLen);
        }
        if let Some(grace) = self.grace.filter(|grace| *grace > MAX_EXPIRED_GRACE) {
            errors.push(TokenConfigError::ExpiredGrace(grace));
        }
        if !errors.is_empty() {
            return Err(TokenConfigErrors(errors));
        }
        let settings = Settings {
            verifier: self.verifier,
            claim: self.claim,
            list: self.list,
            missing_claim: self.missing_claim,
            max_token_len: self.max_token_len.unwrap_or(8 * 1024),
            private_responses: self.private_responses,
            grace: self.grace.unwrap_or(Duration::from_secs(600)),
            cache: TokenCache::new(self.cache),
        };
        Ok(TokenOrigins::new(self.sources, settings))
    }
}
