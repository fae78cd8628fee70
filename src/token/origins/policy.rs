use std::{borrow::Cow, sync::Arc, time::SystemTime};

use http::header::COOKIE;

use super::{
    cache::CachedVerification,
    judgement::{Asked, JudgementRules, judge},
    not_one_token::NotOneToken,
    verification::{TokenState, TokenVerification},
};
use crate::{
    origin::RequestOrigin,
    policy::{
        Attachment, Decider, Denial, DenialKind, DeniedRequests, Fallback, Judged, JudgedFuture,
        MaybeReady, OriginPolicy, PolicyProperties, UncheckedList, Verdict, VerdictFuture,
        WithPreflight,
    },
    request::{CorsRequest, Head},
    token::{
        source::{Find, TokenSource, Verified, VerifiedOrigins},
        verify::{TokenRequest, VerifiedToken},
    },
};

/// Allows the origins that a verified token lists.
///
/// Refused requests do not reach the service ([`DeniedRequests::Refuse`]).
///
/// | the request has | verdict |
/// |---|---|
/// | no token | abstains: see [`fallback`](OriginPolicy::fallback) |
/// | a token that lists the origin | allowed; the [`VerifiedToken`](crate::token::VerifiedToken) is left in the request's extensions, as an `Arc` |
/// | one that does not, or whose list cannot be read | denied, 403 |
/// | one that is malformed, forged, for others, revoked, not yet valid | denied, 401 |
/// | one that has expired, and lists the origin | denied, 401, which the page may read for a while |
/// | two different tokens; a token beside other credentials of the same scheme; or a value that another reader may take for a token, such as `Bearer,x` | denied, 401 |
/// | a token, while nobody can verify it | denied, 503 |
/// | the origin `null` | denied, 403, whatever the token lists |
///
/// What a request has to prove, as with [`Dpop`](crate::token::verify::dpop::Dpop), is checked where
/// the verdict depends on it: not where the token does not list the origin. So the proof of the
/// service's own page, which is forwarded though no token lists it, is good for
/// [`authenticate`](Self::authenticate).
///
/// A request without an `Origin` is not judged: it does not come from a page of another origin.
///
/// A result of an outer layer takes precedence over all tokens: nothing is verified twice, and the
/// service behind uses what was judged.
///
/// A **preflight** carries the URL of the request to come, and no headers of it. So a token in the
/// URL is judged there as in the request itself; where tokens come in headers, name a policy that
/// answers preflights, with [`with_preflight`](crate::OriginPolicy::with_preflight), or they are
/// all refused; where tokens come in both, with [`preflights`](Self::preflights). A token in the
/// URL that is not good refuses its preflight, and what another policy says of the origin neither
/// lets it pass nor makes the refusal readable: the request would be refused all the same, and
/// nobody should learn why.
///
/// ```
/// # use http::{Request, Response};
/// # use tower::{Layer, ServiceExt, service_fn};
/// use tower_cors::{
///     CorsLayer,
///     token::{
///         TokenOrigins, TokenVerifier, VerifiedToken, claim::{Claims, OriginsClaim},
///         source::TokenSource, verify::{TokenRequest, VerifyError, VerifyFuture},
///     },
/// };
///
/// /// Knows one token. Yours asks its issuer, or is a `JwtVerifier`.
/// #[derive(Debug)]
/// struct Issuer;
///
/// impl TokenVerifier for Issuer {
///     fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
///         VerifyFuture::ready(match token {
///             "t0k3n" => Claims::parse(br#"{"origins": ["https://contoso.com"]}"#)
///                 .map(VerifiedToken::new)
///                 .map_err(|_| VerifyError::Malformed("no claims")),
///             _ => Err(VerifyError::NotAuthentic("unknown")),
///         })
///     }
/// }
///
/// let policy = TokenOrigins::builder()
///     .verifier(Issuer)
///     .source(TokenSource::query("token"))
///     .claim(OriginsClaim::array("origins"))
///     .build()?;
/// let cors = CorsLayer::builder().origin_policy(policy).build()?;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # let status = |uri: &str, origin: &str| {
/// #     let inner = service_fn(async |_| Ok::<_, std::convert::Infallible>(Response::new(())));
/// #     let request = Request::get(uri).header("origin", origin).body(()).unwrap();
/// #     runtime.block_on(cors.layer(inner).oneshot(request)).unwrap().status()
/// # };
/// assert_eq!(status("/api?token=t0k3n", "https://contoso.com"), 200);
/// assert_eq!(status("/api?token=t0k3n", "https://evil.example"), 403);
/// assert_eq!(status("/api?token=forged", "https://contoso.com"), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenOrigins {
    settings: Arc<Settings>,
    pub(super) verification: Arc<TokenVerification>,
}

