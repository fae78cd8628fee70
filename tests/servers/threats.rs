//! One test for each threat to origins that come from tokens, as far as the policy meets it.
//!
//! The table of the threats, with the tests elsewhere that meet them too, is in `src/guide/security.md`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{HeaderName, StatusCode, header};
use serde_json::json;
use tower_cors::{
    CorsLayer, DenialKind, OriginPolicy, OriginSet,
    preflight::Optimistic,
    token::{
        TokenOrigins, VerifiedToken,
        claim::{Claims, ListRules, OriginsClaim},
        source::TokenSource,
        verify::VerifyError,
    },
};

use crate::support::{token_request::any_request, tokens::*};

fn skype() -> TokenOrigins {
    TokenOrigins::skype(verifier()).build().unwrap()
}

async fn is_refused(service: &Spied, request: http::request::Builder, status: StatusCode) {
    let outcome = service.send(request).await;
    assert_eq!(
        (outcome.status, outcome.inner_calls),
        (status, 0),
        "{outcome:?}"
    );
    assert_eq!(outcome.allowed_origin(), None);
}

#[tokio::test]
async fn t01_a_token_that_is_not_verified_gives_nothing() {
    let service = service(skype());
    let own = sign(&header(), &claims(EVIL), OTHER_RSA);
    let uri = format!("/discover?anonymousContext=psat%253d{own}");
    is_refused(
        &service,
        bearer(EVIL, &format!("psat={own}")),
        StatusCode::UNAUTHORIZED,
    )
    .await;
    is_refused(&service, get(&uri, EVIL), StatusCode::UNAUTHORIZED).await;
    is_refused(&service, preflight(&uri, EVIL), StatusCode::FORBIDDEN).await;
}

