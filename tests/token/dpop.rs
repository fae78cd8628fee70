//! Tokens that are bound to a key of the page.

use std::{convert::Infallible, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, Response, StatusCode, header};
use jsonwebtoken::{Algorithm, EncodingKey, crypto, jwk::Jwk};
use serde_json::{Value, json};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_cors::{
    CorsLayer, OriginPolicy, OriginSet,
    revocation::Revocations,
    token::{
        MissingClaim, TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{Claims, OriginsClaim},
        issue::Revocable,
        source::TokenSource,
        verify::{
            TokenRequest, VerifyError,
            dpop::{Dpop, DpopConfigError},
        },
    },
};

use crate::support::{
    issuer::TestClock,
    tokens::{self, *},
};

const P256: &[u8] = include_bytes!("../data/p-256.pem");
const ED: &[u8] = include_bytes!("../data/ed25519.pem");

/// A key of a page, which makes proofs.
struct Page {
    key: EncodingKey,
    algorithm: Algorithm,
}

impl Page {
    fn p256() -> Self {
        let key = EncodingKey::from_ec_pem(P256).unwrap();
        Self {
            key,
            algorithm: Algorithm::ES256,
        }
    }

    fn ed25519() -> Self {
        let key = EncodingKey::from_ed_pem(ED).unwrap();
        Self {
            key,
            algorithm: Algorithm::EdDSA,
        }
    }

    fn rsa() -> Self {
        let key = EncodingKey::from_rsa_pem(OTHER_RSA).unwrap();
        Self {
            key,
            algorithm: Algorithm::RS256,
        }
    }

    fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk.as_object_mut().unwrap().remove("alg");
        jwk
    }

    fn thumbprint(&self) -> String {
        let jwk: Jwk = serde_json::from_value(self.jwk()).unwrap();
        jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256)
            .unwrap()
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    fn header(&self) -> Value {
        json!({"typ": "dpop+jwt", "alg": format!("{:?}", self.algorithm), "jwk": self.jwk()})
    }

    fn token(&self) -> String {
        let mut claims = tokens::claims(LIST);
        claims["cnf"] = json!({"jkt": self.thumbprint()});
        sign(&tokens::header(), &claims, RSA)
    }
}

fn claims(token: &str, jti: &str, clock: &TestClock) -> Value {
    use sha2::Digest;
    json!({
        "jti": jti,
        "htm": "GET",
        "htu": "https://api.example/v1/orders",
        "iat": clock.unix(),
        "ath": URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(token)),
    })
}

fn service(clock: &TestClock) -> Spied {
    service_of(
        Dpop::builder(verifier())
            .public_url("https://api.example/v1/")
            .clock(clock.clone())
            .build()
            .unwrap(),
    )
}

fn service_of(verifier: impl TokenVerifier) -> Spied {
    let policy = policy_of(verifier, MissingClaim::Deny);
    Spied::new(CorsLayer::builder().origin_policy(policy).build().unwrap())
}

fn policy_of(verifier: impl TokenVerifier, missing_claim: MissingClaim) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier)
        .source(TokenSource::header(header::AUTHORIZATION).scheme("DPoP"))
        .source(TokenSource::query("token"))
        .claim(OriginsClaim::delimited("ao", ';'))
        .missing_claim(missing_claim)
        .build()
        .unwrap()
}

fn request(token: &str, proof: &str) -> http::request::Builder {
    get("/orders?page=2", CONTOSO)
        .header(header::AUTHORIZATION, format!("DPoP {token}"))
        .header("dpop", proof)
}

async fn refusal(service: &Spied, request: http::request::Builder) -> Option<String> {
    let outcome = service.send(request).await;
    if outcome.status == StatusCode::OK {
        return None;
    }
    assert_eq!(
        (outcome.status, outcome.inner_calls),
        (StatusCode::UNAUTHORIZED, 0)
    );
    Some(outcome.denial.unwrap().to_string())
}