/// What stays the same from the token's text to the verdict.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) sources: Vec<TokenSource>,
    /// How many of the sources are looked at in any case; the others only where these have no token.
    pub(super) first_sources: usize,
    pub(super) max_token_bytes: usize,
    pub(super) private_responses: bool,
    pub(super) rules: JudgementRules,
}

impl Settings {
    pub(super) fn new(
        sources: Vec<TokenSource>,
        later: Vec<TokenSource>,
        rules: JudgementRules,
    ) -> Self {
        let first_sources = sources.len();
        let sources: Vec<_> = sources.into_iter().chain(later).collect();
        Self {
            sources,
            first_sources,
            max_token_bytes: 8 * 1024,
            private_responses: false,
            rules,
        }
    }
}

impl TokenOrigins {
    pub(super) fn new(settings: Settings, verification: TokenVerification) -> Self {
        Self {
            settings: Arc::new(settings),
            verification: Arc::new(verification),
        }
    }

    /// Lets `preflight` answer the preflights whose URL has no token, and this policy those whose
    /// URL has one: for tokens that come in a header *and* in the URL.
    ///
    /// With [`with_preflight`](OriginPolicy::with_preflight), a token in the URL of a preflight
    /// would not be looked at.
    ///
    /// ```
    /// use tower_cors::{CorsLayer, preflight::IssuedIndex, token::source::TokenSource};
    /// # use tower_cors::token::{TokenOrigins, TokenVerifier, claim::OriginsClaim};
    ///
    /// # fn cors(verifier: impl TokenVerifier, issued: IssuedIndex) -> Result<CorsLayer, Box<dyn std::error::Error>> {
    /// let tokens = TokenOrigins::builder()
    ///     .source(TokenSource::bearer())
    ///     .source(TokenSource::query("access_token"))
    /// #   .verifier(verifier)
    /// #   .claim(OriginsClaim::array("origins"))
    ///     .build()?;
    /// let cors = CorsLayer::builder().origin_policy(tokens.preflights(issued)).build()?;
    /// # Ok(cors)
    /// # }
    /// ```
    pub fn preflights<P: OriginPolicy>(
        self,
        preflight: P,
    ) -> WithPreflight<Self, Fallback<Self, P>> {
        let own = self.clone();
        self.with_preflight(OriginPolicy::fallback(own, preflight))
    }

    /// Forgets what the policy knows of tokens, for all of its clones, so that the verifier is
    /// asked again about each. The verifier may remember by itself: see
    /// [`IntrospectionVerifier::forget`](crate::token::verify::introspection::IntrospectionVerifier::forget),
    /// after which this need not be called.
    pub fn clear_cache(&self) {
        self.verification.cache.clear();
    }

    /// What an outer layer has verified.
    pub(super) fn find_verified(&self, head: &Head<'_>) -> Option<Verified> {
        let mut sources = self.settings.sources.iter();
        sources.find_map(|source| source.find_verified(head))
    }

