use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{
    HeaderName,
    header::{COOKIE, ORIGIN},
};

use super::{
    OriginsClaim, TokenOriginsBuilder, TokenSource, TokenVerifier, VerifiedOrigins, VerifiedToken,
    VerifyError, VerifyResult,
    cache::{Finding, Known, TokenCache},
    origins_claim::{ListRules, Named, Reading},
    source::{Find, Verified},
};
use crate::{
    origin::{Origin, RequestOrigin},
    policy::{
        Denial, DenialKind, Grant, OriginPolicy, PolicyProperties, Verdict, VerdictFuture,
        union_of_names,
    },
    request::CorsRequest,
    rules::DeniedRequests,
};

/// Allows the origins that a verified token lists.
///
/// The list is a promise that the issuer gave, so that refused requests do not reach the service
/// ([`DeniedRequests::Refuse`]).
///
/// | the request has | verdict |
/// |---|---|
/// | no token | abstains: see [`fallback`](crate::PolicyExt::fallback) |
/// | a token that lists the origin | allowed; the [`VerifiedToken`] is left in the request's extensions, as an `Arc` |
/// | one that does not | denied, 403 |
/// | one that is malformed, forged, for others, revoked, not yet valid | denied, 401 |
/// | one that has expired, and lists the origin | denied, 401, which the page may read for a while |
/// | different tokens in two places, or one beside other credentials in our scheme | denied, 401 |
/// | a token, while nobody can verify it | denied, 503 |
/// | the origin `null` | denied, 403, whatever the token lists |
///
/// A request without an `Origin` is not judged: it does not come from a page of another origin.
///
/// What an outer layer has verified goes before all tokens: nothing is verified twice, and the
/// service behind uses what was judged.
///
/// A **preflight** carries the URL of the request to come, and no headers of it. So a token in the
/// URL is judged there as in the request itself; where tokens come in headers, name a policy that
/// answers preflights, with [`with_preflight`](crate::PolicyExt::with_preflight), or they are all
/// refused. A token in the URL that is not good refuses its preflight, and what another policy says
/// of the origin neither lets it pass nor makes the refusal readable: the request would be refused
/// all the same, and nobody should learn why.
///
/// ```
/// # use http::{Request, Response};
/// # use tower::{Layer, ServiceExt, service_fn};
/// use tower_cors::{
///     CorsLayer,
///     token::{
///         Claims, OriginsClaim, TokenOrigins, TokenSource, TokenVerifier, VerifiedToken,
///         VerifyError, VerifyFuture,
///     },
/// };
///
/// /// Knows one token. Yours asks its issuer, or is a `JwtVerifier`.
/// #[derive(Debug)]
/// struct Issuer;
///
/// impl TokenVerifier for Issuer {
///     fn verify(&self, token: &str) -> VerifyFuture {
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
    sources: Vec<TokenSource>,
    varies_on: Vec<HeaderName>,
    pub(super) settings: Arc<Settings>,
}

/// What a token is worth that was good when it was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    Expired,
    Revoked,
}

/// What is needed once a token is found.
#[derive(Debug)]
pub(super) struct Settings {
    /// Nobody, where an outer layer verifies.
    pub(super) verifier: Option<Arc<dyn TokenVerifier>>,
    pub(super) claim: Option<OriginsClaim>,
    pub(super) list: ListRules,
    pub(super) missing_claim: MissingClaim,
    pub(super) max_token_len: usize,
    pub(super) grace: Duration,
    pub(super) private_responses: bool,
    pub(super) cache: TokenCache,
}

/// What a token without a list of origins means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingClaim {
    /// It lists nobody.
    #[default]
    Deny,
    /// It says nothing of origins: the next policy decides.
    Abstain,
}

impl TokenOrigins {
    /// Starts a configuration.
    pub fn builder() -> TokenOriginsBuilder {
        TokenOriginsBuilder::default()
    }

