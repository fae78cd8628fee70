//! Several issuers in one verifier, and issuers that publish where their keys are.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};
use tower_cors::{
    revocation::Revocations,
    token::{
        TokenOrigins, TokenVerifier,
        claim::OriginsClaim,
        issue::Revocable,
        source::TokenSource,
        verify::{
            FetchError, KeySetFetcher, VerifyError, VerifyResult,
            dpop::Dpop,
            issuers::{Issuer, Issuers, IssuersConfigError},
            jwks::JwksVerifier,
            jwt::{JwtAlgorithm, JwtKey, JwtVerifier},
            reqwest::{Discovery, EndpointError, ReqwestKeySetFetcher},
        },
    },
};

use crate::support::{
    issuer::{self, Answer, client},
    token_request::any_request,
    tokens::{self, *},
};

const A: &str = "https://a.example";
const B: &str = "https://b.example";

fn signed(issuer: Option<&str>, kid: &str, pem: &[u8], aud: &str) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(kid.to_owned());
    let mut claims = tokens::claims(LIST);
    claims["aud"] = aud.into();
    if let Some(issuer) = issuer {
        claims["iss"] = issuer.into();
    }
    sign(&header, &claims, pem)
}

fn at_hand(pem: &[u8], kid: &str, aud: &str) -> JwtVerifier {
    let key = JwtKey::from_pem(pem, JwtAlgorithm::Rs256).unwrap().kid(kid);
    let builder = JwtVerifier::builder().key(key).audience(aud);
    builder.build().unwrap()
}

fn jwks(pem: &[u8], kid: &str) -> Value {
    let key = jsonwebtoken::EncodingKey::from_rsa_pem(pem).unwrap();
    let jwk = jsonwebtoken::jwk::Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap();
    let mut jwk = serde_json::to_value(jwk).unwrap();
    jwk["kid"] = kid.into();
    json!({ "keys": [jwk] })
}

async fn verify(verifier: &impl TokenVerifier, token: &str) -> VerifyResult {
    verifier.verify(token, &any_request()).await
}

fn outcome(result: &VerifyResult) -> &'static str {
    match result {
        Ok(_) => "good",
        Err(VerifyError::WrongIssuer(_)) => "issuer",
        Err(VerifyError::WrongAudience(_)) => "audience",
        Err(VerifyError::NotAuthentic(_)) => "not authentic",
        Err(VerifyError::Malformed(_)) => "malformed",
        Err(VerifyError::Unavailable(_)) => "unavailable",
        Err(_) => "other",
    }
}

/// Both issuers call their key `k`, as issuers do that count them.
#[tokio::test]
async fn the_keys_of_one_issuer_do_not_speak_for_another() {
    let server = issuer::Issuer::start(Answer::json(jwks(OTHER_RSA, "k").to_string())).await;
    let fetcher = ReqwestKeySetFetcher::new(client(), &server.url("/keys")).unwrap();
    let fetched = JwksVerifier::builder(fetcher)
        .issuer(B)
        .audience("b")
        .build()
        .unwrap();
    let issuers = Issuers::builder()
        .issuer(Issuer::new(A, at_hand(RSA_PUBLIC, "k", "a")))
        .issuer(fetched)
        .build()
        .unwrap();
    // An unknown issuer is refused without a fetch.
    for issuer in [
        None,
        Some("https://c.example"),
        Some("https://a.example/"),
        Some(""),
    ] {
        let token = signed(issuer, "k", RSA, "a");
        assert_eq!(
            outcome(&verify(&issuers, &token).await),
            "issuer",
            "{issuer:?}"
        );
    }
    let error = verify(&issuers, &signed(Some("https://c.example"), "k", RSA, "a")).await;
    assert_eq!(
        error.unwrap_err().to_string(),
        "the token is of another issuer: its iss is \"https://c.example\", expected \
         \"https://a.example\" or \"https://b.example\"",
    );
    assert_eq!(server.calls(), 0);
    for (issuer, pem, aud, expected) in [
        (A, RSA, "a", "good"),
        (B, OTHER_RSA, "b", "good"),
        (A, OTHER_RSA, "a", "not authentic"),
        (B, RSA, "b", "not authentic"),
        (A, RSA, "b", "audience"),
        (B, OTHER_RSA, "a", "audience"),
    ] {
        let token = signed(Some(issuer), "k", pem, aud);
        assert_eq!(
            outcome(&verify(&issuers, &token).await),
            expected,
            "{issuer} {aud}"
        );
    }
    for text in ["", "a.b.c", "e30.e30.", "eyJhbGciOiJSUzI1NiJ9.bm9uZQ.AAAA"] {
        assert_ne!(outcome(&verify(&issuers, text).await), "good", "{text}");
    }
}