#[tokio::test]
async fn a_proof_is_good_once() {
    let clock = TestClock::new();
    for page in [Page::p256(), Page::ed25519(), Page::rsa()] {
        let service = service(&clock);
        let token = page.token();
        let first = page.sign(&page.header(), &claims(&token, "1", &clock));
        assert_eq!(refusal(&service, request(&token, &first)).await, None);
        let again = refusal(&service, request(&token, &first)).await.unwrap();
        assert!(again.contains("used before"), "{again}");
        assert!(again.contains(": send a new proof, made for this request"));
        // Each request with the remembered token has a proof of its own.
        let second = page.sign(&page.header(), &claims(&token, "2", &clock));
        assert_eq!(refusal(&service, request(&token, &second)).await, None);
        clock.advance(59);
        assert!(refusal(&service, request(&token, &second)).await.is_some());
        clock.advance(1);
        let old = refusal(&service, request(&token, &second)).await.unwrap();
        assert!(old.contains("too old"), "{old}");
    }
}

/// A proof from a clock that is ahead can be used for longer, and is remembered for longer.
#[tokio::test]
async fn a_proof_from_a_clock_that_is_ahead_is_good_once() {
    let clock = TestClock::new();
    let service = service(&clock);
    let page = Page::p256();
    let token = page.token();
    let proof = |jti: &str| page.sign(&page.header(), &claims(&token, jti, &clock));
    let first = refusal(&service, request(&token, &proof("first"))).await;
    assert_eq!(first, None);
    clock.advance(54);
    let mut claims = claims(&token, "ahead", &clock);
    claims["iat"] = json!(clock.unix() + 5);
    let ahead = page.sign(&page.header(), &claims);
    assert_eq!(refusal(&service, request(&token, &ahead)).await, None);
    // Other proofs come meanwhile, when what is remembered could be forgotten.
    for seconds in [1, 55, 8] {
        clock.advance(seconds);
        let other = proof(&clock.unix().to_string());
        assert_eq!(refusal(&service, request(&token, &other)).await, None);
        let again = refusal(&service, request(&token, &ahead)).await.unwrap();
        assert!(again.contains("used before"), "{again}");
    }
    clock.advance(1);
    let old = refusal(&service, request(&token, &ahead)).await.unwrap();
    assert!(old.contains("too old"), "{old}");
}

#[tokio::test]
async fn a_proof_is_for_this_token_key_method_and_url() {
    let clock = TestClock::new();
    let service = service(&clock);
    let (page, thief) = (Page::p256(), Page::ed25519());
    let token = page.token();
    let good = claims(&token, "1", &clock);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        page.sign(&page.header(), &claims)
    };
    let with_header = |name: &str, value: Value| {
        let mut header = page.header();
        header[name] = value;
        page.sign(&header, &good)
    };
    let private = {
        let mut jwk = page.jwk();
        jwk["d"] = "AAAA".into();
        jwk
    };
    for (proof, expected) in [
        (thief.sign(&thief.header(), &good), "another key"),
        (with_header("jwk", thief.jwk()), "jwk"),
        (with_header("jwk", private), "jwk"),
        (with_header("jwk", Value::Null), "jwk"),
        (
            with_header("jwk", json!({"kty": "oct", "k": "AAAA"})),
            "jwk",
        ),
        (with_header("alg", json!("none")), "signed JWT"),
        (with_header("alg", json!("HS256")), "jwk"),
        (with_header("typ", json!("JWT")), "typ"),
        (with_header("crit", json!(["b64"])), "signed JWT"),
        (with("ath", json!("AAAA")), "ath"),
        (with("ath", Value::Null), "ath"),
        (with("htm", json!("POST")), "htm"),
        (with("htm", json!("get")), "htm"),
        (with("htu", json!("https://api.example/v1/others")), "htu"),
        (with("htu", json!("https://api.example/orders")), "htu"),
        (with("htu", json!("http://api.example/v1/orders")), "htu"),
        (
            with("htu", json!("https://api.example:8443/v1/orders")),
            "htu",
        ),
        (with("htu", json!("https://evil.example/v1/orders")), "htu"),
        (with("htu", json!("/v1/orders")), "htu"),
        (with("iat", json!(clock.unix() + 6)), "future"),
        (with("iat", json!(clock.unix() - 60)), "old"),
        (with("iat", Value::Null), "iat"),
        (with("iat", json!("now")), "iat"),
        (with("jti", json!("")), "jti"),
        (with("jti", json!(1)), "jti"),
        (format!("{}x", with("jti", json!("1"))), "signature"),
        (String::new(), "signed JWT"),
    ] {
        let refused = refusal(&service, request(&token, &proof)).await;
        let refused = refused.unwrap_or_else(|| panic!("granted: {expected}"));
        assert!(refused.contains(expected), "{refused}, expected {expected}");
    }
    // None of that has used up the proof.
    for (n, htu) in [
        "https://api.example/v1/orders",
        "HTTPS://API.example:443/v1/%6Frders",
        "https://api.example/v1/orders?page=3#top",
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = claims(&token, &format!("good {n}"), &clock);
        claims["htu"] = htu.into();
        let proof = page.sign(&page.header(), &claims);
        assert_eq!(
            refusal(&service, request(&token, &proof)).await,
            None,
            "{htu}"
        );
    }
}