#[tokio::test]
async fn t02_the_token_does_not_choose_its_algorithm() {
    let service = service(skype());
    let payload = claims(EVIL).to_string();
    // The public key as the secret of a symmetric algorithm.
    let mut confused = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    confused.kid = Some("key-1".to_owned());
    let secret = jsonwebtoken::EncodingKey::from_secret(RSA_PUBLIC);
    let confused = jsonwebtoken::encode(&confused, &claims(EVIL), &secret).unwrap();
    let by_own_key = |header: &str| sign_raw(header, &payload, OTHER_RSA);
    for token in [
        confused,
        by_own_key(r#"{"alg":"none","kid":"key-1"}"#),
        by_own_key(r#"{"alg":"RS256","kid":"evil","jku":"https://evil.example/jwks.json"}"#),
        by_own_key(r#"{"alg":"RS256","kid":"key-1","x5u":"https://evil.example/cert.pem"}"#),
        // A file, a query: it is a name, and nothing else.
        by_own_key(r#"{"alg":"RS256","kid":"../../dev/null"}"#),
    ] {
        is_refused(
            &service,
            bearer(EVIL, &format!("psat={token}")),
            StatusCode::UNAUTHORIZED,
        )
        .await;
    }
}

/// A page elsewhere cannot use a stolen token. A client that is no browser can claim any origin:
/// that is the token's business, not the origin's.
#[tokio::test]
async fn t03_a_stolen_token_is_of_no_use_to_another_page() {
    let service = service(skype());
    let credentials = format!("psat={}", token(LIST));
    is_refused(&service, bearer(EVIL, &credentials), StatusCode::FORBIDDEN).await;
    let curl = service.send(bearer(CONTOSO, &credentials)).await;
    assert_eq!(curl.status, StatusCode::OK);
}

/// The preflight is what keeps foreign pages from requests with cookies that are not simple. Where it
/// lets any origin pass, it says nothing of credentials, so that a browser sends none of these; and
/// what comes all the same is judged.
#[tokio::test]
async fn t04_a_broad_preflight_opens_no_cookies() {
    let policy = TokenOrigins::clerk(verifier()).build().unwrap();
    let broad = || {
        let policy = policy.clone().with_preflight(Optimistic::new());
        CorsLayer::builder()
            .origin_policy(policy)
            .allow_methods(["PUT"])
            .allow_headers([header::AUTHORIZATION])
    };
    let service = Spied::new(broad().build().unwrap());
    let passed = service.send(preflight("/api", EVIL)).await;
    assert_eq!(passed.status, StatusCode::NO_CONTENT);
    let credentials = passed.headers.get(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
    assert_eq!(credentials, None);

    let mut claims = claims(LIST);
    claims["azp"] = CONTOSO.into();
    let session = format!("__session={}", sign(&header(), &claims, RSA));
    let put = || get("/api", EVIL).method("PUT").header("cookie", &session);
    is_refused(&service, put(), StatusCode::FORBIDDEN).await;
    // With credentials, there is no such layer.
    assert!(broad().allow_credentials(true).build().is_err());
}

#[tokio::test]
async fn t05_a_simple_request_does_not_reach_the_service() {
    let service = service(skype());
    for request in [
        get("/api", EVIL).header("cookie", "session=1"),
        get("/api", EVIL)
            .method("POST")
            .header("content-type", "text/plain")
            .header("cookie", "session=1"),
    ] {
        is_refused(&service, request, StatusCode::FORBIDDEN).await;
    }
}

#[tokio::test]
async fn t06_every_answer_names_what_it_depends_on() {
    let policy = TokenOrigins::builder()
        .verifier(verifier())
        .source(TokenSource::bearer())
        .source(TokenSource::header(HeaderName::from_static("x-token")))
        .source(TokenSource::cookie("session"))
        .source(TokenSource::query("token"))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let service = service(policy);
    let token = token(LIST);
    for request in [
        http::Request::get("/api"),
        get("/api", EVIL),
        bearer(EVIL, &token),
        bearer(CONTOSO, &token),
        get("/api", CONTOSO).header("x-token", &token),
        get("/api", CONTOSO).header("cookie", format!("session={token}")),
    ] {
        let outcome = service.send(request).await;
        let vary = outcome.headers.get(header::VARY).unwrap();
        assert_eq!(vary, "origin,authorization,x-token,cookie");
    }
}

/// What the inner service answers is kept out of shared caches, where that is asked for.
#[tokio::test]
async fn t06_what_is_granted_can_be_made_private() {
    let token = token(LIST);
    let uri = format!("/discover?anonymousContext=psat%253d{token}");
    let requests = || {
        [
            get(&uri, CONTOSO),
            bearer(CONTOSO, &format!("psat={token}")),
            http::Request::get("/discover"),
            get("/discover", "https://api.example"),
        ]
    };
    let private = TokenOrigins::skype(verifier()).private_responses();
    let private = service(private.build().unwrap());
    let as_it_is = service(skype());
    for request in requests() {
        let outcome = private.send(request).await;
        assert_eq!((outcome.status, outcome.inner_calls), (StatusCode::OK, 1));
        assert_eq!(outcome.headers[header::CACHE_CONTROL], "private");
    }
    for request in requests() {
        let outcome = as_it_is.send(request).await;
        assert!(!outcome.headers.contains_key(header::CACHE_CONTROL));
    }
    // The layer's own answers say more.
    let refused = private.send(get(&uri, EVIL)).await;
    assert_eq!(refused.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn t07_no_preflight_or_refusal_is_stored() {
    let service = service(skype());
    let token = token(LIST);
    let uri = format!("/discover?anonymousContext=psat%253d{token}");
    for request in [
        preflight(&uri, CONTOSO),
        preflight(&uri, EVIL),
        preflight("/api", CONTOSO),
        get(&uri, EVIL),
        get("/discover?anonymousContext=psat%253dx", CONTOSO),
    ] {
        let outcome = service.send(request).await;
        assert_eq!(
            outcome.headers.get(header::CACHE_CONTROL).unwrap(),
            "no-store"
        );
    }
}

#[tokio::test]
async fn t08_a_revocation_holds_though_the_preflight_is_cached() {
    let revoked = Arc::new(AtomicBool::new(false));
    let is_revoked = Arc::clone(&revoked);
    let issuer = Scripted::new(move |_| {
        if is_revoked.load(Ordering::SeqCst) {
            Err(VerifyError::Revoked)
        } else {
            Ok(good(LIST))
        }
    });
    let epoch = Arc::clone(&issuer.epoch);
    let policy = TokenOrigins::builder()
        .verifier(issuer)
        .source(TokenSource::bearer())
        .claim(OriginsClaim::delimited("ao", ';'))
        .cache_ttl(Duration::from_secs(3600));
    let policy = policy.build().unwrap();
    let service = service(policy.clone());
    let status = async || service.send(bearer(CONTOSO, "opaque")).await.status;
    assert_eq!(status().await, StatusCode::OK);
    revoked.store(true, Ordering::SeqCst);
    // Nobody has said so yet; the time for which a result is kept is the bound.
    assert_eq!(status().await, StatusCode::OK);
    epoch.fetch_add(1, Ordering::SeqCst);
    is_refused(
        &service,
        bearer(CONTOSO, "opaque"),
        StatusCode::UNAUTHORIZED,
    )
    .await;
    // By hand.
    revoked.store(false, Ordering::SeqCst);
    assert_eq!(status().await, StatusCode::UNAUTHORIZED);
    policy.clear_cache();
    assert_eq!(status().await, StatusCode::OK);
}

fn good(list: &str) -> VerifiedToken {
    let claims = json!({"ao": list, "asi": "session-1"}).to_string();
    VerifiedToken::new(Claims::parse(claims.as_bytes()).unwrap())
}

#[tokio::test]
async fn t09_a_preflight_proves_nothing_for_another_token() {
    let known = OriginSet::parse([CONTOSO, LITWARE]).unwrap();
    let service = service(skype().with_preflight(known));
    let passed = service.send(preflight("/api", CONTOSO)).await;
    assert_eq!(passed.status, StatusCode::NO_CONTENT);
    let credentials = format!("psat={}", token(LITWARE));
    is_refused(
        &service,
        bearer(CONTOSO, &credentials),
        StatusCode::FORBIDDEN,
    )
    .await;
}

#[tokio::test]
async fn t10_no_entry_becomes_two() {
    let service = service(skype());
    for list in [
        "https://contoso.com,https://evil.example",
        "https://contoso.com https://evil.example",
        "https://contoso.com%3bhttps://evil.example",
        "https://contoso.com；https://evil.example",
        "https://contoso.com\nhttps://evil.example",
        "https://contoso.com\u{0}https://evil.example",
        "https://contoso.com/?https://evil.example",
        "https://contoso.com@evil.example",
        "https://\u{202e}elpmaxe.live//:sptth",
    ] {
        let credentials = format!("psat={}", token(list));
        for origin in [EVIL, CONTOSO] {
            is_refused(
                &service,
                bearer(origin, &credentials),
                StatusCode::FORBIDDEN,
            )
            .await;
        }
    }
}

#[tokio::test]
async fn t11_origins_are_equal_or_not() {
    let service = service(skype());
    let credentials = format!("psat={}", token("https://contoso.com"));
    for origin in [
        "https://contoso.com.evil.example",
        "https://evilcontoso.com",
        "https://contoso.co",
        "https://contoso.comm",
        "https://a.contoso.com",
        "https://contoso.com:444",
        "http://contoso.com",
    ] {
        is_refused(
            &service,
            bearer(origin, &credentials),
            StatusCode::FORBIDDEN,
        )
        .await;
    }
    // Not even origins: no browser spells one so.
    for origin in [
        "https://contoso.com:443",
        "https://contoso.com/",
        "https://contoso.com, https://evil.example",
        "https://CONTOSO.com",
        "",
    ] {
        is_refused(
            &service,
            bearer(origin, &credentials),
            StatusCode::FORBIDDEN,
        )
        .await;
    }
}

#[tokio::test]
async fn t12_null_is_never_allowed() {
    let everything = ListRules::new().wildcards().dangerously_allow_http();
    let builder = TokenOrigins::skype(verifier()).entries(everything);
    let service = service(builder.build().unwrap());
    for list in ["null", "https://contoso.com;null", "*"] {
        let token = token(list);
        let uri = format!("/discover?anonymousContext=psat%253d{token}");
        for request in [
            bearer("null", &format!("psat={token}")),
            get(&uri, "null"),
            preflight(&uri, "null"),
        ] {
            let outcome = service.send(request).await;
            assert_eq!(
                (outcome.status, outcome.inner_calls),
                (StatusCode::FORBIDDEN, 0)
            );
            assert_eq!(outcome.allowed_origin(), None);
            assert_eq!(outcome.denial.unwrap().kind(), DenialKind::OpaqueOrigin);
        }
    }
}

#[tokio::test]
async fn t13_refusals_look_alike() {
    let service = service(skype());
    let mut early = claims(LIST);
    early["nbf"] = (now() + 600).into();
    let mut late = claims(LIST);
    late["exp"] = (now() - 3600).into();
    let mut endless = claims(LIST);
    endless.as_object_mut().unwrap().remove("exp");
    let mut unreadable = claims(LIST);
    unreadable["ao"] = json!(1);
    let mut unknown = header();
    unknown.x5t = Some("unknown".to_owned());
    let tokens = [
        "garbage".to_owned(),
        sign(&header(), &claims(LIST), OTHER_RSA),
        sign(&unknown, &claims(LIST), RSA),
        sign(&header(), &early, RSA),
        sign(&header(), &late, RSA),
        sign(&header(), &endless, RSA),
        "a".repeat(10_000),
    ];
    let seen = |outcome: Outcome| (outcome.status, outcome.lines(), outcome.body);
    let mut requests = Vec::new();
    let mut preflights = Vec::new();
    for token in &tokens {
        requests.push(seen(
            service
                .send(bearer(CONTOSO, &format!("psat={token}")))
                .await,
        ));
        let uri = format!("/discover?anonymousContext=psat%253d{token}");
        preflights.push(seen(service.send(preflight(&uri, CONTOSO)).await));
    }
    // An authentic token whose list cannot be read is refused as one that does not list the origin:
    // a new one would be no better.
    let unreadable = sign(&header(), &unreadable, RSA);
    let mut of_authentic = Vec::new();
    for token in [unreadable.clone(), token(EVIL)] {
        let request = bearer(CONTOSO, &format!("psat={token}"));
        of_authentic.push(seen(service.send(request).await));
    }
    assert_eq!(of_authentic[0], of_authentic[1]);
    let uri = format!("/discover?anonymousContext=psat%253d{unreadable}");
    preflights.push(seen(service.send(preflight(&uri, CONTOSO)).await));
    // A good token that does not list the origin looks like a bad one here.
    let uri = format!("/discover?anonymousContext=psat%253d{}", token(EVIL));
    preflights.push(seen(service.send(preflight(&uri, CONTOSO)).await));
    preflights.push(seen(service.send(preflight("/discover", CONTOSO)).await));
    assert!(
        requests.windows(2).all(|pair| pair[0] == pair[1]),
        "{requests:#?}"
    );
    assert!(
        preflights.windows(2).all(|pair| pair[0] == pair[1]),
        "{preflights:#?}"
    );
}

#[tokio::test]
async fn t14_what_is_too_large_is_not_verified() {
    let issuer = Scripted::new(|_| Ok(good(LIST)));
    let count = issuer.clone();
    let builder = TokenOrigins::builder()
        .verifier(issuer)
        .source(TokenSource::bearer())
        .source(TokenSource::query("t").layers(2))
        .claim(OriginsClaim::delimited("ao", ';'));
    let service = service(builder.max_token_bytes(100).build().unwrap());
    let (fits, long) = ("a".repeat(100), "a".repeat(101));
    assert_eq!(
        service.send(bearer(CONTOSO, &fits)).await.status,
        StatusCode::OK
    );
    assert_eq!(count.calls(), 1);
    is_refused(&service, bearer(CONTOSO, &long), StatusCode::UNAUTHORIZED).await;
    let uri = format!("/api?t={}", "%2561".repeat(101));
    is_refused(&service, get(&uri, CONTOSO), StatusCode::UNAUTHORIZED).await;
    // The same garbage again costs nothing again.
    assert_eq!(count.calls(), 1);
}

#[tokio::test]
async fn t15_nothing_that_is_printed_holds_a_token() {
    let token = token(LIST);
    let mut expired = claims(LIST);
    expired["exp"] = (now() - 100).into();
    let expired = sign(&header(), &expired, RSA);
    let forged = sign(&header(), &claims(LIST), OTHER_RSA);
    let mut printed = String::new();
    let mut print = |thing: &dyn std::fmt::Debug| printed.push_str(&format!("{thing:?}{thing:#?}"));

    let builder = TokenOrigins::skype(verifier());
    print(&builder);
    let policy = builder.build().unwrap();
    let service = service(policy.clone());
    let verifier = verifier();
    for token in [&token, &expired, &forged, &"psat=secret-garbage".to_owned()] {
        let uri = format!("/discover?anonymousContext=psat%253d{token}");
        for request in [
            bearer(CONTOSO, &format!("psat={token}")),
            bearer(EVIL, &format!("psat={token}")),
            get(&uri, EVIL),
            preflight(&uri, EVIL),
        ] {
            let outcome = service.send(request).await;
            print(&outcome.headers);
            print(&outcome.denial);
            if let Some(denial) = &outcome.denial {
                print(&format_args!("{denial}"));
            }
        }
        let verification =
            tower_cors::token::TokenVerifier::verify(&verifier, token, &any_request());
        print(&verification);
        match verification.into_ready().unwrap() {
            Ok(token) => {
                print(token.claims());
                print(&token);
            }
            Err(error) => {
                print(&error);
                print(&format_args!("{error}"));
            }
        }
    }
    print(&policy);
    print(&verifier);
    print(&key());
    print(&TokenSource::path(|path| path.split('/').nth(1)));
    print(&TokenSource::verified_token());
    let builder = tower_cors::token::verify::jwt::JwtVerifier::builder();
    print(&builder.require("requirement of the test", |_| true));
    let secret = tower_cors::token::verify::jwt::JwtKey::dangerously_from_secret(
        b"secret-garbage-of-more-than-32-bytes",
        tower_cors::token::verify::jwt::JwtAlgorithm::Hs256,
    );
    print(&secret);

    for token in [&token, &expired, &forged] {
        for part in token.split('.') {
            assert!(!printed.contains(part), "{printed}");
        }
    }
    assert!(!printed.contains("secret-garbage"), "{printed}");
    assert!(
        !printed.contains("session-1"),
        "what claims say is personal: {printed}"
    );
    // It is printed, and not nothing.
    for shown in [
        "asi",
        "its signature is wrong",
        "TokenCache {",
        "JwtKey {",
        "UrlSource {",
        "Extension(Token)",
        "requirement of the test",
    ] {
        assert!(printed.contains(shown), "{shown}: {printed}");
    }
}

#[tokio::test]
async fn t16_http_is_for_this_machine_and_only_if_asked_for() {
    let send = async |rules: ListRules, origin: &str| {
        let builder = TokenOrigins::skype(verifier()).entries(rules);
        let service = service(builder.build().unwrap());
        let token = token("http://contoso.com;http://localhost:3000");
        service
            .send(bearer(origin, &format!("psat={token}")))
            .await
            .status
    };
    let (site, local) = ("http://contoso.com", "http://localhost:3000");
    let (no, yes) = (StatusCode::FORBIDDEN, StatusCode::OK);
    for (rules, expected) in [
        (ListRules::new(), (no, no)),
        (ListRules::new().http_loopback(), (no, yes)),
        (ListRules::new().dangerously_allow_http(), (yes, yes)),
    ] {
        let statuses = (send(rules.clone(), site).await, send(rules, local).await);
        assert_eq!(statuses, expected);
    }
}

#[tokio::test]
async fn t17_the_service_uses_the_token_that_was_judged() {
    let service = service(skype());
    let (ours, theirs) = (token(LIST), token(EVIL));
    let request = |header: &str, query: &str| {
        let uri = format!("/api?anonymousContext=psat%253d{query}");
        get(&uri, CONTOSO).header("authorization", format!("Bearer psat={header}"))
    };
    let same = service.send(request(&ours, &ours)).await;
    assert_eq!(
        (same.status, same.session.as_deref()),
        (StatusCode::OK, Some("session-1"))
    );
    let two_parameters =
        format!("/api?anonymousContext=psat={ours}&anonymousMeetingJoinContext=psat={theirs}");
    let same_parameter = format!("/api?anonymousContext=psat={ours}&anonymousContext=psat={ours}");
    for ambiguous in [
        request(&ours, &theirs),
        request(&theirs, &ours),
        request(&ours, "garbage"),
        request("garbage", &ours),
        bearer(CONTOSO, &format!("psat={ours}")).header("authorization", "Bearer psat=x"),
        bearer(CONTOSO, &format!("psat={ours}")).header("authorization", "Basic x"),
        // A service that authenticates by the header would go by this one.
        get(&format!("/api?anonymousContext=psat%253d{ours}"), CONTOSO)
            .header("authorization", "Bearer somebody-elses"),
        get(&two_parameters, CONTOSO),
        get(&same_parameter, CONTOSO),
    ] {
        is_refused(&service, ambiguous, StatusCode::UNAUTHORIZED).await;
    }
}

#[tokio::test]
async fn t18_what_a_client_says_of_its_origin_is_no_fact() {
    let service = service(skype());
    let credentials = format!("psat={}", token(LIST));
    for name in [
        "x-ms-origin",
        "x-forwarded-origin",
        "referer",
        "x-forwarded-host",
        "forwarded",
    ] {
        let request = bearer(EVIL, &credentials).header(name, CONTOSO);
        is_refused(&service, request, StatusCode::FORBIDDEN).await;
    }
}

/// Around an authentication layer, its 401 is readable, and preflights do not reach it.
#[tokio::test]
async fn t19_outside_of_authentication() {
    use tower::{Layer, ServiceExt, service_fn};

    let layer = CorsLayer::builder().origin_policy(skype()).build().unwrap();
    let authentication = service_fn(async |request: http::Request<()>| {
        assert_ne!(request.method(), http::Method::OPTIONS);
        let response = http::Response::builder().status(401).body("who are you?");
        response.map_err(|error| error.to_string())
    });
    let service = layer.layer(authentication);
    let token = token(LIST);
    let uri = format!("/api?anonymousContext=psat%253d{token}");
    for (request, status) in [(get(&uri, CONTOSO), 401), (preflight(&uri, CONTOSO), 204)] {
        let response = service
            .clone()
            .oneshot(request.body(()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), status);
        let origin = response
            .headers()
            .get(header::ACCESS_CONTROL_ALLOW_ORIGIN)
            .unwrap();
        assert_eq!(origin, CONTOSO);
    }
}

#[tokio::test]
async fn t20_clocks_may_differ_by_the_leeway_and_no_more() {
    let service = service(skype());
    let at = |nbf: i64, exp: i64| {
        let at = |offset: i64| now().checked_add_signed(offset).unwrap();
        let mut claims = claims(LIST);
        claims["nbf"] = at(nbf).into();
        claims["exp"] = at(exp).into();
        format!("psat={}", sign(&header(), &claims, RSA))
    };
    for (nbf, exp, status) in [
        (25, 60, StatusCode::OK),
        (-60, -25, StatusCode::OK),
        (35, 60, StatusCode::UNAUTHORIZED),
        (-60, -31, StatusCode::UNAUTHORIZED),
    ] {
        let outcome = service.send(bearer(CONTOSO, &at(nbf, exp))).await;
        assert_eq!(outcome.status, status, "{nbf} {exp}");
    }
}

/// <https://fetch.spec.whatwg.org/#http-redirect-fetch>: after a redirect to another origin the
/// origin is `null`, and so refused, however good the token is.
#[tokio::test]
async fn t21_a_redirected_request_is_refused() {
    let service = service(skype());
    let request = bearer("null", &format!("psat={}", token(LIST)));
    is_refused(
        &service,
        request.header("sec-fetch-site", "cross-site"),
        StatusCode::FORBIDDEN,
    )
    .await;
}

/// A gateway that adds an origin to requests between servers has them refused, unless it is the
/// service's own, or routes without pages are left out of the layer.
#[tokio::test]
async fn t22_an_origin_that_a_gateway_adds() {
    let service = service(skype());
    let request = get("/api", "https://gateway.example");
    is_refused(&service, request, StatusCode::FORBIDDEN).await;
    let own = service.send(get("/api", "https://api.example")).await;
    assert_eq!((own.status, own.inner_calls), (StatusCode::OK, 1));
    assert_eq!(own.allowed_origin(), None);
}
