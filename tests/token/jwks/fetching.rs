//! Which documents are read.

use super::*;

#[tokio::test]
async fn answers_that_are_no_key_set_are_failures() {
    let clock = TestClock::new();
    let none = "the issuer's keys are not a JWK set, or have a JSON key twice";
    let media_type = "the issuer's answer has another media type than JSON";
    let status = |code: u16| format!("the issuer answered with status {code}").leak() as &str;
    let too_large = "the issuer's answer is too large";
    let elsewhere = Issuer::start(set(&[old()])).await;
    let issuer = Issuer::start(Answer::status(500)).await;
    let twice = format!(r#"{{"keys": [], "keys": [{}]}}"#, old());
    let large = format!(r#"{{"keys": [{}], "x": "{}"}}"#, old(), "x".repeat(300_000));
    for (answer, expected) in [
        (set(&[old()]), "good"),
        (
            set(&[old()]).content_type(Some("application/jwk-set+json")),
            "good",
        ),
        (set(&[old()]).content_type(Some("text/html")), media_type),
        (set(&[old()]).content_type(None), media_type),
        (Answer::json(twice), none),
        (Answer::json("{"), none),
        (Answer::json(""), none),
        (Answer::json(r#"{"keys": "none"}"#), none),
        (set(&[]), "none of the issuer's keys can verify a token"),
        (
            set(&vec![old(); 65]),
            "the issuer's keys are more than the bound",
        ),
        (Answer::json(large), too_large),
        (Answer::status(404), status(404)),
        (
            Answer::status(302).location(elsewhere.url("/keys")),
            status(302),
        ),
        (Answer::status(302).location("/keys"), status(302)),
    ] {
        issuer.set(answer.clone());
        let verifier = builder(&issuer, &clock).build().unwrap();
        let token = token("old", RSA, &clock);
        assert_eq!(outcome(&verifier, &token).await, expected, "{answer:?}");
    }
    assert_eq!(elsewhere.calls(), 0);
}

#[tokio::test]
async fn a_redirect_is_followed_to_the_same_origin() {
    use axum::{Router, response::Redirect, routing::get};

    let keys = json!({"keys": [old()]});
    let router = Router::new()
        .route("/keys", get(async || Redirect::temporary("/moved")))
        .route("/moved", get(async move || axum::Json(keys)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let fetcher = ReqwestKeySetFetcher::new(client(), &url).unwrap();
    let verifier = JwksVerifier::builder(fetcher)
        .dangerously_any_audience()
        .build()
        .unwrap();
    let token = token("old", RSA, &TestClock::new());
    assert_eq!(outcome(&verifier, &token).await, "good");
}

#[tokio::test]
async fn a_document_beyond_its_bound_is_not_read() {
    let clock = TestClock::new();
    let document = json!({"keys": [old()]}).to_string();
    let token = token("old", RSA, &clock);
    for (bytes, expected) in [
        (document.len(), "good"),
        (document.len() - 1, "the issuer's answer is too large"),
    ] {
        let played = Played::default();
        played.set(Next::Keys(document.clone()));
        let verifier = JwksVerifier::builder(played)
            .dangerously_any_audience()
            .clock(clock.clone())
            .max_document_bytes(bytes)
            .build()
            .unwrap();
        assert_eq!(outcome(&verifier, &token).await, expected, "{bytes}");
    }
}

#[tokio::test]
async fn a_body_beyond_its_bound_is_not_read() {
    let issuer = Issuer::start(Answer::json("x".repeat(1000))).await;
    for (bytes, expected) in [
        (1000, Ok(1000)),
        (999, Err(FetchError::TooLarge)),
        (10, Err(FetchError::TooLarge)),
    ] {
        let fetched = fetcher(&issuer).max_body_bytes(bytes).fetch().await;
        assert_eq!(fetched.map(|body| body.len()), expected, "{bytes}");
    }
}

#[tokio::test]
async fn no_token_is_printed_or_logged() {
    let log = crate::support::issuer::log::capture();
    let clock = TestClock::new();
    let issuer = Issuer::start(set(&[old()])).await;
    let verifier = builder(&issuer, &clock).build().unwrap();
    let token = token("old", RSA, &clock);
    let future = verifier.verify(&token, &any_request());
    let mut printed = format!("{verifier:?} {future:?}");
    printed += &format!("{:?} {verifier:?}", future.await);
    let forged = token.replace('.', ".x");
    let error = verifier.verify(&forged, &any_request()).await.unwrap_err();
    printed += &format!("{error} {error:?} {}", log.text());
    for part in token.split('.') {
        assert!(!printed.contains(part), "{printed}");
    }
    for shown in [
        "JwksVerifier { store: Store { fetcher: ReqwestKeySetFetcher",
        "state: JwksStatus { keys: 1, left_out: 0",
    ] {
        assert!(printed.contains(shown), "{printed}");
    }
    assert!(log.text().contains("the log is listened to"));
}