#[tokio::test]
async fn a_bound_token_is_no_bearer_token() {
    let clock = TestClock::new();
    let page = Page::p256();
    let token = page.token();
    let proof = |jti: &str| page.sign(&page.header(), &claims(&token, jti, &clock));
    let service = service(&clock);
    let twice = request(&token, &proof("1")).header("dpop", proof("2"));
    assert!(
        refusal(&service, twice)
            .await
            .unwrap()
            .contains("exactly one")
    );
    let without = get("/orders", CONTOSO).header(header::AUTHORIZATION, format!("DPoP {token}"));
    assert!(
        refusal(&service, without)
            .await
            .unwrap()
            .contains("exactly one")
    );
    let as_bearer = get(&format!("/orders?token={token}"), CONTOSO)
        .header(header::AUTHORIZATION, "Bearer x")
        .header("dpop", proof("3"));
    assert!(refusal(&service, as_bearer).await.is_some());

    // A preflight has no proof, and is not granted.
    let preflight = preflight(&format!("/orders?token={token}"), CONTOSO);
    let outcome = service.send(preflight).await;
    assert_eq!(outcome.allowed_origin(), None);

    // Nor is a bearer token good here, unless that is chosen; and then without a proof.
    let unbound = tokens::token(LIST);
    let request = || {
        let value = format!("DPoP {unbound}");
        get("/orders", CONTOSO).header(header::AUTHORIZATION, value)
    };
    assert!(
        refusal(&service, request())
            .await
            .unwrap()
            .starts_with("the token is bound to no key: issue tokens with the claim cnf, or")
    );
    let both = Dpop::builder(verifier())
        .public_url("https://api.example/v1")
        .dangerously_accept_bearer_tokens()
        .clock(clock.clone())
        .build()
        .unwrap();
    let service = service_of(both.clone());
    assert_eq!(refusal(&service, request()).await, None);
    let beside = refusal(&service, request().header("dpop", proof("4"))).await;
    assert!(beside.unwrap().contains("or send this one without a proof"));
}

#[tokio::test]
async fn a_full_memory_is_for_the_operator_to_enlarge() {
    let clock = TestClock::new();
    let dpop = Dpop::builder(verifier())
        .public_url("https://api.example/v1/")
        .max_proofs(2)
        .max_proofs_per_key(1)
        .clock(clock.clone());
    let service = service_of(dpop.build().unwrap());
    let mut refusals = Vec::new();
    for page in [Page::p256(), Page::ed25519(), Page::rsa()] {
        let token = page.token();
        let proof = page.sign(&page.header(), &claims(&token, "1", &clock));
        refusals.push(refusal(&service, request(&token, &proof)).await);
    }
    let refused = refusals.pop().flatten().unwrap();
    assert_eq!(refusals, [None, None]);
    assert!(refused.contains(": raise max_proofs"), "{refused}");
    assert!(!refused.contains("send a new proof"), "{refused}");
}

