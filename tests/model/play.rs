//! The real layer, made from the model's configuration, and its answers.

use std::{
    convert::Infallible,
    future::{Future, Ready, pending, poll_fn, ready},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use http::{HeaderName, HeaderValue, Method};
use tower::{Layer as _, Service};
use tower_cors::{
    Any, CorsLayer, CorsLayerBuilder, CorsRequest, Denial, DenialKind, DeniedRequests, Grant,
    OriginPolicy, OriginSet, VerdictFuture,
    lists::{AllowHeaders, AllowMethods, ConfigList, ExposeHeaders},
    policy::{BearerOr, PolicyProperties, Terms},
    preflight::{DenyPreflights, Optimistic},
    routes::MethodRule,
    token::{
        MissingClaim, TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{Claims, OriginsClaim},
        source::TokenSource,
        verify::{TokenRequest, VerifyError, VerifyFuture},
    },
    trusted::{
        entry::{Actor, OriginDraft, Scope, Status},
        store::{EmbeddedStore, OriginStore},
    },
};

use super::{
    config::{self, Answer, Config, Exchange, Form, Headers, Settings, Wait, Who},
    lists::Names,
    merge,
    policy::{Policy, Script, Verdict},
    registry::RegistryEntry,
    token::{Format, Token},
};

/// The layer, unless it has mistakes, which are told as a text.
pub fn build(config: &Config) -> Result<CorsLayer, String> {
    let built = match &config.form {
        Form::Layer(layer) => build_layer(layer)?,
        Form::ByMethod(rules) => {
            let mut table = CorsLayer::by_method();
            for rule in rules {
                let methods: Vec<Method> =
                    rule.methods.iter().map(|m| m.parse().unwrap()).collect();
                table = table.rule(methods, build_rule(rule)?);
            }
            table.build().map_err(|errors| errors.to_string())?
        }
    };
    if !config.reloaded {
        return Ok(built);
    }
    let (layer, handle) = CorsLayer::permissive().reloadable();
    handle.reload(built).unwrap();
    Ok(layer)
}

fn build_layer(layer: &config::Layer) -> Result<CorsLayer, String> {
    let builder = CorsLayer::builder();
    let builder = match &layer.policy {
        Policy::List(list) => builder.allow_origins(list.written()),
        Policy::Constant(origin) => builder.always_allow_origin([origin.as_str()]),
        policy => builder.origin_policy(build_policy(policy, layer.wait)?),
    };
    let builder = match layer.wait {
        Wait::Never => builder.verdict_timeout(Duration::from_secs(1), |_| ready(())),
        Wait::Ready | Wait::Yields => {
            builder.verdict_timeout(Duration::from_secs(1), |_| pending::<()>())
        }
    };
    configure(builder, &layer.settings)
        .build()
        .map_err(|errors| errors.to_string())
}

pub fn list(names: &Names) -> ConfigList {
    ConfigList::from(names.written())
}

fn denied(refuse: bool) -> DeniedRequests {
    if refuse {
        DeniedRequests::Refuse
    } else {
        DeniedRequests::Forward
    }
}

fn configure(mut builder: CorsLayerBuilder, settings: &Settings) -> CorsLayerBuilder {
    builder = builder
        .allow_credentials(settings.credentials)
        .allow_methods(list(&settings.methods))
        .allow_headers(list(&settings.headers))
        .expose_headers(list(&settings.expose))
        .preflight_status(settings.preflight_status.try_into().unwrap());
    if let Some(seconds) = settings.max_age {
        builder = builder.max_age(Duration::from_secs(seconds));
    }
    if let Some(refuse) = settings.refuse {
        builder = builder.denied_requests(denied(refuse));
    }
    if let Some(record) = settings.record {
        builder = builder.record_denials(record);
    }
    let dangerously = settings.dangerously;
    if dangerously.null {
        builder = builder.dangerously_allow_null_origin();
    }
    if dangerously.file {
        builder = builder.dangerously_allow_file_origin();
    }
    if dangerously.insecure {
        builder = builder.dangerously_allow_insecure_origins();
    }
    if dangerously.suffixes {
        builder = builder.dangerously_allow_public_suffixes();
    }
    builder
}

fn build_rule(rule: &config::MethodRule) -> Result<MethodRule, String> {
    let mut built = match &rule.who {
        Who::Nobody => MethodRule::none(),
        Who::Anybody => MethodRule::public_any_origin(),
        Who::Bearers => MethodRule::bearer_any_origin(),
        Who::Trusted(policy) => MethodRule::trusted_only(build_policy(policy, Wait::Ready)?),
        Who::TrustedOrBearers(policy) => {
            MethodRule::trusted_or_bearer(build_policy(policy, Wait::Ready)?)
        }
    };
    built = built
        .allow_credentials(rule.credentials)
        .allow_headers(list(&rule.headers))
        .expose_headers(list(&rule.expose));
    if let Some(seconds) = rule.max_age {
        built = built.max_age(Duration::from_secs(seconds));
    }
    if let Some(refuse) = rule.refuse {
        built = built.denied_requests(denied(refuse));
    }
    Ok(built)
}

type Dynamic = Arc<dyn OriginPolicy>;

fn build_policy(policy: &Policy, wait: Wait) -> Result<Dynamic, String> {
    let build = |policy: &Policy| build_policy(policy, wait);
    let built: Dynamic = match policy {
        Policy::Any => Arc::new(Any),
        Policy::Set(entries) => {
            Arc::new(OriginSet::parse(entries).map_err(|error| error.to_string())?)
        }
        Policy::Script(script) => Arc::new(Scripted(script.clone())),
        Policy::Token(token) => Arc::new(build_token(token)),
        Policy::Registry(entries) => Arc::new(build_registry(entries)?.origins().clone()),
        Policy::BearerOr(cookies) => Arc::new(BearerOr::new(build(cookies)?)),
        Policy::Fallback(first, second) => {
            return Ok(Arc::new(OriginPolicy::fallback(
                build(first)?,
                build(second)?,
            )));
        }
        Policy::WithPreflight(actual, preflight) => {
            return Ok(Arc::new(build(actual)?.with_preflight(build(preflight)?)));
        }
        Policy::Optimistic => Arc::new(Optimistic::new()),
        Policy::DenyPreflights => Arc::new(DenyPreflights),
        Policy::List(_) | Policy::Constant(_) | Policy::Nobody => panic!("no policy by itself"),
    };
    Ok(match wait {
        Wait::Ready => built,
        Wait::Yields | Wait::Never => Arc::new(Waiting {
            policy: built,
            wait,
        }),
    })
}

/// A policy that answers like another, but later or never.
#[derive(Debug)]
struct Waiting {
    policy: Dynamic,
    wait: Wait,
}

impl Waiting {
    fn later(&self, verdict: VerdictFuture) -> VerdictFuture {
        if self.wait == Wait::Never {
            return VerdictFuture::new(pending());
        }
        VerdictFuture::new(async move {
            let mut is_again = false;
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut is_again, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            verdict.await
        })
    }
}

impl OriginPolicy for Waiting {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.later(self.policy.judge(request))
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.later(self.policy.judge_preflight(request))
    }

    fn properties(&self) -> PolicyProperties {
        self.policy.properties()
    }
}

