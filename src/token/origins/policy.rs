use std::{borrow::Cow, sync::Arc};

use http::{HeaderName, header::COOKIE};

use super::judgement::{Asked, Settings, invalid};
use crate::{
    origin::RequestOrigin,
    policy::{
        Denial, DenialKind, DeniedRequests, OriginPolicy, PolicyProperties, Verdict, VerdictFuture,
    },
    request::CorsRequest,
    token::{
        source::{Find, TokenSource, Verified},
        verify::TokenRequest,
    },
};

/// Allows the origins that a verified token lists.
///
/// The list is a promise that the issuer gave, so that refused requests do not reach the service
/// ([`DeniedRequests::Refuse`]).
///
/// | the request has | verdict |
/// |---|---|
/// | no token | abstains: see [`fallback`](crate::OriginPolicy::fallback) |
/// | a token that lists the origin | allowed; the [`VerifiedToken`](crate::token::VerifiedToken) is left in the request's extensions, as an `Arc` |
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
/// answers preflights, with [`with_preflight`](crate::OriginPolicy::with_preflight), or they are all
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
    sources: Vec<TokenSource>,
    reads: Vec<HeaderName>,
    pub(crate) settings: Arc<Settings>,
}

impl TokenOrigins {
    pub(crate) fn new(sources: Vec<TokenSource>, settings: Settings) -> Self {
        let mut reads = Vec::new();
        for source in &sources {
            reads.extend(source.reads());
        }
        if settings.list.honours_star {
            reads.push(COOKIE);
        }
        Self {
            sources,
            reads,
            settings: Arc::new(settings),
        }
    }

    /// Forgets what the policy knows of tokens, for all of its clones: the verifier is asked again
    /// about each that comes. What the verifier itself remembers is its own matter: see
    /// [`IntrospectionVerifier::forget`](crate::token::verify::introspection::IntrospectionVerifier::forget), after which
    /// this need not be called.
    pub fn clear_cache(&self) {
        self.settings.cache.clear();
    }

    /// What an outer layer has verified.
    pub(crate) fn find_verified(&self, request: &CorsRequest<'_>) -> Option<Verified> {
        self.sources
            .iter()
            .find_map(|source| source.find_verified(request))
    }

    /// The one token of the request.
    pub(crate) fn find<'a>(
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
            Ok(Some(token)) => {
                let request = TokenRequest::new(
                    request.method(),
                    request.uri(),
                    request.headers(),
                    request.extensions(),
                );
                self.settings.judge_token(&token, &request, asked)
            }
            Ok(None) => VerdictFuture::ready(Verdict::Abstain),
            Err(denial) => VerdictFuture::ready(denial),
        }
    }

    fn properties(&self) -> PolicyProperties {
        let mut properties = PolicyProperties::new()
            .reads(self.reads.iter().cloned())
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