/// Otherwise one client could use up the memory, and every other one would be refused.
#[tokio::test]
async fn one_key_uses_up_no_more_than_its_share_of_the_memory() {
    let clock = TestClock::new();
    let dpop = Dpop::builder(verifier())
        .public_url("https://api.example/v1/")
        .max_proofs(32)
        .clock(clock.clone());
    let service = service_of(dpop.build().unwrap());
    let (greedy, honest) = (Page::p256(), Page::ed25519());
    let send = async |page: &Page, jti: &str| {
        let token = page.token();
        let proof = page.sign(&page.header(), &claims(&token, jti, &clock));
        refusal(&service, request(&token, &proof)).await
    };
    for jti in ["1", "2"] {
        assert_eq!(send(&greedy, jti).await, None);
    }
    for jti in 3..40 {
        let refused = send(&greedy, &jti.to_string()).await.unwrap();
        assert!(refused.contains("too many proofs of this key"), "{refused}");
        // Another proof would be refused as well.
        assert!(
            !refused.contains("send a new proof") && refused.contains("raise max_proofs_per_key")
        );
    }
    assert_eq!(send(&honest, "1").await, None);
    // Its share is free again when its proofs have lapsed.
    clock.advance(130);
    assert_eq!(send(&greedy, "3").await, None);
}

/// A token that is not good any more must not use up memory either, however many proofs come.
#[tokio::test]
async fn proofs_for_tokens_that_are_not_good_are_not_remembered() {
    let page = Page::p256();
    let with = |jti: &str, expires_in: i64| {
        let mut claims = tokens::claims(LIST);
        claims["cnf"] = json!({"jkt": page.thumbprint()});
        claims["jti"] = json!(jti);
        claims["exp"] = json!(now().saturating_add_signed(expires_in));
        sign(&tokens::header(), &claims, RSA)
    };
    let revocations = Revocations::new(10);
    revocations.revoke("revoked").unwrap();
    let dpop = |inner: Arc<dyn TokenVerifier>| {
        let dpop = Dpop::builder(inner).public_url("https://api.example/v1/");
        dpop.max_proofs(1).build().unwrap()
    };
    let inside = || Arc::new(Revocable::new(verifier(), revocations.clone()));
    let outside = Revocable::new(dpop(Arc::new(verifier())), revocations.clone());
    for service in [service_of(dpop(inside())), service_of(outside)] {
        let send = async |token: &str, jti: u8| {
            let claims = claims(token, &jti.to_string(), &TestClock::new());
            let proof = page.sign(&page.header(), &claims);
            refusal(&service, request(token, &proof)).await
        };
        // Verified before it was revoked, so that only its remembered result is looked at.
        for (jti, token) in [with("1", -3600), with("revoked", 60)].iter().enumerate() {
            let refused = send(token, jti as u8).await.unwrap();
            assert!(!refused.contains("too many"), "{refused}");
            let refused = send(token, jti as u8 + 10).await.unwrap();
            assert!(!refused.contains("too many"), "{refused}");
        }
        let late = with("late", 60);
        assert_eq!(send(&late, 20).await, None);
    }
    // One that is revoked after it was remembered.
    let revocations = Revocations::new(10);
    let inside = Revocable::new(verifier(), revocations.clone());
    let outside = Revocable::new(dpop(Arc::new(verifier())), revocations.clone());
    let both: [Arc<dyn TokenVerifier>; 2] = [Arc::new(dpop(Arc::new(inside))), Arc::new(outside)];
    let (token, other) = (with("t", 60), with("u", 60));
    revocations.revoke("t").unwrap();
    let claims_of = |text: &str| {
        let payload = text.split('.').nth(1).unwrap();
        let claims = URL_SAFE_NO_PAD.decode(payload).unwrap();
        VerifiedToken::new(Claims::parse(&claims).unwrap())
    };
    for verifier in both {
        for (text, is_good) in [(&token, false), (&other, true)] {
            let claims = claims(text, "1", &TestClock::new());
            let proof = page.sign(&page.header(), &claims);
            let request = request(text, &proof).body(()).unwrap();
            let checked =
                verifier.check_request(text, &claims_of(text), &TokenRequest::from(&request));
            assert_eq!(checked.is_ok(), is_good, "{checked:?}");
        }
    }
}