#[derive(Debug)]
struct Scripted(Script);

impl OriginPolicy for Scripted {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let text = request
            .single_header(&http::header::ORIGIN)
            .unwrap_or_default();
        let own = self.0.verdicts.iter().find(|(origin, _)| *origin == text);
        match own.map_or(&self.0.otherwise, |(_, verdict)| verdict) {
            Verdict::Abstain => VerdictFuture::ready(tower_cors::Verdict::Abstain),
            Verdict::Allow(grant) => build_grant(grant).into(),
            Verdict::Deny(denial) => {
                let kind = kind_of(denial.kind);
                let real = match (denial.readable, denial.credentials) {
                    (false, _) => Denial::new(kind),
                    (true, None) => Denial::new(kind).readable(),
                    (true, Some(credentials)) => Denial::new(kind).readable_with(credentials),
                };
                real.into()
            }
        }
    }

    fn properties(&self) -> PolicyProperties {
        let script = &self.0;
        let reads = script
            .reads
            .iter()
            .map(|name| name.parse::<HeaderName>().unwrap());
        let mut properties = PolicyProperties::new()
            .reads(reads)
            .denied_requests(denied(script.refuse));
        if script.grants_any_origin {
            properties = properties.grants_any_origin();
        }
        if script.no_store {
            properties = properties.no_store();
        }
        if script.private {
            properties = properties.private_responses();
        }
        properties
    }
}

fn build_grant(grant: &super::policy::Grant) -> Grant {
    let mut built = if grant.any_origin {
        Grant::any_origin()
    } else {
        Grant::new()
    };
    if let Some(credentials) = grant.credentials {
        built = built.allow_credentials(credentials);
    }
    if let Some(cap) = grant.max_age_cap {
        built = built.max_age_at_most(Duration::from_secs(cap));
    }
    let mut terms = Terms::new();
    if let Some(methods) = &grant.methods {
        terms = terms.methods(AllowMethods::list(list(methods)).unwrap());
    }
    if let Some(headers) = &grant.headers {
        terms = terms.headers(AllowHeaders::list(list(headers)).unwrap());
    }
    if let Some(expose) = &grant.expose {
        terms = terms.expose(ExposeHeaders::list(list(expose)).unwrap());
    }
    if grant.methods.is_some() || grant.headers.is_some() || grant.expose.is_some() {
        built = built.terms(terms);
    }
    built
}

fn kind_of(name: &str) -> DenialKind {
    match name {
        "OriginNotAllowed" => DenialKind::OriginNotAllowed,
        "Unavailable" => DenialKind::Unavailable,
        "ExpiredToken" => DenialKind::ExpiredToken,
        other => panic!("no script says {other}"),
    }
}

pub fn build_claim(format: Format) -> OriginsClaim {
    match format {
        Format::Delimited(delimiter) => OriginsClaim::delimited("ao", delimiter),
        Format::Array => OriginsClaim::array("ao"),
        Format::Single => OriginsClaim::single("ao"),
    }
}