    /// The one token of the request, or why there is not exactly one.
    pub(super) fn find<'a>(
        &self,
        head: &Head<'a>,
        is_preflight: bool,
    ) -> Result<Option<Cow<'a, str>>, NotOneToken> {
        let (first, later) = self.settings.sources.split_at(self.settings.first_sources);
        match self.find_in(first, head, is_preflight)? {
            None => self.find_in(later, head, is_preflight),
            found => Ok(found),
        }
    }

    fn find_in<'a>(
        &self,
        sources: &[TokenSource],
        head: &Head<'a>,
        is_preflight: bool,
    ) -> Result<Option<Cow<'a, str>>, NotOneToken> {
        let max = self.settings.max_token_bytes;
        let find = |source: &TokenSource| source.find(head, is_preflight, max);
        let is_read_by_another = |source: &TokenSource| {
            let mut others = sources
                .iter()
                .filter(|other| other.shares_header_with(source));
            others.any(|other| matches!(find(other), Find::Token(_)))
        };
        let mut found: Option<Cow<'a, str>> = None;
        let mut is_beside_others = false;
        for source in sources {
            let token = match find(source) {
                Find::Nothing => continue,
                Find::Foreign => {
                    is_beside_others |= !is_read_by_another(source);
                    continue;
                }
                Find::Doubtful if is_read_by_another(source) => continue,
                Find::Doubtful => {
                    return Err(NotOneToken::Doubtful);
                }
                Find::Token(token) if token.len() <= max => token,
                Find::Token(token) => {
                    let bytes = token.len();
                    return Err(NotOneToken::Length { bytes, max });
                }
                Find::TooLong => {
                    return Err(NotOneToken::TooLong { max });
                }
                Find::Malformed => return Err(NotOneToken::Malformed),
                Find::Several => return Err(NotOneToken::Several),
            };
            match &found {
                Some(other) if *other != token => {
                    return Err(NotOneToken::Different);
                }
                _ => found = Some(token),
            }
        }
        // Another part of the service may go by the other credentials.
        if found.is_some() && is_beside_others {
            return Err(NotOneToken::BesideOthers);
        }
        Ok(found)
    }

    fn judge_request(&self, request: &CorsRequest<'_>) -> MaybeReady<Judged> {
        let RequestOrigin::Tuple(origin) = request.origin() else {
            return MaybeReady::ready(Verdict::from(DenialKind::OpaqueOrigin));
        };
        let head = request.head();
        let asked = Asked {
            origin,
            is_preflight: request.preflight().is_some(),
            has_cookies: self.verification.list.honours_star && head.headers.contains_key(COOKIE),
        };
        if let Some(verified) = self.find_verified(head) {
            return MaybeReady::ready(self.judge_verified(verified, asked, head));
        }
        match self.find(head, asked.is_preflight) {
            Ok(Some(token)) => {
                let request =
                    TokenRequest::new(head.method, head.uri, head.headers, head.extensions);
                self.judge_token(&token, &request, asked)
            }
            Ok(None) => MaybeReady::ready(Verdict::Abstain),
            Err(error) => {
                let denial = Denial::new(DenialKind::InvalidToken);
                let denial = denial.with_fix(error.to_string(), error.fix());
                MaybeReady::ready(Verdict::from(denial))
            }
        }
    }

    /// Judges by what an outer layer has verified; nothing is verified a second time.
    fn judge_verified(&self, verified: Verified, asked: Asked<'_>, head: &Head<'_>) -> Verdict {
        match verified {
            Verified::Token(token) => {
                let reading = self.verification.read(&token);
                let now = self.verification.now();
                let state = self.verification.state_of(&token, &reading, now);
                judge(&state, asked, &self.settings.rules, now)
            }
            Verified::Origins(VerifiedOrigins(set)) => {
                // The outer layer makes the set by rules of its own, which nobody has checked.
                let lists = UncheckedList {
                    insecure_origins: self.verification.list.entries.lets_http_in(),
                    public_suffixes: false,
                };
                let (is_listed, beside_strangers) = (
                    || set.contains(asked.origin),
                    || set.contains_beside_strangers(asked.origin),
                );
                let has_cookies = head.headers.contains_key(COOKIE);
                let listed = lists.judge(asked.origin, has_cookies, is_listed, beside_strangers);
                listed.unwrap_or_else(|| {
                    Denial::new(DenialKind::OriginNotAllowed)
                        .reason("the origins that an outer layer has verified do not have it")
                        .into()
                })
            }
        }
    }

    fn judge_token(
        &self,
        token: &str,
        request: &TokenRequest<'_>,
        asked: Asked<'_>,
    ) -> MaybeReady<Judged> {
        let verification = &self.verification;
        let Some(verifier) = &verification.verifier else {
            return MaybeReady::ready(Verdict::Abstain);
        };
        // Read once, so that the cache, the expiry and the grace are judged at the same moment.
        let now = verification.now();
        let verifying = match verification.verify_and_cache(&**verifier, token, request, now) {
            Ok(cached) => {
                let rules = &self.settings.rules;
                let judged = verification.judge(&cached, token, request, asked, rules, now);
                return MaybeReady::ready(judged);
            }
            Err(verifying) => verifying,
        };
        let (settings, verification) = (Arc::clone(&self.settings), Arc::clone(verification));
        let (token, request) = (Box::<str>::from(token), request.to_owned_request());
        let origin = asked.origin.clone();
        let Asked {
            is_preflight,
            has_cookies,
            ..
        } = asked;
        MaybeReady::new(async move {
            let cached = verifying.await;
            let now = verification.now();
            let asked = Asked {
                origin: &origin,
                is_preflight,
                has_cookies,
            };
            verification.judge(
                &cached,
                &token,
                &request.view(),
                asked,
                &settings.rules,
                now,
            )
        })
    }
}

