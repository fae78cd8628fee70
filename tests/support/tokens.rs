//! What the tests of tokens share: keys, an issuer, and a service that is spied on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{
    CorsLayer, Denial, OriginPolicy,
    token::{
        TokenVerifier, VerifiedToken,
        verify::{
            TokenRequest, VerifyError, VerifyFuture, VerifyResult,
            jwt::{JwtAlgorithm, JwtKey, JwtVerifier},
        },
    },
};

pub(crate) const RSA: &[u8] = include_bytes!("../data/rsa.pem");
pub(crate) const RSA_PUBLIC: &[u8] = include_bytes!("../data/rsa.pub.pem");
pub(crate) const OTHER_RSA: &[u8] = include_bytes!("../data/other_rsa.pem");
pub(crate) const OTHER_RSA_PUBLIC: &[u8] = include_bytes!("../data/other_rsa.pub.pem");
pub(crate) const THUMBPRINT: &str = "NSI_kW85rqLLCtU15uigCh1NV_c";

pub(crate) const CONTOSO: &str = "https://contoso.com";
pub(crate) const LITWARE: &str = "https://litware.com";
pub(crate) const EVIL: &str = "https://evil.example";
pub(crate) const LIST: &str = "https://contoso.com;https://litware.com";

/// The key of the issuer, under both names.
pub(crate) fn key() -> JwtKey {
    JwtKey::from_pem(RSA_PUBLIC, JwtAlgorithm::Rs256)
        .unwrap()
        .kid("key-1")
        .x5t(THUMBPRINT)
}

pub(crate) fn verifier() -> JwtVerifier {
    JwtVerifier::builder()
        .key(key())
        .dangerously_any_audience()
        .build()
        .unwrap()
}

pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs()
}

/// The header of the documents' token: no `kid`, the thumbprint instead.
pub(crate) fn header() -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.x5t = Some(THUMBPRINT.to_owned());
    header
}

pub(crate) fn claims(list: impl Into<Value>) -> Value {
    json!({
        "nbf": now() - 10,
        "exp": now() + 3600,
        "asi": "session-1",
        "ao": list.into(),
    })
}

pub(crate) fn sign(header: &Header, claims: &Value, pem: &[u8]) -> String {
    let key = EncodingKey::from_rsa_pem(pem).unwrap();
    jsonwebtoken::encode(header, claims, &key).unwrap()
}

/// A good token that lists the origins.
pub(crate) fn token(list: &str) -> String {
    sign(&header(), &claims(list), RSA)
}

/// A layered service that counts how often the inner one is called.
pub(crate) struct Spied {
    layer: CorsLayer,
    calls: Arc<AtomicUsize>,
}

/// A service that pages may post to, with a token.
pub(crate) fn service(policy: impl OriginPolicy) -> Spied {
    let layer = CorsLayer::builder()
        .origin_policy(policy)
        .allow_methods([Method::POST])
        .allow_headers([header::AUTHORIZATION])
        .build()
        .unwrap();
    Spied::new(layer)
}

/// What a client gets, and what happened on the way.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) denial: Option<Denial>,
    pub(crate) inner_calls: usize,
    /// The session that the inner service finds in the token that the policy has left.
    pub(crate) session: Option<String>,
    pub(crate) body: &'static str,
}

impl Spied {
    pub(crate) fn new(layer: CorsLayer) -> Self {
        Self {
            layer,
            calls: Arc::default(),
        }
    }

    pub(crate) async fn send(&self, request: http::request::Builder) -> Outcome {
        self.calls.store(0, Ordering::SeqCst);
        let calls = Arc::clone(&self.calls);
        let inner = service_fn(move |request: Request<()>| {
            calls.fetch_add(1, Ordering::SeqCst);
            let token = request.extensions().get::<Arc<VerifiedToken>>();
            let session = token.and_then(|token| token.claims().get("asi"));
            let session = session
                .and_then(|session| session.as_str())
                .map(str::to_owned);
            let mut response = Response::new("inner");
            response.extensions_mut().insert(session);
            async move { Ok::<_, std::convert::Infallible>(response) }
        });
        let service = self.layer.layer(inner);
        let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        Outcome {
            status: parts.status,
            headers: parts.headers,
            denial: parts.extensions.get::<Denial>().cloned(),
            inner_calls: self.calls.load(Ordering::SeqCst),
            session: parts.extensions.get::<Option<String>>().cloned().flatten(),
            body,
        }
    }
}

impl Outcome {
    pub(crate) fn allowed_origin(&self) -> Option<&str> {
        let value = self.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN)?;
        Some(value.to_str().unwrap())
    }

    /// Every header, sorted.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line =
            |(name, value): (_, &http::HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
        let mut lines: Vec<String> = self.headers.iter().map(line).collect();
        lines.sort();
        lines
    }
}

pub(crate) fn get(uri: &str, origin: &str) -> http::request::Builder {
    Request::builder()
        .method(Method::GET)
        .uri(uri)
        .header(header::HOST, "api.example")
        .header(header::ORIGIN, origin)
}

pub(crate) fn bearer(origin: &str, credentials: &str) -> http::request::Builder {
    get("/api", origin).header(header::AUTHORIZATION, format!("Bearer {credentials}"))
}

pub(crate) fn preflight(uri: &str, origin: &str) -> http::request::Builder {
    Request::builder()
        .method(Method::OPTIONS)
        .uri(uri)
        .header(header::HOST, "api.example")
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization")
}

/// Lets every verification be waited for.
#[derive(Debug)]
pub(crate) struct Slow<V>(pub(crate) V);

impl<V: TokenVerifier> TokenVerifier for Slow<V> {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        let result = self.0.verify(token, request);
        VerifyFuture::new(async move {
            tokio::task::yield_now().await;
            result.await
        })
    }

    fn check_request(
        &self,
        token: &str,
        verified: &VerifiedToken,
        request: &TokenRequest<'_>,
    ) -> Result<(), VerifyError> {
        self.0.check_request(token, verified, request)
    }
}

/// Counts verifications, and says what it is told to.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    pub(crate) result: Arc<dyn Script>,
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) epoch: Arc<AtomicUsize>,
}

pub(crate) trait Script: Send + Sync {
    fn result(&self, token: &str) -> VerifyResult;
}

impl<F: Fn(&str) -> VerifyResult + Send + Sync> Script for F {
    fn result(&self, token: &str) -> VerifyResult {
        self(token)
    }
}

impl std::fmt::Debug for dyn Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

impl Scripted {
    pub(crate) fn new(result: impl Fn(&str) -> VerifyResult + Send + Sync + 'static) -> Self {
        Self {
            result: Arc::new(result),
            calls: Arc::default(),
            epoch: Arc::default(),
        }
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl TokenVerifier for Scripted {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        self.calls.fetch_add(1, Ordering::SeqCst);
        VerifyFuture::ready(self.result.result(token))
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst) as u64
    }
}

/// A token whose parts are these very texts, with a right signature.
pub(crate) fn sign_raw(header: &str, payload: &str, pem: &[u8]) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", part(header), part(payload));
    let key = EncodingKey::from_rsa_pem(pem).unwrap();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::RS256);
    format!("{message}.{}", signature.unwrap())
}