fn build_token(token: &Token) -> TokenOrigins {
    let claims = match &token.claim {
        Some(claim) => serde_json::json!({"ao": claim}),
        None => serde_json::json!({}),
    };
    let claims = Claims::parse(claims.to_string().as_bytes()).unwrap();
    let missing = if token.abstains {
        MissingClaim::Abstain
    } else {
        MissingClaim::Deny
    };
    let mut builder = TokenOrigins::builder()
        .verifier(Verifier(claims))
        .source(TokenSource::bearer())
        .claim(build_claim(token.format))
        .missing_claim(missing);
    if token.private {
        builder = builder.private_responses();
    }
    builder.build().unwrap()
}

/// Knows tokens by their texts.
#[derive(Debug)]
struct Verifier(Claims);

impl TokenVerifier for Verifier {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        let verified = VerifiedToken::new(self.0.clone());
        let ago = |seconds| SystemTime::now() - Duration::from_secs(seconds);
        VerifyFuture::ready(match token {
            "good" => Ok(verified),
            "expired" => Err(VerifyError::Expired(verified.expires_at(ago(60)))),
            "lapsed" => Err(VerifyError::Expired(verified.expires_at(ago(86_400)))),
            "down" => Err(VerifyError::Unavailable("out of reach".into())),
            _ => Err(VerifyError::NotAuthentic("unknown")),
        })
    }
}

fn build_registry(entries: &[RegistryEntry]) -> Result<EmbeddedStore, String> {
    let store = EmbeddedStore::in_memory();
    for (i, entry) in entries.iter().enumerate() {
        let scopes = entry
            .scopes
            .iter()
            .map(|scope| scope.parse::<Scope>().unwrap());
        let scopes: tower_cors::trusted::entry::Scopes = scopes.collect();
        let status = if entry.is_active {
            Status::Active
        } else {
            Status::Inactive
        };
        let draft = OriginDraft::new(&format!("entry {i}"), &entry.pattern, scopes)
            .map(|draft| draft.dangerously_allow_insecure(entry.allows_insecure))
            .and_then(|draft| draft.credentials(entry.credentials))
            .map_err(|error| error.to_string())?
            .with_status(status);
        let created = now(store.create(draft, Actor::new("model").unwrap()));
        created.map_err(|error| error.to_string())?;
    }
    Ok(store)
}

/// Polls a future that needs no runtime.
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("the future is not ready");
}

/// The request as the layer gets it. `None` if no server would pass it on.
pub fn request(request: &config::Request) -> Option<http::Request<()>> {
    let mut built = http::Request::new(());
    *built.method_mut() = request.method.parse().ok()?;
    *built.uri_mut() = request.uri.parse().ok()?;
    *built.headers_mut() = headers(&request.headers)?;
    Some(built)
}

fn headers(lines: &Headers) -> Option<http::HeaderMap> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().ok()?;
        headers.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(headers)
}

/// What the layer answers; `None` where the exchange cannot exist.
pub fn answer(layer: &CorsLayer, exchange: &Exchange) -> Option<Answer> {
    let mut inner = http::Response::new("inner");
    *inner.status_mut() = exchange.inner.status.try_into().ok()?;
    *inner.headers_mut() = headers(&exchange.inner.headers)?;
    let calls = Arc::new(AtomicUsize::new(0));
    let spy = Spy {
        calls: Arc::clone(&calls),
        response: inner,
    };
    let request = request(&exchange.request)?;
    let Ok(response) = now(layer.layer(spy).call(request));
    let calls = calls.load(Ordering::SeqCst);
    assert!(calls <= 1, "the inner service is called at most once");
    assert_eq!(
        *response.body() == "inner",
        calls == 1,
        "the body is of whoever answers"
    );
    Some(Answer {
        status: response.status().as_u16(),
        is_called: calls == 1,
        headers: normalised(response.headers()),
        denial: response
            .extensions()
            .get::<Denial>()
            .map(|denial| format!("{:?}", denial.kind())),
    })
}

/// The headers, sorted. `Vary` and `Access-Control-Allow-Headers` are lists: how they are spread
/// over lines, and the order of the latter, mean nothing.
fn normalised(map: &http::HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for name in map.keys() {
        let lines: Vec<&[u8]> = map
            .get_all(name)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        let one = match name.as_str() {
            "vary" => Some(merge::vary_elements(&lines)).filter(|elements| !elements.is_empty()),
            "access-control-allow-headers" if lines.len() == 1 => {
                let mut names = merge::vary_elements(&lines);
                names.sort();
                names.dedup();
                Some(names)
            }
            _ => None,
        };
        match one {
            Some(elements) => headers.push((name.to_string(), elements.join(",").into_bytes())),
            None if name == "vary" => {}
            None => headers.extend(lines.iter().map(|line| (name.to_string(), line.to_vec()))),
        }
    }
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    headers
}

#[derive(Clone)]
struct Spy {
    calls: Arc<AtomicUsize>,
    response: http::Response<&'static str>,
}

impl Service<http::Request<()>> for Spy {
    type Response = http::Response<&'static str>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<()>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(self.response.clone()))
    }
}