    pub(super) fn new(sources: Vec<TokenSource>, settings: Settings) -> Self {
        let mut varies_on = vec![ORIGIN];
        for source in &sources {
            varies_on = union_of_names(&varies_on, &source.varies_on());
        }
        if settings.list.honours_star {
            varies_on = union_of_names(&varies_on, &[COOKIE]);
        }
        Self {
            sources,
            varies_on,
            settings: Arc::new(settings),
        }
    }

    /// Forgets what the policy knows of tokens, for all of its clones: the verifier is asked again
    /// about each that comes. What the verifier itself remembers is its own matter: see
    /// [`IntrospectionVerifier::forget`](crate::token::IntrospectionVerifier::forget), after which
    /// this need not be called.
    pub fn clear_cache(&self) {
        self.settings.cache.clear();
    }

    /// What an outer layer has verified.
    pub(super) fn find_verified(&self, request: &CorsRequest<'_>) -> Option<Verified> {
        self.sources
            .iter()
            .find_map(|source| source.find_verified(request))
    }

    /// The one token of the request.
    pub(super) fn find<'a>(
        &self,
        request: &CorsRequest<'a>,
    ) -> Result<Option<Cow<'a, str>>, Denial> {
        let max_len = self.settings.max_token_len;
        let mut found: Option<Cow<'a, str>> = None;
        let mut is_beside_others = false;
        for source in &self.sources {
            let token = match source.find(request, max_len) {
                Find::Nothing => continue,
                Find::Foreign => {
                    is_beside_others |= !self.is_read_otherwise(source, request);
                    continue;
                }
                Find::Token(token) => token,
                Find::Malformed => return Err(invalid("there is no token where one should be")),
                Find::Several => return Err(invalid("there are several tokens in one place")),
                Find::TooLong => return Err(invalid("it is too long")),
            };
            if token.len() > max_len {
                return Err(invalid("it is too long"));
            }
            match &found {
                Some(other) if *other != token => {
                    return Err(invalid("there are different tokens in two places"));
                }
                _ => found = Some(token),
            }
        }
        // Or one part of the service would go by this, and another by that.
        if found.is_some() && is_beside_others {
            return Err(invalid(
                "there is a token beside credentials of another kind",
            ));
        }
        Ok(found)
    }

    /// Whether another source finds its token in the header where this one finds none.
    fn is_read_otherwise(&self, source: &TokenSource, request: &CorsRequest<'_>) -> bool {
        let max_len = self.settings.max_token_len;
        self.sources.iter().any(|other| {
            other.shares_header_with(source)
                && matches!(other.find(request, max_len), Find::Token(_))
        })
    }
}

impl OriginPolicy for TokenOrigins {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let RequestOrigin::Tuple(origin) = request.origin() else {
            return VerdictFuture::ready(Denial::new(DenialKind::OpaqueOrigin));
        };
        let asked = Asked {
            origin,
            is_preflight: request.preflight().is_some(),
            has_cookies: self.settings.list.honours_star && request.headers().contains_key(COOKIE),
        };
        if let Some(verified) = self.find_verified(request) {
            return VerdictFuture::ready(self.settings.judge_verified(verified, asked));
        }
        match self.find(request) {
            Ok(Some(token)) => self.settings.judge_token(&token, asked),
            Ok(None) => VerdictFuture::ready(Verdict::Abstain),
            Err(denial) => VerdictFuture::ready(denial),
        }
    }

    fn varies_on(&self) -> &[HeaderName] {
        &self.varies_on
    }

    fn properties(&self) -> PolicyProperties {
        let mut properties = PolicyProperties::new()
            .denied_requests(DeniedRequests::Refuse)
            .no_store();
        if self.sources.iter().any(TokenSource::reads_path) {
            properties = properties.secret_path();
        }
        if self.settings.list.honours_star {
            properties = properties.repeats_any_origin();
        }
        if self.settings.private_responses {
            properties = properties.private_responses();
        }
        properties
    }
}

/// Who asks, and for what.
#[derive(Clone, Copy)]
struct Asked<'a> {
    origin: &'a Origin,
    is_preflight: bool,
    /// Looked for only where it matters.
    has_cookies: bool,
}