#[tokio::test]
async fn a_token_bound_in_another_way_is_refused() {
    let clock = TestClock::new();
    let service = service(&clock);
    let page = Page::p256();
    for cnf in [
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({"jkt": 1}),
        json!(null),
        json!("jkt"),
        json!({}),
    ] {
        let mut token = tokens::claims(LIST);
        token["cnf"] = cnf.clone();
        let token = sign(&tokens::header(), &token, RSA);
        let proof = page.sign(&page.header(), &claims(&token, "1", &clock));
        let refused = refusal(&service, request(&token, &proof)).await;
        assert!(refused.is_some(), "{cnf}");
    }
}

#[tokio::test]
async fn requests_that_no_layer_judges_prove_it_too() {
    let clock = TestClock::new();
    let verifier = Dpop::builder(verifier())
        .public_url("https://api.example/v1")
        .clock(clock.clone())
        .build()
        .unwrap();
    let policy = TokenOrigins::builder()
        .verifier(verifier)
        .source(TokenSource::header(header::AUTHORIZATION).scheme("DPoP"))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let page = Page::p256();
    let token = page.token();
    let proof = page.sign(&page.header(), &claims(&token, "1", &clock));
    let parts = || request(&token, &proof).body(()).unwrap().into_parts().0;
    assert!(policy.authenticate(&parts()).await.unwrap().is_some());
    let again = policy.authenticate(&parts()).await.unwrap_err();
    assert!(
        matches!(again, VerifyError::ProofOfPossession(_)),
        "{again}"
    );
}

/// Browsers send an `Origin` with the posts of the service's own pages. The layer denies it, because
/// the token does not list it, and forwards the request all the same. So the proof must be left for
/// the service to check.
#[tokio::test]
async fn a_page_of_the_service_itself_authenticates_with_its_proof() {
    let (clock, page) = (TestClock::new(), Page::p256());
    let token = page.token();
    for (own, is_slow) in [(OWN, false), (OWN, true), (CONTOSO, false)] {
        let dpop = Dpop::builder(verifier())
            .public_url("https://api.example/v1/")
            .clock(clock.clone())
            .build()
            .unwrap();
        let verifier: Arc<dyn TokenVerifier> = if is_slow {
            Arc::new(Slow(dpop))
        } else {
            Arc::new(dpop)
        };
        let policy = policy_of(verifier, MissingClaim::Deny);
        let layer = CorsLayer::builder().origin_policy(policy.clone());
        let service = authenticating(layer.build().unwrap(), policy);
        let proof = page.sign(&page.header(), &claims(&token, "1", &clock));
        let send = |origin: &str, proof: &str| {
            let request = get("/orders", origin)
                .header(header::AUTHORIZATION, format!("DPoP {token}"))
                .header("dpop", proof);
            service.clone().oneshot(request.body(()).unwrap())
        };
        // A page that is neither listed nor the service's own is denied, and uses up nothing.
        assert_eq!(send(EVIL, &proof).await.unwrap().status(), 403);
        assert_eq!(send(own, &proof).await.unwrap().status(), 200, "{own}");
        let again = send(own, &proof).await.unwrap();
        assert_eq!(again.status(), 401, "{own}");
        assert_eq!(send(OWN, "x.y.z").await.unwrap().status(), 401);
    }
}

const OWN: &str = "https://api.example";