impl TokenVerification {
    /// The verdict on a request with this token. What the request proves is checked only where the
    /// verdict depends on it: the layer forwards a denied request of the service's own page, and the
    /// service has to find its proof unused.
    fn judge(
        &self,
        cached: &CachedVerification,
        token: &str,
        request: &TokenRequest<'_>,
        asked: Asked<'_>,
        rules: &JudgementRules,
        now: SystemTime,
    ) -> Judged {
        let known = self.known_state(cached, now);
        let verdict = judge(&known, asked, rules, now);
        // A page may read that its token has expired only if it holds the token's key.
        let is_denied_anyway = matches!(&verdict, Verdict::Deny(denial) if !denial.is_readable());
        if is_denied_anyway {
            return leaving(verdict, &known);
        }
        match self.check_request(&known, token, request) {
            None => leaving(verdict, &known),
            Some(worse) => leaving(judge(&worse, asked, rules, now), &worse),
        }
    }
}

/// The verdict, and the token that is left for the inner service where the policy abstains.
fn leaving(verdict: Verdict, state: &TokenState<'_>) -> Judged {
    let left: Option<Arc<dyn Attachment>> = match (&verdict, state) {
        (Verdict::Abstain, TokenState::Good(token, _)) => Some(Arc::<VerifiedToken>::clone(token)),
        _ => None,
    };
    Judged { verdict, left }
}

impl OriginPolicy for TokenOrigins {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.judge_and_leave(request).into_verdict()
    }

    fn judge_and_leave(&self, request: &CorsRequest<'_>) -> JudgedFuture {
        JudgedFuture::Leaving(self.judge_request(request))
    }

    fn properties(&self) -> PolicyProperties {
        let sources = &self.settings.sources;
        let mut properties = PolicyProperties::new()
            .reads(sources.iter().flat_map(TokenSource::reads))
            .denied_requests(DeniedRequests::Refuse)
            .no_store();
        if sources.iter().any(TokenSource::reads_path) {
            properties = properties.secret_path();
        }
        if self.verification.list.honours_star {
            properties = properties.reads([COOKIE]).repeats_any_origin();
        }
        if self.settings.private_responses {
            properties = properties.private_responses();
        }
        properties
    }

    fn decider(&self, _: &CorsRequest<'_>) -> Decider {
        Decider::new("TokenOrigins").by(format!("the claim {}", self.settings.rules.claim))
    }
}