impl Asked<'_> {
    /// How the list lets the origin in. A page that sends cookies needs an entry of its own: any
    /// page could send them.
    fn is_named_in(self, reading: &Reading) -> Option<Named> {
        match reading.names(self.origin) {
            Some(Named::ByStar) if self.has_cookies => None,
            other => other,
        }
    }
}

impl Settings {
    fn judge_token(self: &Arc<Self>, token: &str, asked: Asked<'_>) -> VerdictFuture {
        let Some(verifier) = &self.verifier else {
            return VerdictFuture::ready(Verdict::Abstain);
        };
        let now = SystemTime::now();
        match self.find_out(&**verifier, token, now) {
            Ok(known) => VerdictFuture::ready(self.judge_known(&known, asked, now)),
            Err(finding_out) => {
                let settings = Arc::clone(self);
                let origin = asked.origin.clone();
                let (is_preflight, has_cookies) = (asked.is_preflight, asked.has_cookies);
                VerdictFuture::new(async move {
                    let known = finding_out.await;
                    let asked = Asked {
                        origin: &origin,
                        is_preflight,
                        has_cookies,
                    };
                    settings.judge_known(&known, asked, SystemTime::now())
                })
            }
        }
    }

    /// What is known of the token; what has to be waited for does nothing until it is polled.
    #[expect(
        clippy::result_large_err,
        reason = "the future is boxed or awaited at once"
    )]
    pub(super) fn find_out(
        self: &Arc<Self>,
        verifier: &dyn TokenVerifier,
        token: &str,
        now: SystemTime,
    ) -> Result<Arc<Known>, impl Future<Output = Arc<Known>> + Send + use<>> {
        // Before the verification, so that what changes meanwhile makes its result stale.
        let epoch = verifier.epoch();
        let key = self.cache.key(token);
        if let Some(known) = self.cache.get(key, epoch, now) {
            return Ok(known);
        }
        match verifier.verify(token).into_ready() {
            Ok(result) => {
                let known = Arc::new(self.learn(result, epoch));
                self.cache.insert(key, &known);
                Ok(known)
            }
            Err(verification) => {
                let settings = Arc::clone(self);
                Err(async move {
                    let find_out = async { settings.learn(verification.await, epoch) };
                    settings.cache.get_or_find_out(key, epoch, find_out).await
                })
            }
        }
    }

    /// What is to be remembered of a verification.
    fn learn(&self, result: VerifyResult, epoch: u64) -> Known {
        let finding = match result {
            Ok(token) => {
                let reading = self.read(&token);
                Finding::Good(Arc::new(token), reading)
            }
            Err(VerifyError::Expired(token)) => {
                let reading = self.read(&token);
                Finding::Expired(Arc::new(token), reading)
            }
            Err(error) => Finding::Refused(error),
        };
        Known::new(finding, epoch, SystemTime::now(), self.cache.limits())
    }

    fn read(&self, token: &VerifiedToken) -> Reading {
        match &self.claim {
            Some(claim) => claim.read(token.claims(), &self.list),
            None => Reading::Missing,
        }
    }

    fn judge_known(&self, known: &Known, asked: Asked<'_>, now: SystemTime) -> Verdict {
        match &known.finding {
            Finding::Good(token, reading) => self.judge_authentic(token, reading, asked, now),
            Finding::Expired(token, _) if self.is_revoked(token) => {
                invalid(VerifyError::Revoked.to_string()).into()
            }
            Finding::Expired(token, reading) => self.judge_by_expired(token, reading, asked, now),
            Finding::Refused(VerifyError::Unavailable(reason)) => {
                Denial::new(DenialKind::Unavailable).reason(*reason).into()
            }
            Finding::Refused(error) => invalid(error.to_string()).into(),
        }
    }

    /// What has become of a token that was good when it was verified, by whomever: it may have
    /// been revoked since, and time goes on.
    pub(super) fn standing(&self, token: &VerifiedToken, now: SystemTime) -> Standing {
        match (self.is_revoked(token), token.is_good_at(now)) {
            (true, _) => Standing::Revoked,
            (false, true) => Standing::Good,
            (false, false) => Standing::Expired,
        }
    }

    pub(super) fn is_revoked(&self, token: &VerifiedToken) -> bool {
        let verifier = self.verifier.as_ref();
        verifier.is_some_and(|verifier| verifier.is_revoked(token))
    }

    /// Nothing is verified a second time.
    fn judge_verified(&self, verified: Verified, asked: Asked<'_>) -> Verdict {
        match verified {
            Verified::Token(token) => {
                let reading = self.read(&token);
                self.judge_authentic(&token, &reading, asked, SystemTime::now())
            }
            Verified::Origins(VerifiedOrigins(set)) if set.contains(asked.origin) => {
                Grant::new().into()
            }
            Verified::Origins(_) => not_listed(0).into(),
        }
    }

    fn judge_authentic(
        &self,
        token: &Arc<VerifiedToken>,
        reading: &Reading,
        asked: Asked<'_>,
        now: SystemTime,
    ) -> Verdict {
        match self.standing(token, now) {
            Standing::Good => self.judge_by(token, reading, asked, now),
            Standing::Expired => self.judge_by_expired(token, reading, asked, now),
            Standing::Revoked => invalid(VerifyError::Revoked.to_string()).into(),
        }
    }

    fn judge_by(
        &self,
        token: &Arc<VerifiedToken>,
        reading: &Reading,
        asked: Asked<'_>,
        now: SystemTime,
    ) -> Verdict {
        let grant = || grant_until(token.expiry(), asked, now).attach(Arc::clone(token));
        match (asked.is_named_in(reading), reading) {
            (Some(Named::Itself), _) => grant().into(),
            (Some(Named::ByStar), _) => grant().credentials(false).into(),
            (None, Reading::Listed(list)) => not_listed(list.skipped()).into(),
            (None, Reading::Unreadable(error)) => invalid(error.to_string()).into(),
            (None, Reading::Missing) => match self.missing_claim {
                MissingClaim::Abstain => Verdict::Abstain,
                MissingClaim::Deny => not_listed(0).into(),
            },
        }
    }

    /// A page that the token lists may read that its time is over: after a preflight, if there
    /// has to be one.
    fn judge_by_expired(
        &self,
        token: &VerifiedToken,
        reading: &Reading,
        asked: Asked<'_>,
        now: SystemTime,
    ) -> Verdict {
        let denial = Denial::new(DenialKind::ExpiredToken);
        let age = token
            .good_until()
            .and_then(|end| now.duration_since(end).ok());
        let named = asked.is_named_in(reading);
        let is_recent = age.is_some_and(|age| age <= self.grace);
        let Some(named) = named.filter(|_| is_recent) else {
            return denial.into();
        };
        match (asked.is_preflight, named) {
            (true, Named::Itself) => Grant::new().max_age_at_most(Duration::ZERO).into(),
            (true, Named::ByStar) => {
                let grant = Grant::new().credentials(false);
                grant.max_age_at_most(Duration::ZERO).into()
            }
            (false, Named::Itself) => denial.readable().into(),
            (false, Named::ByStar) => denial.readable().credentials(false).into(),
        }
    }
}

/// No browser is to keep the answer to a preflight for longer than the token is good.
fn grant_until(expiry: Option<SystemTime>, asked: Asked<'_>, now: SystemTime) -> Grant {
    match expiry {
        Some(expiry) if asked.is_preflight => {
            let left = expiry.duration_since(now);
            Grant::new().max_age_at_most(left.unwrap_or(Duration::ZERO))
        }
        _ => Grant::new(),
    }
}

fn invalid(reason: impl Into<Box<str>>) -> Denial {
    Denial::new(DenialKind::InvalidToken).reason(reason)
}

fn not_listed(skipped: usize) -> Denial {
    let denial = Denial::new(DenialKind::OriginNotAllowed);
    match skipped {
        0 => denial.reason("the token does not list it"),
        skipped => denial.reason(format!(
            "the token does not list it; {skipped} entries of its list are no origins, or none \
             that may be listed"
        )),
    }
}