/// A service that reads its caller from what the layer has left, or else asks the policy.
fn authenticating(
    layer: CorsLayer,
    policy: TokenOrigins,
) -> impl Service<Request<()>, Response = Response<()>, Error = Infallible, Future: Send> + Clone {
    layer.layer(service_fn(move |request: Request<()>| {
        let authenticated = policy.authenticate(&request.into_parts().0);
        async move {
            let mut response = Response::new(());
            if !matches!(authenticated.await, Ok(Some(_))) {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            Ok::<_, Infallible>(response)
        }
    }))
}

/// What a policy leaves for the service has to be proved, also where the token lists nobody.
#[tokio::test]
async fn a_token_without_a_list_is_left_only_after_its_proof() {
    let (clock, page) = (TestClock::new(), Page::p256());
    let mut unlisted = tokens::claims(LIST);
    unlisted.as_object_mut().unwrap().remove("ao");
    unlisted["cnf"] = json!({"jkt": page.thumbprint()});
    let token = sign(&tokens::header(), &unlisted, RSA);
    let dpop = Dpop::builder(verifier())
        .public_url("https://api.example/v1/")
        .clock(clock.clone())
        .build()
        .unwrap();
    let policy = policy_of(dpop, MissingClaim::Abstain).fallback(OriginSet::parse([OWN]).unwrap());
    let service = Spied::new(CorsLayer::builder().origin_policy(policy).build().unwrap());
    let send = async |proof: &str| {
        let request = get("/orders", OWN)
            .header(header::AUTHORIZATION, format!("DPoP {token}"))
            .header("dpop", proof)
            // Not the service's own page to the layer, so that a denial is seen.
            .header("sec-fetch-site", "cross-site");
        service.send(request).await
    };
    let proof = page.sign(&page.header(), &claims(&token, "1", &clock));
    assert_eq!(send(&proof).await.session.as_deref(), Some("session-1"));
    for bad in [proof.as_str(), "x.y.z"] {
        let refused = send(bad).await;
        assert_eq!((refused.status.as_u16(), refused.inner_calls), (401, 0));
    }
}

/// An explanation says what the next request gets, also where it asks twice who decides.
#[tokio::test]
async fn an_explanation_uses_a_proof_once() {
    let (clock, page) = (TestClock::new(), Page::p256());
    let dpop = Dpop::builder(verifier())
        .public_url("https://api.example/v1/")
        .clock(clock.clone())
        .build()
        .unwrap();
    let fallback = OriginSet::parse([LITWARE]).unwrap();
    let policy = policy_of(dpop, MissingClaim::Deny).fallback(fallback);
    let layer = CorsLayer::builder().origin_policy(policy).build().unwrap();
    let token = page.token();
    for jti in ["1", "2"] {
        let proof = page.sign(&page.header(), &claims(&token, jti, &clock));
        let request = request(&token, &proof).body(()).unwrap();
        let explained = layer.explain(&request).await;
        assert!(explained.is_allowed(), "{explained}");
    }
}

#[test]
fn settings_have_bounds() {
    let builder = || Dpop::builder(verifier());
    for (url, is_good) in [
        ("https://api.example", true),
        ("https://api.example:8443/v1/", true),
        ("http://localhost:3000", true),
        ("api.example", false),
        ("https://", false),
        ("https://api.example?a", false),
        ("https://user@api.example", false),
        ("", false),
    ] {
        assert_eq!(builder().public_url(url).build().is_ok(), is_good, "{url}");
    }
    for age in [1, 300] {
        let at_its_bounds = builder()
            .public_url("https://api.example")
            .max_age(Duration::from_secs(age))
            .leeway(Duration::from_secs(300))
            .max_proofs(1);
        assert!(at_its_bounds.build().is_ok(), "{age}");
    }
    let errors = builder()
        .max_age(Duration::ZERO)
        .leeway(Duration::from_secs(301))
        .max_proofs(0)
        .build()
        .unwrap_err();
    let expected = [
        DpopConfigError::MissingUrl,
        DpopConfigError::MaxAge(Duration::ZERO),
        DpopConfigError::Leeway(Duration::from_secs(301)),
        DpopConfigError::MaxProofs,
    ];
    assert_eq!(errors.into_iter().collect::<Vec<_>>(), expected);
}