/// Also one that looks at no `iss` itself: the chosen one must be the verified one.
#[tokio::test]
async fn the_verified_issuer_is_the_chosen_one() {
    let lies = || {
        Scripted::new(|_| {
            let claims = json!({"iss": B}).to_string();
            let claims = tower_cors::token::claim::Claims::parse(claims.as_bytes());
            Ok(tower_cors::token::VerifiedToken::new(claims.unwrap()))
        })
    };
    let at_once = Issuers::builder().issuer(Issuer::new(A, lies())).build();
    let waiting = Issuers::builder()
        .issuer(Issuer::new(A, Slow(lies())))
        .build();
    for issuers in [at_once.unwrap(), waiting.unwrap()] {
        let token = signed(Some(A), "k", RSA, "a");
        assert_eq!(outcome(&verify(&issuers, &token).await), "issuer");
    }
}

#[test]
fn issuers_have_names_of_their_own() {
    let build = |builder: tower_cors::token::verify::issuers::IssuersBuilder| {
        let errors = builder.build().unwrap_err();
        errors.into_iter().collect::<Vec<_>>()
    };
    let verifier = || at_hand(RSA_PUBLIC, "k", "a");
    assert_eq!(build(Issuers::builder()), [IssuersConfigError::NoIssuer]);
    let twice = Issuers::builder()
        .issuer(Issuer::new(A, verifier()))
        .issuer(verifier())
        .issuer(Issuer::new(A, verifier()));
    let expected = [
        IssuersConfigError::Unnamed(2),
        IssuersConfigError::Duplicate(A.to_owned()),
    ];
    assert_eq!(build(twice), expected);
    // A verifier of one issuer is known by it.
    let key = JwtKey::from_pem(RSA_PUBLIC, JwtAlgorithm::Rs256).unwrap();
    let of_a = JwtVerifier::builder().key(key.kid("k")).audience("a");
    let of_a = Issuers::builder().issuer(of_a.issuer(A).build().unwrap());
    assert!(of_a.clone().build().is_ok());
    let twice = of_a.issuer(Issuer::new(A, verifier()));
    assert_eq!(build(twice), [IssuersConfigError::Duplicate(A.to_owned())]);
}

/// Only `iss` would tell them apart, which a key of either may write as it likes.
#[test]
fn issuers_do_not_share_their_keys() {
    #[derive(Debug)]
    struct Nothing;
    impl tower_cors::token::verify::KeySetFetcher for Nothing {
        fn fetch(&self) -> tower_cors::token::verify::FetchFuture {
            Box::pin(async { Err(FetchError::Unreachable) })
        }
    }
    let fetched = || {
        let builder = JwksVerifier::builder(Nothing).audience("api");
        builder.build().unwrap()
    };
    let both = |one: Issuer, other: Issuer| Issuers::builder().issuer(one).issuer(other).build();
    let (jwks, jwt) = (fetched(), at_hand(RSA_PUBLIC, "k", "a"));
    let dpop = |verifier: JwksVerifier| {
        let dpop = Dpop::builder(Revocable::new(verifier, Revocations::new(1)));
        Arc::new(dpop.public_url("https://api.example").build().unwrap())
    };
    for shared in [
        both(Issuer::new(A, jwks.clone()), Issuer::new(B, jwks.clone())),
        both(Issuer::new(A, jwt.clone()), Issuer::new(B, jwt.clone())),
        both(
            Issuer::new(A, jwks.clone()),
            Issuer::new(B, dpop(jwks.clone())),
        ),
    ] {
        let errors: Vec<_> = shared.unwrap_err().into_iter().collect();
        let expected = IssuersConfigError::SharedKeys(A.to_owned(), B.to_owned());
        assert_eq!(errors, [expected]);
    }
    let apart = both(Issuer::new(A, fetched()), Issuer::new(B, fetched()));
    assert!(apart.is_ok());
    let apart = both(Issuer::new(A, jwks), Issuer::new(B, jwt));
    assert!(apart.is_ok());
    // Keys that are bound to an issuer sign for no other.
    let key = |pem, issuer| {
        let key = JwtKey::from_pem(pem, JwtAlgorithm::Rs256).unwrap();
        key.kid(issuer).issuer(issuer)
    };
    let bound = JwtVerifier::builder().audience("a");
    let bound = bound.key(key(RSA_PUBLIC, A)).key(key(OTHER_RSA_PUBLIC, B));
    let bound = bound.build().unwrap();
    assert!(both(Issuer::new(A, bound.clone()), Issuer::new(B, bound)).is_ok());
}

#[tokio::test]
async fn a_policy_knows_tokens_of_several_issuers() {
    let issuers = Issuers::builder()
        .issuer(Issuer::new(A, at_hand(RSA_PUBLIC, "k", "a")))
        .issuer(Issuer::new(B, at_hand(OTHER_RSA_PUBLIC, "k", "b")))
        .build()
        .unwrap();
    let policy = TokenOrigins::builder()
        .verifier(issuers)
        .source(TokenSource::bearer())
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let service = service(policy);
    for _ in 0..2 {
        for (issuer, pem, aud, status) in [
            (A, RSA, "a", StatusCode::OK),
            (B, OTHER_RSA, "b", StatusCode::OK),
            (B, RSA, "b", StatusCode::UNAUTHORIZED),
        ] {
            let token = signed(Some(issuer), "k", pem, aud);
            let outcome = service.send(bearer(CONTOSO, &token)).await;
            assert_eq!(outcome.status, status, "{issuer}");
        }
    }
}

