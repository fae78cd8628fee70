//! The token of a request that no layer has judged, found and verified by the same rules.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{Request, Response, header::AUTHORIZATION, request::Parts};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{
    CorsLayer,
    preflight::IssuedIndex,
    token::{
        TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{Claims, OriginsClaim},
        issue::Revocable,
        source::TokenSource,
        verify::VerifyError,
    },
};

use crate::support::tokens::*;

fn named(name: &str) -> VerifiedToken {
    VerifiedToken::new(Claims::parse(format!(r#"{{"name": "{name}"}}"#).as_bytes()).unwrap())
}

fn issuer() -> Scripted {
    Scripted::new(|token| match token {
        "good" => Ok(named("good")),
        "expired" => Err(VerifyError::Expired(
            named("expired").expires_at(SystemTime::now() - Duration::from_secs(1)),
        )),
        "lapsed" => Ok(named("lapsed").expires_at(SystemTime::now() - Duration::from_secs(1))),
        "away" => Err(VerifyError::Unavailable("test".into())),
        _ => Err(VerifyError::NotAuthentic("test")),
    })
}

fn tokens(verifier: impl TokenVerifier) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier)
        .source(TokenSource::bearer())
        .source(TokenSource::query("t"))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap()
}

fn parts(uri: &str, authorization: Option<&str>) -> Parts {
    let mut request = Request::get(uri);
    if let Some(value) = authorization {
        request = request.header(AUTHORIZATION, value);
    }
    request.body(()).unwrap().into_parts().0
}

async fn outcome(tokens: &TokenOrigins, parts: &Parts) -> String {
    match tokens.authenticate(parts).await {
        Ok(None) => "none".to_owned(),
        Ok(Some(token)) => token
            .claims()
            .get("name")
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned(),
        Err(error) => match error {
            VerifyError::Malformed(_) => "malformed",
            VerifyError::NotAuthentic(_) => "not authentic",
            VerifyError::Expired(_) => "expired",
            VerifyError::Unavailable(_) => "unavailable",
            VerifyError::Revoked => "revoked",
            _ => "other",
        }
        .to_owned(),
    }
}

#[tokio::test]
async fn what_becomes_of_each_request() {
    for (uri, authorization, expected) in [
        ("/", None, "none"),
        ("/", Some("Basic dTpw"), "none"),
        ("/", Some("Bearer good"), "good"),
        ("/?t=good", None, "good"),
        ("/?t=good", Some("Bearer good"), "good"),
        ("/?t=good", Some("Bearer other"), "malformed"),
        ("/?t=good&t=good", None, "malformed"),
        ("/", Some("Bearer forged"), "not authentic"),
        ("/", Some("Bearer expired"), "expired"),
        ("/", Some("Bearer away"), "unavailable"),
        // Good, says the verifier, until a second ago.
        ("/", Some("Bearer lapsed"), "expired"),
    ] {
        let parts = parts(uri, authorization);
        for tokens in [tokens(issuer()), tokens(Slow(issuer()))] {
            // A second time from what is remembered.
            for _ in 0..2 {
                let found = outcome(&tokens, &parts).await;
                assert_eq!(found, expected, "{uri} {authorization:?}");
            }
        }
    }
}

/// The request as the service gets it from the policy's layer.
async fn behind(tokens: &TokenOrigins, request: http::request::Builder) -> Parts {
    let layer = CorsLayer::builder()
        .origin_policy(tokens.clone())
        .build()
        .unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let inner = service_fn(move |request: Request<()>| {
        sender.send(request.into_parts().0).unwrap();
        async { Ok::<_, std::convert::Infallible>(Response::new(())) }
    });
    layer
        .layer(inner)
        .oneshot(request.body(()).unwrap())
        .await
        .unwrap();
    receiver.recv().unwrap()
}

fn listing(name: &str) -> VerifiedToken {
    let claims = format!(r#"{{"name": "{name}", "ao": "{CONTOSO}"}}"#);
    VerifiedToken::new(Claims::parse(claims.as_bytes()).unwrap())
}

#[tokio::test]
async fn what_the_layer_has_verified_is_not_verified_again() {
    let issuer = Scripted::new(|_| Ok(listing("from the layer")));
    // Not because it is remembered.
    let tokens = TokenOrigins::builder()
        .verifier(issuer.clone())
        .source(TokenSource::bearer())
        .claim(OriginsClaim::delimited("ao", ';'))
        .max_cache_bytes(0)
        .build()
        .unwrap();
    let parts = behind(&tokens, bearer(CONTOSO, "good")).await;
    let clone = tokens.clone();
    assert_eq!(outcome(&clone, &parts).await, "from the layer");
    assert_eq!(issuer.calls(), 1);
}

/// A token for `chat` proves nothing to `billing`, whichever layer has verified it.
#[tokio::test]
async fn what_another_policy_has_verified_counts_only_where_that_is_said() {
    let chat = tokens(Scripted::new(|_| Ok(listing("chat"))));
    let parts = behind(&chat, bearer(CONTOSO, "for chat")).await;
    let billing_issuer = Scripted::new(|_| Err(VerifyError::NotYetValid));
    let billing = tokens(billing_issuer.clone());
    assert_eq!(outcome(&billing, &parts).await, "other");
    assert_eq!(billing_issuer.calls(), 1);

    let trusting = TokenOrigins::builder()
        .source(TokenSource::verified_token())
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    assert_eq!(outcome(&trusting, &parts).await, "chat");

    // An outer layer of the application's own is no policy: it has to be named as a source, too.
    let mut parts = self::parts("/", Some("Bearer for chat"));
    parts.extensions.insert(Arc::new(listing("outer")));
    assert_eq!(outcome(&billing, &parts).await, "other");
    assert_eq!(outcome(&trusting, &parts).await, "outer");
}

/// What was good when it was verified need not be any more.
#[tokio::test]
async fn what_the_layer_has_verified_may_be_over() {
    let index = IssuedIndex::new(10);
    let tokens = TokenOrigins::builder()
        .verifier(Revocable::new(issuer(), index.clone()))
        .source(TokenSource::verified_token())
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let with = |token: VerifiedToken| {
        let mut parts = parts("/", None);
        parts.extensions.insert(Arc::new(token));
        parts
    };
    let until = |time| {
        let claims = Claims::parse(br#"{"name": "a", "jti": "1"}"#).unwrap();
        with(VerifiedToken::new(claims).expires_at(time))
    };
    let (now, second) = (SystemTime::now(), Duration::from_secs(1));
    assert_eq!(outcome(&tokens, &until(now + 60 * second)).await, "a");
    assert_eq!(outcome(&tokens, &until(now - second)).await, "expired");

    let claims = Claims::parse(br#"{"name": "b", "jti": "7"}"#).unwrap();
    let parts = with(VerifiedToken::new(claims));
    assert_eq!(outcome(&tokens, &parts).await, "b");
    index.revoke("7").unwrap();
    assert_eq!(outcome(&tokens, &parts).await, "revoked");
    // Nothing could revoke it.
    assert_eq!(outcome(&tokens, &with(named("c"))).await, "revoked");
}

#[tokio::test]
async fn what_is_remembered_serves_both() {
    let issuer = issuer();
    let tokens = tokens(issuer.clone());
    let service = service(tokens.clone());
    service.send(bearer(CONTOSO, "good")).await;
    assert_eq!(
        outcome(&tokens, &parts("/", Some("Bearer good"))).await,
        "good"
    );
    assert_eq!(issuer.calls(), 1);
}
