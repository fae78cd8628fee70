//! Tokens in every place, as a service meets them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, StatusCode, header, request::Builder};
use serde_json::json;
use tower_cors::{
    CorsLayer, OriginSet,
    preflight::IssuedIndex,
    token::{
        TokenConfigError, TokenOrigins, VerifiedToken,
        claim::{Claims, ListRules, OriginsClaim},
        issue::Revocable,
        source::{TokenSource, VerifiedOrigins},
        verify::VerifyError,
    },
};

use crate::support::tokens::{self, *};

fn service(source: impl Into<TokenSource>) -> Spied {
    let builder = TokenOrigins::builder()
        .verifier(verifier())
        .source(source)
        .claim(OriginsClaim::delimited("ao", ';'));
    tokens::service(builder.build().unwrap())
}

fn verified(list: &str) -> VerifiedToken {
    let claims = json!({"ao": list, "asi": "outer"}).to_string();
    VerifiedToken::new(Claims::parse(claims.as_bytes()).unwrap())
}

async fn status(service: &Spied, request: Builder) -> StatusCode {
    let outcome = service.send(request).await;
    assert_eq!(
        outcome.inner_calls,
        usize::from(outcome.status == StatusCode::OK)
    );
    outcome.status
}

/// The request with the token, from a page that it lists and from another one.
async fn check(service: &Spied, request: impl Fn(&str) -> Builder) {
    assert_eq!(status(service, request(CONTOSO)).await, StatusCode::OK);
    assert_eq!(status(service, request(EVIL)).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn headers() {
    let token = token(LIST);
    let name = HeaderName::from_static("x-token");
    let plain = service(TokenSource::header(name.clone()));
    check(&plain, |origin| get("/", origin).header("x-token", &token)).await;
    let schemes = service(TokenSource::header(name).scheme("Token").scheme("SSWS"));
    check(&schemes, |origin| {
        get("/", origin).header("x-token", format!("ssws {token}"))
    })
    .await;
    let other = get("/", CONTOSO).header("x-token", format!("Bearer {token}"));
    assert_eq!(
        schemes.send(other).await.denial.unwrap().kind(),
        tower_cors::DenialKind::NoPolicy
    );
}

/// Another part of the service may go by the other credentials.
#[tokio::test]
async fn a_token_beside_credentials_of_another_kind() {
    let token = token(LIST);
    let builder = || {
        TokenOrigins::builder()
            .verifier(verifier())
            .source(TokenSource::bearer().prefix("psat="))
            .source(TokenSource::query("t"))
            .claim(OriginsClaim::delimited("ao", ';'))
    };
    let uri = format!("/?t={token}");
    let with = |scheme: &str| {
        get(&uri, CONTOSO).header(header::AUTHORIZATION, format!("{scheme} {token}"))
    };
    let one = tokens::service(builder().build().unwrap());
    assert_eq!(status(&one, get(&uri, CONTOSO)).await, StatusCode::OK);
    assert_eq!(status(&one, with("Bearer")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&one, with("JWT")).await, StatusCode::UNAUTHORIZED);
    // Where another source reads them from the same header, they are the token itself.
    let bearer = builder().source(TokenSource::bearer());
    let bearer = tokens::service(bearer.build().unwrap());
    assert_eq!(status(&bearer, with("Bearer")).await, StatusCode::OK);
    assert_eq!(status(&bearer, with("JWT")).await, StatusCode::UNAUTHORIZED);
    let jwt = builder().source(TokenSource::header(header::AUTHORIZATION).scheme("JWT"));
    let jwt = tokens::service(jwt.build().unwrap());
    assert_eq!(status(&jwt, with("JWT")).await, StatusCode::OK);
    assert_eq!(status(&jwt, with("Bearer")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn grpc_metadata() {
    let token = token(LIST);
    let text = service(TokenSource::grpc_metadata(HeaderName::from_static(
        "session",
    )));
    check(&text, |origin| get("/", origin).header("session", &token)).await;
    let binary = service(TokenSource::grpc_metadata(HeaderName::from_static(
        "session-bin",
    )));
    let encoded = STANDARD.encode(&token);
    let encoded = encoded.trim_end_matches('=');
    check(&binary, |origin| {
        get("/", origin).header("session-bin", encoded)
    })
    .await;
    let raw = get("/", CONTOSO).header("session-bin", &token);
    assert_eq!(status(&binary, raw).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn cookies() {
    let service = service(TokenSource::cookie("__Host-session"));
    let token = token(LIST);
    let cookie = format!("a=b; __Host-session={token}");
    check(&service, |origin| {
        get("/", origin).header(header::COOKIE, &cookie)
    })
    .await;
    let tossed = format!("{cookie}; __Host-session=x");
    let tossed = get("/", CONTOSO).header(header::COOKIE, tossed);
    assert_eq!(status(&service, tossed).await, StatusCode::UNAUTHORIZED);
    let preflight = preflight("/", CONTOSO).header(header::COOKIE, &cookie);
    assert_eq!(status(&service, preflight).await, StatusCode::FORBIDDEN);
}

/// What is in the URL is in the preflight's, too.
#[tokio::test]
async fn paths_and_hosts() {
    let token = token(LIST);
    let source = TokenSource::path(|path| path.strip_prefix("/feeds/")?.split('/').next());
    let path = service(source);
    let uri = format!("/feeds/{token}/events");
    check(&path, |origin| get(&uri, origin)).await;
    let passed = path.send(preflight(&uri, CONTOSO)).await;
    assert_eq!(passed.allowed_origin(), Some(CONTOSO));
    assert_eq!(
        path.send(preflight(&uri, EVIL)).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        status(&path, get("/feeds//events", CONTOSO)).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        status(&path, get("/other", CONTOSO)).await,
        StatusCode::FORBIDDEN
    );

    let anything = Scripted::new(|_| Ok(verified(CONTOSO)));
    let builder = TokenOrigins::builder()
        .verifier(anything.clone())
        .source(TokenSource::path(|path| path.strip_prefix("/feeds/")))
        .claim(OriginsClaim::single("ao"));
    let empty = tokens::service(builder.build().unwrap());
    let at = |uri| status(&empty, get(uri, CONTOSO));
    assert_eq!(at("/feeds/").await, StatusCode::UNAUTHORIZED);
    assert_eq!(anything.calls(), 0);
    assert_eq!(at("/feeds/a").await, StatusCode::OK);

    let tenants = Scripted::new(|tenant| match tenant {
        "contoso" => Ok(verified(CONTOSO)),
        _ => Err(tower_cors::token::verify::VerifyError::NotAuthentic(
            "no such tenant",
        )),
    });
    let builder = TokenOrigins::builder()
        .verifier(tenants)
        .source(TokenSource::host(|host| host.strip_suffix(".api.example")))
        .claim(OriginsClaim::single("ao"));
    let host = tokens::service(builder.build().unwrap());
    let at = |host: &'static str, origin: &str| {
        http::Request::get("/")
            .header(header::HOST, host)
            .header(header::ORIGIN, origin)
    };
    check(&host, |origin| at("contoso.api.example:8443", origin)).await;
    let unknown = at("litware.api.example", CONTOSO);
    assert_eq!(status(&host, unknown).await, StatusCode::UNAUTHORIZED);
    let nowhere = http::Request::get("/").header(header::ORIGIN, CONTOSO);
    assert_eq!(status(&host, nowhere).await, StatusCode::FORBIDDEN);
    // HTTP/2 has the host in the URI.
    check(&host, |origin| get("https://contoso.api.example/", origin)).await;
    // RFC 9112, section 3.2: case makes no difference, and user information is invalid.
    check(&host, |origin| at("Contoso.API.example", origin)).await;
    check(&host, |origin| get("https://CONTOSO.api.example/", origin)).await;
    for invalid in [
        "user@contoso.api.example",
        "contoso.api.example:x",
        "contoso.api.example/",
    ] {
        let refused = at(invalid, CONTOSO);
        assert_eq!(
            status(&host, refused).await,
            StatusCode::UNAUTHORIZED,
            "{invalid}"
        );
    }
}

/// The only header of a WebSocket handshake that a page can choose is a list.
#[tokio::test]
async fn elements_of_a_list() {
    let token = token(LIST);
    let after = service(TokenSource::header_list(header::SEC_WEBSOCKET_PROTOCOL).after("bearer"));
    let protocols = |origin: &str, protocols: &str| {
        get("/chat", origin).header(header::SEC_WEBSOCKET_PROTOCOL, protocols)
    };
    check(&after, |origin| {
        protocols(origin, &format!("chat, bearer, {token}"))
    })
    .await;
    check(&after, |origin| {
        protocols(origin, "chat, bearer").header("sec-websocket-protocol", &token)
    })
    .await;
    let without = protocols(CONTOSO, "chat");
    assert_eq!(status(&after, without).await, StatusCode::FORBIDDEN);
    let twice = protocols(CONTOSO, &format!("bearer, {token}, bearer, {token}"));
    assert_eq!(status(&after, twice).await, StatusCode::UNAUTHORIZED);

    let prefixed = service(
        TokenSource::header_list(header::SEC_WEBSOCKET_PROTOCOL)
            .prefix("base64url.bearer.")
            .base64url(),
    );
    let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&token);
    check(&prefixed, |origin| {
        protocols(origin, &format!("base64url.bearer.{encoded}, chat"))
    })
    .await;
    let vary = &prefixed.send(protocols(CONTOSO, "chat")).await.headers["vary"];
    assert_eq!(vary, "origin,sec-websocket-protocol");
}

#[tokio::test]
async fn what_an_outer_layer_has_verified() {
    let by_token = TokenOrigins::builder()
        .source(TokenSource::verified_token())
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let by_token = tokens::service(by_token);
    let with = |origin: &str, token: VerifiedToken| get("/", origin).extension(Arc::new(token));
    check(&by_token, |origin| with(origin, verified(LIST))).await;
    // Time goes on.
    let second_ago = SystemTime::now() - Duration::from_secs(1);
    let expired = by_token
        .send(with(CONTOSO, verified(LIST).expires_at(second_ago)))
        .await;
    assert_eq!(expired.status, StatusCode::UNAUTHORIZED);
    assert_eq!(expired.allowed_origin(), Some(CONTOSO));

    let by_origins = TokenOrigins::builder().source(TokenSource::verified_origins());
    let by_origins = tokens::service(by_origins.build().unwrap());
    let set = || VerifiedOrigins(OriginSet::parse([CONTOSO]).unwrap());
    check(&by_origins, |origin| get("/", origin).extension(set())).await;

    #[derive(Clone)]
    struct Session {
        page: &'static str,
    }
    let source = TokenSource::verified_origins_in(|extensions| {
        let session: &Session = extensions.get()?;
        Some(VerifiedOrigins(OriginSet::parse([session.page]).ok()?))
    });
    let own = tokens::service(TokenOrigins::builder().source(source).build().unwrap());
    check(&own, |origin| {
        get("/", origin).extension(Session { page: CONTOSO })
    })
    .await;
    assert_eq!(status(&own, get("/", CONTOSO)).await, StatusCode::FORBIDDEN);
}

/// A token is judged as it is now, whoever has verified it, and whenever.
#[tokio::test]
async fn what_was_good_may_be_so_no_more() {
    let index = IssuedIndex::new(10);
    let issuer = Scripted::new(|_| {
        let claims = json!({"ao": CONTOSO, "jti": "8"}).to_string();
        let token = VerifiedToken::new(Claims::parse(claims.as_bytes()).unwrap());
        Ok(token.expires_at(SystemTime::now() - Duration::from_secs(1)))
    });
    let builder = TokenOrigins::builder()
        .verifier(Revocable::new(issuer, index.clone()))
        .source(TokenSource::bearer())
        .source(TokenSource::verified_token())
        .claim(OriginsClaim::delimited("ao", ';'));
    let service = tokens::service(builder.build().unwrap());

    let claims = json!({"ao": CONTOSO, "jti": "7"}).to_string();
    let token = Arc::new(VerifiedToken::new(
        Claims::parse(claims.as_bytes()).unwrap(),
    ));
    let request = || get("/", CONTOSO).extension(Arc::clone(&token));
    assert_eq!(status(&service, request()).await, StatusCode::OK);
    index.revoke("7").unwrap();
    let revoked = service.send(request()).await;
    assert_eq!(revoked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(revoked.allowed_origin(), None);

    // A verifier that knows by itself that it is over.
    let over = Scripted::new(|_| Err(VerifyError::Expired(verified(CONTOSO))));
    let builder = TokenOrigins::builder()
        .verifier(over)
        .source(TokenSource::bearer())
        .claim(OriginsClaim::delimited("ao", ';'));
    let over = tokens::service(builder.build().unwrap());
    let over = over.send(bearer(CONTOSO, "over")).await;
    assert_eq!(over.inner_calls, 0);
    assert_eq!(
        over.denial.unwrap().kind(),
        tower_cors::DenialKind::ExpiredToken
    );

    // A verifier that calls a token good whose time is over.
    let lapsed = service.send(bearer(CONTOSO, "lapsed")).await;
    assert_eq!(lapsed.inner_calls, 0);
    assert_eq!(
        lapsed.denial.unwrap().kind(),
        tower_cors::DenialKind::ExpiredToken
    );
}

#[tokio::test]
async fn nothing_is_verified_twice() {
    let issuer = Scripted::new(|_| Ok(verified(EVIL)));
    let builder = TokenOrigins::builder()
        .verifier(issuer.clone())
        .source(TokenSource::bearer())
        .source(TokenSource::verified_token())
        .claim(OriginsClaim::delimited("ao", ';'));
    let service = tokens::service(builder.build().unwrap());
    let request = bearer(CONTOSO, "raw").extension(Arc::new(verified(CONTOSO)));
    let outcome = service.send(request).await;
    assert_eq!(
        (outcome.status, outcome.session.as_deref()),
        (StatusCode::OK, Some("outer"))
    );
    assert_eq!(issuer.calls(), 0);
}

#[test]
fn every_mistake_of_a_configuration_is_reported() {
    let mistakes = |builder: tower_cors::token::TokenOriginsBuilder| {
        let errors = builder.build().unwrap_err();
        let lines = errors.to_string();
        assert_eq!(lines.lines().count(), errors.iter().count());
        errors.iter().cloned().collect::<Vec<_>>()
    };
    use TokenConfigError as E;
    assert_eq!(mistakes(TokenOrigins::builder()), [E::MissingSource]);
    let all = TokenOrigins::builder()
        .source(TokenSource::query("t").up_to_layers(2))
        .source(TokenSource::query("").prefix("p"))
        .source(TokenSource::cookie("a=b"))
        .claim(OriginsClaim::delimited("ao", 'x'))
        .expired_grace(Duration::from_secs(3601))
        .max_entries(0)
        .max_list_bytes(0)
        .max_token_bytes(0);
    assert_eq!(
        mistakes(all),
        [
            E::Source("up_to_layers needs a prefix, by which the last layer is known"),
            E::Source("the name of the query parameter is empty"),
            E::Source("the name of the cookie is empty, or has a separator in it"),
            E::Claim(
                "a delimiter is one of ';', ',' and space: anything else can stand in an entry"
            ),
            E::MissingVerifier,
            E::MaxTokenBytes,
            E::MaxEntries,
            E::MaxListBytes,
            E::ExpiredGrace(Duration::from_secs(3601)),
        ]
    );
    let bare = TokenOrigins::builder().source(TokenSource::verified_token());
    assert_eq!(mistakes(bare), [E::MissingClaim]);
    let longest = TokenOrigins::builder()
        .source(TokenSource::verified_token())
        .claim(OriginsClaim::single("ao"))
        .expired_grace(Duration::from_secs(3600));
    assert!(longest.build().is_ok());
}

/// The outer layer may fill the set from what a tenant has written.
#[tokio::test]
async fn origins_that_an_outer_layer_lists_at_its_peril_get_no_credentials() {
    let with = |rules: ListRules| {
        let builder = TokenOrigins::builder().source(TokenSource::verified_origins());
        let policy = builder.entries(rules).build().unwrap();
        let layer = CorsLayer::builder()
            .origin_policy(policy)
            .allow_credentials(true)
            .build();
        Spied::new(layer.unwrap())
    };
    let strict = with(ListRules::new());
    let with_http = with(ListRules::new().dangerously_allow_http().wildcards());
    let list = [
        CONTOSO,
        "http://localhost:3000",
        "http://shop.example",
        "https://*.own.example",
        "https://*.github.io",
    ];
    for (page, expected, expected_with_http) in [
        (CONTOSO, true, true),
        ("http://localhost:3000", true, true),
        ("https://a.own.example", true, true),
        ("http://shop.example", false, true),
        ("https://evil.github.io", false, false),
    ] {
        for (service, expected) in [(&strict, expected), (&with_http, expected_with_http)] {
            let set = VerifiedOrigins(OriginSet::parse(list).unwrap());
            let outcome = service.send(get("/", page).extension(set)).await;
            assert_eq!(outcome.status, StatusCode::OK, "{page}");
            assert_eq!(outcome.allowed_origin(), Some(page));
            let credentials = outcome.headers.get("access-control-allow-credentials");
            assert_eq!(credentials.is_some(), expected, "{page}");

            let set = VerifiedOrigins(OriginSet::parse(list).unwrap());
            let with_cookie = get("/", page).header("cookie", "session=1").extension(set);
            let outcome = service.send(with_cookie).await;
            let passes = (outcome.status == StatusCode::OK, outcome.inner_calls == 1);
            assert_eq!(passes, (expected, expected), "{page} with cookies");
        }
    }
}

/// The token may be as good as any, so that a new one would change nothing.
#[tokio::test]
async fn a_refusal_says_what_to_send() {
    let (one, other) = (token(LIST), token(CONTOSO));
    let policy = |max: usize| {
        let builder = TokenOrigins::builder()
            .verifier(verifier())
            .source(TokenSource::bearer())
            .source(TokenSource::query("t"))
            .max_token_bytes(max)
            .claim(OriginsClaim::delimited("ao", ';'));
        tokens::service(builder.build().unwrap())
    };
    let (service, narrow) = (policy(8 * 1024), policy(100));
    let bytes = one.len();
    let with = |uri: &str, credentials: &[&str]| {
        let request = get(uri, CONTOSO);
        let add = |request: Builder, value: &&str| request.header("authorization", *value);
        credentials.iter().fold(request, add)
    };
    let bearer = format!("Bearer {one}");
    for (service, request, expected) in [
        (
            &service,
            with(&format!("/?t={other}"), &[&bearer]),
            "there are different tokens in two places: send one token".to_owned(),
        ),
        (
            &service,
            with(&format!("/?t={one}&t={other}"), &[]),
            "there are several tokens in one place: send one token".to_owned(),
        ),
        (
            &service,
            with("/", &["Bearer,x"]),
            "there is a header that another reader may take for a token: send the scheme, one \
             space and the token, and nothing else"
                .to_owned(),
        ),
        (
            &service,
            with("/?t=", &[]),
            "there is no token where one should be: send the token there, or leave the place out"
                .to_owned(),
        ),
        (
            &narrow,
            with("/", &[&bearer]),
            format!(
                "the token has {bytes} bytes, and max_token_bytes is 100: raise max_token_bytes, \
                 or issue a shorter token"
            ),
        ),
    ] {
        let outcome = service.send(request).await;
        assert_eq!(outcome.status, StatusCode::UNAUTHORIZED, "{expected}");
        let denial = outcome.denial.unwrap().to_string();
        assert!(denial.starts_with(&expected), "{denial}\n{expected}");
    }
    let early = sign(
        &header(),
        &json!({"ao": LIST, "nbf": now() + 600, "exp": now() + 900}),
        RSA,
    );
    let early = service.send(with(&format!("/?t={early}"), &[])).await;
    let early = early.denial.unwrap().to_string();
    assert!(
        early.starts_with("the token is not valid yet: wait, or set"),
        "{early}"
    );
    let forged = service.send(with("/?t=forged", &[])).await.denial.unwrap();
    assert!(
        forged
            .to_string()
            .starts_with("the token does not verify: issue a new one")
    );
}

/// As in a list of the layer: an application's origin is compared byte by byte.
#[tokio::test]
async fn a_token_lists_applications_and_parts_of_labels() {
    let service = |rules: ListRules| {
        let builder = TokenOrigins::builder()
            .verifier(verifier())
            .source(TokenSource::bearer())
            .claim(OriginsClaim::delimited("ao", ';'))
            .entries(rules);
        tokens::service(builder.build().unwrap())
    };
    let by_default = service(ListRules::new());
    let generous = service(
        ListRules::new()
            .scheme("app")
            .scheme("moz-extension")
            .wildcards(),
    );
    let list = "app://MyApp;app://;https://pr-*.contoso.com;moz-extension://*";
    for (origin, expected) in [
        ("app://MyApp", StatusCode::OK),
        ("app://", StatusCode::OK),
        ("app://myapp", StatusCode::FORBIDDEN),
        ("app://Other", StatusCode::FORBIDDEN),
        ("https://pr-7.contoso.com", StatusCode::OK),
        ("https://x-7.contoso.com", StatusCode::FORBIDDEN),
        ("moz-extension://0f5c8a7e", StatusCode::OK),
        ("chrome-extension://0f5c8a7e", StatusCode::FORBIDDEN),
    ] {
        let request = || bearer(origin, &token(list));
        assert_eq!(status(&generous, request()).await, expected, "{origin}");
        let outcome = status(&by_default, request()).await;
        assert_eq!(outcome, StatusCode::FORBIDDEN, "{origin}");
    }
}