/// A server that has answers by path.
async fn serve(answers: impl Fn(&str) -> Vec<(String, Value)>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let mut router = axum::Router::new();
    for (path, answer) in answers(&base) {
        router = router.route(&path, axum::routing::get(async move || axum::Json(answer)));
    }
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    base
}

#[tokio::test]
async fn an_issuer_says_where_its_keys_are() {
    const OPENID: &str = "/realms/shop/.well-known/openid-configuration";
    const OAUTH: &str = "/.well-known/oauth-authorization-server/realms/shop";
    for path in [OPENID, OAUTH] {
        let base = serve(|base| {
            let issuer = format!("{base}/realms/shop");
            let metadata = json!({
                "issuer": issuer,
                "jwks_uri": format!("{base}/certs"),
                // Some issuers have much to say.
                "scopes_supported": vec!["a scope"; 10_000],
            });
            vec![
                (path.to_owned(), metadata),
                ("/certs".to_owned(), jwks(RSA, "k")),
            ]
        })
        .await;
        let issuer = format!("{base}/realms/shop");
        let verifier = JwksVerifier::discover(client(), &issuer)
            .unwrap()
            .audience("a")
            .build()
            .unwrap();
        for (issuer, pem, expected) in [
            (issuer.as_str(), RSA, "good"),
            (issuer.as_str(), OTHER_RSA, "not authentic"),
            (A, RSA, "issuer"),
        ] {
            let token = signed(Some(issuer), "k", pem, "a");
            assert_eq!(
                outcome(&verify(&verifier, &token).await),
                expected,
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_are_refused() {
    let metadata = |issuer: &str, keys: &str| {
        let metadata = json!({"issuer": issuer, "jwks_uri": keys});
        ("/.well-known/openid-configuration".to_owned(), metadata)
    };
    type Answers<'a> = &'a dyn Fn(&str) -> (String, Value);
    let cases: [(Answers<'_>, FetchError); 4] = [
        (
            &|base| metadata(A, &format!("{base}/certs")),
            FetchError::Metadata("name another issuer"),
        ),
        // Only this host may be asked over plain http.
        (
            &|base| metadata(base, "http://keys.example/certs"),
            FetchError::Metadata("name keys at a URL that is not https"),
        ),
        (
            &|base| metadata(base, "file:///certs"),
            FetchError::Metadata("name keys at a URL that is not https"),
        ),
        (
            &|_| ("/elsewhere".to_owned(), json!({})),
            FetchError::Status(404),
        ),
    ];
    for (answer, expected) in cases {
        let base = serve(|base| vec![answer(base), ("/certs".to_owned(), jwks(RSA, "k"))]).await;
        let discovery = Discovery::new(client(), &base).unwrap();
        assert_eq!(discovery.fetch().await.unwrap_err(), expected);
    }
    for url in [
        "http://id.example",
        "http://10.0.0.1",
        "ftp://id.example",
        "id.example",
    ] {
        assert!(Discovery::new(client(), url).is_err(), "{url}");
    }
    let plain = Discovery::at(client(), A, "http://id.example");
    assert_eq!(plain.unwrap_err(), EndpointError::Insecure);
}

#[tokio::test]
async fn an_issuer_is_reached_at_another_address() {
    let base = serve(|_| {
        let metadata = json!({"issuer": A, "jwks_uri": format!("{A}/certs")});
        vec![
            (
                "/internal/.well-known/openid-configuration".to_owned(),
                metadata,
            ),
            ("/internal/certs".to_owned(), jwks(RSA, "k")),
        ]
    })
    .await;
    let discovery = Discovery::at(client(), A, &format!("{base}/internal/")).unwrap();
    let verifier = JwksVerifier::builder(discovery.timeout(Duration::from_secs(2)))
        .issuer(A)
        .audience("a")
        .build()
        .unwrap();
    let token = signed(Some(A), "k", RSA, "a");
    assert_eq!(outcome(&verify(&verifier, &token).await), "good");
}

/// A proxy would see the client's secret and could answer in the issuer's place.
#[tokio::test]
async fn plain_http_to_this_machine_takes_no_proxy_and_no_dns() {
    let proxy = issuer::Issuer::start(Answer::json(jwks(OTHER_RSA, "k").to_string())).await;
    let server = issuer::Issuer::start(Answer::json(jwks(RSA, "k").to_string())).await;
    let through_proxy = || {
        let proxy = reqwest::Proxy::all(proxy.url("")).unwrap();
        reqwest::Client::builder().proxy(proxy)
    };
    let port = server.address.port();
    for host in ["127.0.0.1", "localhost", "keys.localhost"] {
        let url = format!("http://{host}:{port}/keys");
        let fetcher = ReqwestKeySetFetcher::new(through_proxy(), &url).unwrap();
        assert!(fetcher.fetch().await.is_ok(), "{host}");
    }
    assert_eq!((proxy.calls(), server.calls()), (0, 3));
}
