//! What is asked, and how an answer is read.

use super::*;

#[tokio::test]
async fn the_question_is_a_form_with_the_clients_credentials() {
    let issuer = Issuer::start(Answer::json(r#"{"active": true, "sub": "me"}"#)).await;
    let clock = TestClock::new();
    let verifier = builder(&issuer, &clock)
        .token_type_hint("access_token")
        .build()
        .unwrap();
    let token = verifier.verify("a+b/c=", &any_request()).await.unwrap();
    assert_eq!(token.claims().get("sub"), Some(&json!("me")));

    let seen = issuer.last();
    assert_eq!(seen.path, "/introspect");
    assert_eq!(seen.form, "token=a%2Bb%2Fc%3D&token_type_hint=access_token");
    assert_eq!(
        seen.headers[header::CONTENT_TYPE],
        "application/x-www-form-urlencoded"
    );
    assert_eq!(seen.headers[header::ACCEPT], "application/json");
    // base64("my+api:s3cr3t%3A%25")
    assert_eq!(
        seen.headers[header::AUTHORIZATION],
        "Basic bXkrYXBpOnMzY3IzdCUzQSUyNQ=="
    );

    for (auth, expected) in [
        (ClientAuth::bearer("mine"), Some("Bearer mine")),
        (ClientAuth::none(), None),
    ] {
        let client =
            ReqwestIntrospectionClient::new(client(), &issuer.url("/introspect"), auth).unwrap();
        let verifier = IntrospectionVerifier::builder(client).build().unwrap();
        assert_eq!(outcome(&verifier, "a").await, "good");
        let sent = issuer.last().headers.get(header::AUTHORIZATION).cloned();
        assert_eq!(sent.as_ref().map(|value| value.to_str().unwrap()), expected);
        assert_eq!(issuer.last().form, "token=a");
    }
}

#[tokio::test]
async fn a_secret_in_the_form_and_one_that_changes() {
    let issuer = Issuer::start(Answer::json(r#"{"active": true}"#)).await;
    let secret = Arc::new(Mutex::new("s3cr3t"));
    let current = Arc::clone(&secret);
    let auth = ClientAuth::rotating(move || ClientAuth::post("my api", *current.lock().unwrap()));
    assert_eq!(
        format!("{auth:?} {:?}", ClientAuth::post("me", "s3cr3t")),
        "Rotating Post"
    );

    let client =
        ReqwestIntrospectionClient::new(client(), &issuer.url("/introspect"), auth).unwrap();
    let verifier = IntrospectionVerifier::builder(client).build().unwrap();
    assert_eq!(outcome(&verifier, "a").await, "good");
    assert_eq!(
        issuer.last().form,
        "token=a&client_id=my+api&client_secret=s3cr3t"
    );
    assert!(!issuer.last().headers.contains_key(header::AUTHORIZATION));

    *secret.lock().unwrap() = "n&w";
    assert_eq!(outcome(&verifier, "b").await, "good");
    assert_eq!(
        issuer.last().form,
        "token=b&client_id=my+api&client_secret=n%26w"
    );
}

#[tokio::test]
async fn every_answer_is_read_strictly() {
    let issuer = Issuer::start(Answer::status(500)).await;
    let clock = TestClock::new();
    let now = clock.unix();
    let html = "the issuer's answer has another media type than JSON";
    let status = |code: u16| format!("the issuer answered with status {code}").leak() as &str;
    let no_object = "the issuer's answer is not a JSON object, or has a key twice";
    let no_active = "the issuer's answer has no boolean \"active\"";
    let no_time = "the issuer's answer has an \"exp\" or \"nbf\" that is not a time";
    let json = |value: Value| Answer::json(value.to_string());
    let active = || Answer::json(r#"{"active": true}"#);
    let elsewhere = Issuer::start(active()).await;
    for (answer, expected) in [
        (active(), "good"),
        (
            active().content_type(Some("Application/JSON;charset=UTF-8")),
            "good",
        ),
        (json(json!({"active": false})), "revoked"),
        (json(json!({"active": "true"})), no_active),
        (json(json!({"active": 1})), no_active),
        (json(json!({})), no_active),
        (json(json!({"error": "invalid_client"})), no_active),
        (
            Answer::json(r#"{"active": false, "active": true}"#),
            no_object,
        ),
        (Answer::json(r#"{"active": true"#), no_object),
        (Answer::json(""), no_object),
        (Answer::json("null"), no_object),
        (json(json!({"active": true, "exp": now + 1})), "good"),
        (json(json!({"active": true, "exp": now})), "expired"),
        (
            json(json!({"active": true, "exp": (now + 1).to_string()})),
            no_time,
        ),
        (json(json!({"active": true, "nbf": now + 30})), "good"),
        (
            json(json!({"active": true, "nbf": now + 32})),
            "not yet valid",
        ),
        (active().content_type(Some("text/html")), html),
        (
            active().content_type(Some("application/token-introspection+jwt")),
            html,
        ),
        (active().content_type(None), html),
        (
            Answer::status(401),
            "the issuer answered with status 401: it does not accept this service's own credentials",
        ),
        (Answer::status(500), status(500)),
        (Answer::status(204), status(204)),
        (
            Answer::status(307).location(elsewhere.url("/introspect")),
            status(307),
        ),
        (
            Answer::json(" ".repeat(70_000)),
            "the issuer's answer is too large",
        ),
    ] {
        issuer.set(answer.clone());
        let verifier = builder(&issuer, &clock).build().unwrap();
        assert_eq!(outcome(&verifier, "token").await, expected, "{answer:?}");
    }
    assert_eq!(elsewhere.calls(), 0, "a redirect would hand the token on");
}

#[tokio::test]
async fn issuer_and_audience_are_checked_where_they_are_set() {
    let issuer = Issuer::start(Answer::status(500)).await;
    let clock = TestClock::new();
    for (claims, expected) in [
        (
            json!({"active": true, "iss": "https://id", "aud": "api"}),
            "good",
        ),
        (
            json!({"active": true, "iss": "https://id", "aud": ["x", "api"]}),
            "good",
        ),
        (
            json!({"active": true, "iss": "https://id", "aud": "apis"}),
            "misdirected",
        ),
        (
            json!({"active": true, "iss": "https://id/", "aud": "api"}),
            "misdirected",
        ),
        (json!({"active": true, "iss": "https://id"}), "misdirected"),
        (json!({"active": true, "aud": "api"}), "misdirected"),
    ] {
        issuer.set(Answer::json(claims.to_string()));
        let verifier = builder(&issuer, &clock)
            .issuer("https://id")
            .audience("api")
            .build()
            .unwrap();
        assert_eq!(outcome(&verifier, "token").await, expected, "{claims}");
    }
}

#[tokio::test]
async fn garbage_that_is_no_token_is_not_asked_about() {
    let issuer = Issuer::start(Answer::json(r#"{"active": true}"#)).await;
    let verifier = builder(&issuer, &TestClock::new()).build().unwrap();
    for token in ["", "a\nb", "ü", "\u{7f}"] {
        assert_eq!(outcome(&verifier, token).await, "malformed", "{token:?}");
    }
    assert_eq!(issuer.calls(), 0);
}

#[tokio::test]
async fn an_answer_beyond_its_bound_is_not_read() {
    for (bytes, expected) in [
        (YES.len(), "good"),
        (YES.len() - 1, "the issuer's answer is too large"),
    ] {
        let verifier = Played::new(Next::Says(YES))
            .verifier(&TestClock::new())
            .max_response_bytes(bytes)
            .build()
            .unwrap();
        assert_eq!(outcome(&verifier, "one").await, expected, "{bytes}");
    }
}

#[tokio::test]
async fn no_token_and_no_secret_is_printed_or_logged() {
    let log = crate::support::issuer::log::capture();
    let issuer = Issuer::start(Answer::json(r#"{"active": true, "exp": 1}"#)).await;
    let client = introspection(&issuer);
    let verifier = IntrospectionVerifier::builder(client.clone())
        .build()
        .unwrap();
    let future = verifier.verify("T0KEN", &any_request());
    let mut printed = format!("{verifier:?} {client:?} {future:?}");
    let error = future.await.unwrap_err();
    printed += &format!("{error} {error:?} {verifier:?}");
    issuer.stop().await;
    let error = verifier
        .verify("T0KEN-2", &any_request())
        .await
        .unwrap_err();
    printed += &format!("{error} {error:?} {}", log.text());
    for secret in ["T0KEN", "s3cr3t", "Basic b", "czNjcjN0"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(log.text().contains("the log is listened to"));
    for shown in [
        "IntrospectionVerifier { shared: Shared { client: ReqwestIntrospectionClient",
        "budget: FailureBudget { price: 10ms, .. }",
        "renewals: SingleFlight { limit: 64, .. }",
    ] {
        assert!(printed.contains(shown), "{printed}");
    }
}
