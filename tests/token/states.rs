//! Every state that a token can be in, and the answer to a preflight and to a request.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::{Value, json};
use tower_cors::{
    DenialKind, Grant, OriginPolicy, OriginSet, Verdict, VerdictFuture, policy_fn,
    preflight::IssuedIndex,
    token::{
        MissingClaim, TokenOrigins, TokenOriginsBuilder, TokenVerifier,
        claim::OriginsClaim,
        source::TokenSource,
        verify::{VerifyError, jwt::JwtVerifier},
    },
};

use crate::support::tokens::{self, *};

const PREFLIGHT_VARY: &str =
    "vary: origin,authorization,access-control-request-method,access-control-request-headers";
const CHALLENGE: &str = "www-authenticate: Bearer error=\"invalid_token\"";

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Granted,
    Unauthorised,
    /// 401, which the page may read.
    Readable,
    Forbidden,
    Unavailable,
}

impl Answer {
    fn to_request(self) -> (StatusCode, Vec<&'static str>) {
        let vary = "vary: origin,authorization";
        let origin = "access-control-allow-origin: https://contoso.com";
        match self {
            Self::Granted => (StatusCode::OK, vec![origin, vary]),
            Self::Unauthorised => (
                StatusCode::UNAUTHORIZED,
                vec!["cache-control: no-store", vary, CHALLENGE],
            ),
            Self::Readable => (
                StatusCode::UNAUTHORIZED,
                vec![
                    origin,
                    "access-control-expose-headers: www-authenticate",
                    "cache-control: no-store",
                    vary,
                    CHALLENGE,
                ],
            ),
            Self::Forbidden => (StatusCode::FORBIDDEN, vec!["cache-control: no-store", vary]),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                vec!["cache-control: no-store", vary],
            ),
        }
    }
}

/// Sends the token in the query with a preflight and with a request, and in the header with a
/// request; verified at once and after a while.
async fn check<V: TokenVerifier>(
    state: &str,
    verifier: impl Fn() -> V,
    token: &str,
    origin: &str,
    answer: Answer,
    kind: Option<DenialKind>,
) {
    let policies = [
        ("ready", TokenOrigins::skype(verifier()).build().unwrap()),
        (
            "waiting",
            TokenOrigins::skype(Slow(verifier())).build().unwrap(),
        ),
    ];
    for (speed, policy) in policies {
        // The second time, from the cache.
        for turn in 1..=2 {
            let context = format!("{state}, {speed}, {turn}");
            let service = service(policy.clone());
            let uri = format!("/discover?anonymousContext=psat%253d{token}");
            for request in [get(&uri, origin), bearer(origin, &format!("psat={token}"))] {
                let outcome = service.send(request).await;
                let (status, lines) = answer.to_request();
                assert_eq!(
                    (outcome.status, outcome.lines()),
                    (status, owned(&lines)),
                    "{context}"
                );
                let is_granted = answer == Answer::Granted;
                assert_eq!(outcome.inner_calls, usize::from(is_granted), "{context}");
                assert_eq!(
                    outcome.body.len(),
                    if is_granted { 5 } else { 0 },
                    "{context}"
                );
                assert_eq!(outcome.session.is_some(), is_granted, "{context}");
                assert_eq!(
                    outcome.denial.map(|denial| denial.kind()),
                    kind,
                    "{context}"
                );
            }
            let outcome = service.send(preflight(&uri, origin)).await;
            assert_eq!(outcome.inner_calls, 0, "{context}");
            match answer {
                Answer::Granted | Answer::Readable => {
                    assert_eq!(outcome.status, StatusCode::NO_CONTENT, "{context}");
                    assert_eq!(outcome.allowed_origin(), Some(origin), "{context}");
                }
                _ => {
                    let lines = owned(&["cache-control: no-store", PREFLIGHT_VARY]);
                    assert_eq!(
                        (outcome.status, outcome.lines()),
                        (StatusCode::FORBIDDEN, lines),
                        "{context}"
                    );
                }
            }
        }
    }
}

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

fn signed(change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims(LIST);
    change(&mut claims);
    sign(&header(), &claims, RSA)
}

#[tokio::test]
async fn good() {
    check(
        "good",
        verifier,
        &token(LIST),
        CONTOSO,
        Answer::Granted,
        None,
    )
    .await;
}

#[tokio::test]
async fn good_and_the_origin_is_not_listed() {
    let kind = Some(DenialKind::OriginNotAllowed);
    for list in [
        LITWARE,
        "",
        "http://contoso.com",
        "https://contoso.com.",
        "*",
        "+",
        "null",
    ] {
        let token = token(list);
        check(list, verifier, &token, CONTOSO, Answer::Forbidden, kind).await;
    }
    let elsewhere = [
        "http://contoso.com",
        "https://contoso.com.",
        "https://contoso.com:8443",
    ];
    for origin in elsewhere {
        check(
            origin,
            verifier,
            &token(LIST),
            origin,
            Answer::Forbidden,
            kind,
        )
        .await;
    }
}

#[tokio::test]
async fn spelt_otherwise_in_the_list() {
    for list in [
        "HTTPS://CONTOSO.com",
        " https://contoso.com:443 ",
        "x;https://contoso.com",
    ] {
        check(list, verifier, &token(list), CONTOSO, Answer::Granted, None).await;
    }
}

#[tokio::test]
async fn malformed_or_forged() {
    let good = token(LIST);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let forged = sign(&header(), &claims(LIST), OTHER_RSA);
    let other = token(EVIL);
    let swapped = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    for (state, token) in [
        ("garbage", "garbage"),
        ("two dots", ".."),
        ("four parts", &format!("{good}.x")),
        ("no signature", &format!("{head}.")),
        ("somebody else's key", &forged),
        ("another token's signature", &swapped),
        ("padded", &format!("{good}=")),
        ("too long", &"a".repeat(9000)),
    ] {
        let kind = Some(DenialKind::InvalidToken);
        check(state, verifier, token, CONTOSO, Answer::Unauthorised, kind).await;
    }
}

#[tokio::test]
async fn the_list_cannot_be_read() {
    // The token is authentic, so that a new one would be no better: never 401.
    let kind = Some(DenialKind::OriginNotAllowed);
    for list in [
        json!(["https://contoso.com"]),
        json!(1),
        json!(null),
        json!({}),
        json!("https://contoso.com;".repeat(65)),
    ] {
        let token = signed(|claims| claims["ao"] = list.clone());
        let state = list.to_string();
        check(&state, verifier, &token, CONTOSO, Answer::Forbidden, kind).await;
    }
}

#[tokio::test]
async fn not_yet_valid() {
    let token = signed(|claims| claims["nbf"] = (now() + 120).into());
    let kind = Some(DenialKind::InvalidToken);
    check("nbf", verifier, &token, CONTOSO, Answer::Unauthorised, kind).await;
}

#[tokio::test]
async fn for_others() {
    let picky = || {
        let builder = JwtVerifier::builder().key(key());
        builder
            .issuer("https://id.example")
            .audience("api")
            .build()
            .unwrap()
    };
    let kind = Some(DenialKind::InvalidToken);
    let others = signed(|claims| {
        claims["iss"] = "https://id.example".into();
        claims["aud"] = "other".into();
    });
    check("aud", picky, &others, CONTOSO, Answer::Unauthorised, kind).await;
    check(
        "no iss, no aud",
        picky,
        &token(LIST),
        CONTOSO,
        Answer::Unauthorised,
        kind,
    )
    .await;
    let ours = signed(|claims| {
        claims["iss"] = "https://id.example".into();
        claims["aud"] = json!(["x", "api"]);
    });
    check("ours", picky, &ours, CONTOSO, Answer::Granted, None).await;
}

#[tokio::test]
async fn expired_but_authentic() {
    let expired = |ago: u64| signed(|claims| claims["exp"] = (now() - ago).into());
    let kind = Some(DenialKind::ExpiredToken);
    check(
        "just now",
        verifier,
        &expired(40),
        CONTOSO,
        Answer::Readable,
        kind,
    )
    .await;
    check(
        "nine minutes",
        verifier,
        &expired(540),
        CONTOSO,
        Answer::Readable,
        kind,
    )
    .await;
    let long_ago = expired(700);
    check(
        "long ago",
        verifier,
        &long_ago,
        CONTOSO,
        Answer::Unauthorised,
        kind,
    )
    .await;
    check(
        "not listed",
        verifier,
        &expired(40),
        EVIL,
        Answer::Unauthorised,
        kind,
    )
    .await;
    // Whoever forges a token cannot make the answer readable.
    let mut claims = claims(LIST);
    claims["exp"] = (now() - 40).into();
    let forged = sign(&header(), &claims, OTHER_RSA);
    let kind = Some(DenialKind::InvalidToken);
    check(
        "forged",
        verifier,
        &forged,
        CONTOSO,
        Answer::Unauthorised,
        kind,
    )
    .await;
}

/// <https://fetch.spec.whatwg.org/#concept-cors-check>: a page that sends cookies reads nothing
/// without `Access-Control-Allow-Credentials`.
#[tokio::test]
async fn expired_in_a_cookie() {
    let token = signed(|claims| {
        claims["azp"] = json!(CONTOSO);
        claims["exp"] = (now() - 40).into();
    });
    let clerk = || TokenOrigins::clerk(verifier()).build().unwrap();
    for (credentials, expected) in [(true, Some("true")), (false, None)] {
        let builder = tower_cors::CorsLayer::builder().origin_policy(clerk());
        let layer = builder.allow_credentials(credentials).build().unwrap();
        let service = Spied::new(layer);
        for (origin, readable) in [(CONTOSO, true), (EVIL, false)] {
            let request = get("/api", origin).header("cookie", format!("__session={token}"));
            let outcome = service.send(request).await;
            let found = outcome.headers.get("access-control-allow-credentials");
            let found = found.map(|value| value.to_str().unwrap());
            assert_eq!(outcome.status, StatusCode::UNAUTHORIZED);
            assert_eq!(outcome.allowed_origin(), readable.then_some(origin));
            assert_eq!(
                found,
                expected.filter(|_| readable),
                "{origin} {credentials}"
            );
        }
    }
}

#[tokio::test]
async fn within_the_leeway() {
    let token = signed(|claims| claims["exp"] = (now() - 20).into());
    check("leeway", verifier, &token, CONTOSO, Answer::Granted, None).await;
    let strict = || {
        JwtVerifier::builder()
            .key(key())
            .dangerously_any_audience()
            .leeway(Duration::ZERO)
            .build()
            .unwrap()
    };
    let kind = Some(DenialKind::ExpiredToken);
    check("no leeway", strict, &token, CONTOSO, Answer::Readable, kind).await;
}

#[tokio::test]
async fn revoked() {
    let revoked = || Scripted::new(|_| Err(VerifyError::Revoked));
    let kind = Some(DenialKind::InvalidToken);
    check(
        "revoked",
        revoked,
        "opaque",
        CONTOSO,
        Answer::Unauthorised,
        kind,
    )
    .await;
}

#[tokio::test]
async fn nobody_can_tell() {
    let down = || Scripted::new(|_| Err(VerifyError::Unavailable("the issuer is down".into())));
    let kind = Some(DenialKind::Unavailable);
    check("down", down, "opaque", CONTOSO, Answer::Unavailable, kind).await;
}

#[tokio::test]
async fn no_token() {
    let policy = || TokenOrigins::skype(verifier()).build().unwrap();
    let service = service(policy());
    for request in [
        get("/api", CONTOSO),
        get("/api?other=psat%3dx", CONTOSO),
        // Somebody else's credentials.
        bearer(CONTOSO, "x.y.z"),
        get("/api", CONTOSO).header("authorization", "Basic psat=x"),
        preflight("/api", CONTOSO),
    ] {
        let outcome = service.send(request).await;
        assert_eq!(
            (outcome.status, outcome.inner_calls),
            (StatusCode::FORBIDDEN, 0)
        );
        assert_eq!(outcome.allowed_origin(), None);
        assert_eq!(outcome.denial.unwrap().kind(), DenialKind::NoPolicy);
    }
    // The next policy decides.
    let known = OriginSet::parse([CONTOSO]).unwrap();
    let service = tokens::service(policy().fallback(known));
    let outcome = service.send(get("/api", CONTOSO)).await;
    assert_eq!(outcome.allowed_origin(), Some(CONTOSO));
    // But it is not asked where a token has been refused.
    let outcome = service.send(bearer(CONTOSO, "psat=garbage")).await;
    assert_eq!(
        (outcome.status, outcome.inner_calls),
        (StatusCode::UNAUTHORIZED, 0)
    );
}

#[tokio::test]
async fn no_origin_is_not_judged() {
    let service = service(TokenOrigins::skype(verifier()).build().unwrap());
    let request = http::Request::get("/api").header("authorization", "Bearer psat=garbage");
    let outcome = service.send(request).await;
    assert_eq!((outcome.status, outcome.inner_calls), (StatusCode::OK, 1));
    assert_eq!(outcome.lines(), ["vary: origin,authorization"]);
}

#[tokio::test]
async fn the_claim_is_missing() {
    let token = signed(|claims| {
        claims.as_object_mut().unwrap().remove("ao");
    });
    let kind = Some(DenialKind::OriginNotAllowed);
    check(
        "no claim",
        verifier,
        &token,
        CONTOSO,
        Answer::Forbidden,
        kind,
    )
    .await;

    let everybody = policy_fn(|_| Verdict::Allow(tower_cors::Grant::new()));
    let passing = TokenOrigins::skype(verifier()).missing_claim(MissingClaim::Abstain);
    let service = service(passing.build().unwrap().fallback(everybody));
    let outcome = service
        .send(bearer(CONTOSO, &format!("psat={token}")))
        .await;
    assert_eq!((outcome.status, outcome.inner_calls), (StatusCode::OK, 1));
    assert_eq!(outcome.session.as_deref(), Some("session-1"));
}

/// A good token that says nothing of origins is left for the service all the same, whether or not
/// the policies have to be waited for, and not one that another policy has relied on.
#[tokio::test]
async fn a_token_without_the_claim_is_left_for_the_service() {
    let without = signed(|claims| drop(claims.as_object_mut().unwrap().remove("ao")));
    let tokens = |source: TokenSource, verifier: Arc<dyn TokenVerifier>| {
        TokenOrigins::builder()
            .verifier(verifier)
            .source(source)
            .claim(OriginsClaim::delimited("ao", ';'))
            .missing_claim(MissingClaim::Abstain)
            .build()
            .unwrap()
    };
    let verifiers: [Arc<dyn TokenVerifier>; 2] = [Arc::new(verifier()), Arc::new(Slow(verifier()))];
    for verifier in verifiers {
        let by_header = || tokens(TokenSource::bearer().into(), Arc::clone(&verifier));
        let list = || OriginSet::parse([CONTOSO]).unwrap();
        for waits in [false, true] {
            let second = policy_fn(move |request| match request.origin().tuple() {
                Some(origin) if waits && origin.as_str() == CONTOSO => {
                    VerdictFuture::new(async { Grant::new().into() })
                }
                Some(origin) if list().contains(origin) => Grant::new().into(),
                _ => DenialKind::OriginNotAllowed.into(),
            });
            let service = service(by_header().fallback(second));
            let outcome = service.send(bearer(CONTOSO, &without)).await;
            assert_eq!(outcome.session.as_deref(), Some("session-1"), "{waits}");
            let outcome = service.send(bearer(EVIL, &without)).await;
            assert_eq!(
                (outcome.status, outcome.inner_calls),
                (StatusCode::FORBIDDEN, 0)
            );
            // Nothing is left where nothing was verified.
            let outcome = service.send(get("/api", CONTOSO)).await;
            assert_eq!((outcome.inner_calls, outcome.session), (1, None));
        }
        // In either order with the policy that answers preflights.
        let issued = || IssuedIndex::new(1);
        let services = [
            service(by_header().fallback(list()).with_preflight(issued())),
            service(by_header().with_preflight(issued()).fallback(list())),
            service(by_header().preflights(issued()).fallback(list())),
        ];
        for (order, service) in services.into_iter().enumerate() {
            let outcome = service.send(bearer(CONTOSO, &without)).await;
            assert_eq!(outcome.session.as_deref(), Some("session-1"), "{order}");
            let outcome = service.send(bearer(EVIL, &without)).await;
            assert_eq!(outcome.inner_calls, 0, "{order}");
        }
        // However the policies are combined, and where generic code does it.
        fn both<P: OriginPolicy>(first: P, second: impl OriginPolicy) -> impl OriginPolicy {
            first.fallback(second)
        }
        let abstains = || policy_fn(|_| Verdict::Abstain);
        let services = [
            service(by_header().fallback(abstains()).fallback(list())),
            service(abstains().fallback(by_header()).fallback(list())),
            service(by_header().fallback(abstains().fallback(list()))),
            service(Arc::new(by_header()).fallback(list())),
            service(both(by_header(), list())),
            service(both(Box::new(by_header()) as Box<dyn OriginPolicy>, list())),
            service(both(by_header().with_preflight(issued()), list())),
            service(both(by_header().preflights(issued()), list())),
            service(both(by_header(), abstains()).fallback(list())),
        ];
        for (order, service) in services.into_iter().enumerate() {
            let outcome = service.send(bearer(CONTOSO, &without)).await;
            assert_eq!(outcome.session.as_deref(), Some("session-1"), "{order}");
            let outcome = service.send(bearer(EVIL, &without)).await;
            assert_eq!(outcome.inner_calls, 0, "{order}");
        }
        let other = signed(|claims| claims["asi"] = json!("another"));
        let by_query = tokens(TokenSource::query("t").into(), Arc::clone(&verifier));
        let service = service(by_header().fallback(by_query));
        let request = get(&format!("/api?t={other}"), CONTOSO)
            .header("authorization", format!("Bearer {without}"));
        let outcome = service.send(request).await;
        assert_eq!(outcome.session.as_deref(), Some("another"));
    }
}

#[tokio::test]
async fn max_age_ends_with_the_token() {
    let max_age = async |seconds: u64, own: Option<u64>| {
        let token = signed(|claims| claims["exp"] = (now() + seconds).into());
        let policy = TokenOrigins::skype(verifier()).build().unwrap();
        let mut builder = tower_cors::CorsLayer::builder().origin_policy(policy);
        if let Some(own) = own {
            builder = builder.max_age(Duration::from_secs(own));
        }
        let service = Spied::new(builder.build().unwrap());
        let uri = format!("/discover?anonymousContext=psat%253d{token}");
        let outcome = service.send(preflight(&uri, CONTOSO)).await;
        let value = outcome.headers.get("access-control-max-age")?;
        Some(value.to_str().unwrap().parse::<u64>().unwrap())
    };
    assert_eq!(max_age(3600, Some(600)).await, Some(600));
    // Some seconds may pass meanwhile. The leeway is for clocks, and handed out to nobody.
    let left = max_age(100, Some(600)).await.unwrap();
    assert!((90..=100).contains(&left), "{left}");
    assert_eq!(max_age(3600, None).await, None);
}

/// Keycloak's `*`, where it is let in: without credentials, whoever asks and however.
#[tokio::test]
async fn a_star_lists_any_origin_without_credentials() {
    let token = |ago: Option<u64>| {
        signed(|claims| {
            claims["allowed-origins"] = json!(["*", CONTOSO]);
            if let Some(ago) = ago {
                claims["exp"] = (now() - ago).into();
            }
        })
    };
    let layer = |star: bool| {
        let builder = TokenOrigins::keycloak(verifier())
            .source(tower_cors::token::source::TokenSource::query("t"))
            .source(tower_cors::token::source::TokenSource::cookie("t"));
        let builder = if star {
            builder.star_lists_any_origin()
        } else {
            builder
        };
        let policy = builder.build().unwrap();
        let layer = tower_cors::CorsLayer::builder().origin_policy(policy);
        Spied::new(layer.allow_credentials(true).build().unwrap())
    };
    let seen = async |service: &Spied, request: http::request::Builder| {
        let outcome = service.send(request).await;
        let credentials = outcome.headers.get("access-control-allow-credentials");
        let has_credentials = credentials.is_some();
        let origin = outcome.allowed_origin().map(str::to_owned);
        (outcome.status.as_u16(), origin, has_credentials)
    };
    let (good, expired) = (token(None), token(Some(60)));
    let in_url = |token: &str| format!("/api?t={token}");
    for star in [true, false] {
        let service = layer(star);
        for origin in [CONTOSO, EVIL] {
            let is_listed = origin == CONTOSO;
            let expected = |status: u16, otherwise: u16| {
                if star || is_listed {
                    (status, Some(origin.to_owned()), is_listed)
                } else {
                    (otherwise, None, false)
                }
            };
            let context = format!("{origin} {star}");
            let found = seen(&service, bearer(origin, &good)).await;
            assert_eq!(found, expected(200, 403), "{context}");
            let found = seen(&service, get(&in_url(&good), origin)).await;
            assert_eq!(found, expected(200, 403), "{context}");
            let found = seen(&service, preflight(&in_url(&good), origin)).await;
            assert_eq!(found, expected(204, 403), "{context}");
            let found = seen(&service, bearer(origin, &expired)).await;
            assert_eq!(found, expected(401, 401), "{context}");
            let found = seen(&service, preflight(&in_url(&expired), origin)).await;
            assert_eq!(found, expected(204, 403), "{context}");
            // With cookies, only an entry of its own lets a page in.
            let with =
                |request: http::request::Builder, cookie: String| request.header("cookie", cookie);
            for (token, status, otherwise) in [(&good, 200, 403), (&expired, 401, 401)] {
                let expected = if is_listed {
                    (status, Some(origin.to_owned()), true)
                } else {
                    (otherwise, None, false)
                };
                let found = seen(&service, with(bearer(origin, token), "a=b".to_owned())).await;
                assert_eq!(found, expected, "{context}");
                let cookie = format!("t={token}");
                let found = seen(&service, with(get("/api", origin), cookie)).await;
                assert_eq!(found, expected, "{context}");
            }
        }
        let found = seen(&service, bearer("null", &good)).await;
        assert_eq!(found, (403, None, false));
    }
}

/// Both policies of a preset, by the table in its documentation.
#[tokio::test]
async fn presets() {
    type Preset = fn(JwtVerifier) -> TokenOriginsBuilder;
    let keycloak: Preset = TokenOrigins::keycloak;
    let clerk: Preset = TokenOrigins::clerk;
    let introspection: Preset =
        |verifier| TokenOrigins::introspection(verifier, OriginsClaim::array("allowed-origins"));
    let token = |claim: &str, value: Value| signed(|claims| claims[claim] = value);
    let list = json!([CONTOSO, "*", "+"]);
    for (preset, token, cookie) in [
        (keycloak, token("allowed-origins", list.clone()), false),
        (introspection, token("allowed-origins", list), false),
        (clerk, token("azp", json!(CONTOSO)), false),
        (clerk, token("azp", json!(CONTOSO)), true),
    ] {
        let service = service(preset(verifier()).build().unwrap());
        for (origin, status) in [(CONTOSO, StatusCode::OK), (EVIL, StatusCode::FORBIDDEN)] {
            let request = if cookie {
                get("/api", origin).header("cookie", format!("a=b; __session={token}"))
            } else {
                bearer(origin, &token)
            };
            assert_eq!(service.send(request).await.status, status);
        }
    }
    let service = service(keycloak(verifier()).build().unwrap());
    for list in [json!(["*"]), json!(["+"]), json!([])] {
        let outcome = service
            .send(bearer(CONTOSO, &token("allowed-origins", list)))
            .await;
        assert_eq!(outcome.status, StatusCode::FORBIDDEN);
    }
    let text = token("allowed-origins", json!(CONTOSO));
    let outcome = service.send(bearer(CONTOSO, &text)).await;
    assert_eq!(outcome.status, StatusCode::FORBIDDEN);
}

/// Pages send a fresh token in the header, while browsers add an older one in the cookie.
#[tokio::test]
async fn clerks_header_goes_before_its_cookie() {
    let service = service(TokenOrigins::clerk(verifier()).build().unwrap());
    let fresh = signed(|claims| {
        claims["azp"] = json!(CONTOSO);
        claims["asi"] = json!("fresh");
    });
    let old = signed(|claims| {
        claims["azp"] = json!(CONTOSO);
        claims["exp"] = json!(now() - 100);
    });
    let request = bearer(CONTOSO, &fresh).header("cookie", format!("__session={old}"));
    let outcome = service.send(request).await;
    assert_eq!((outcome.status, outcome.inner_calls), (StatusCode::OK, 1));
    assert_eq!(outcome.session.as_deref(), Some("fresh"));
    // Suffixed, as newer libraries write it, beside an older one of the plain name.
    let cookies = format!("__session={old}; __session_aB3-_x9z={fresh}");
    let outcome = service
        .send(get("/api", CONTOSO).header("cookie", cookies))
        .await;
    assert_eq!(outcome.session.as_deref(), Some("fresh"));
    // A header that cannot be read is not passed over.
    let request = get("/api", CONTOSO)
        .header("authorization", format!("Bearer\t{old}"))
        .header("cookie", format!("__session={fresh}"));
    let outcome = service.send(request).await;
    assert_eq!(
        (outcome.status, outcome.inner_calls),
        (StatusCode::UNAUTHORIZED, 0)
    );
}

/// What another reader may take for a token is not nothing: a fallback would grant it, and a second
/// token beside a good one would go unseen.
#[tokio::test]
async fn what_looks_like_a_token_is_refused() {
    let tokens = TokenOrigins::builder()
        .verifier(verifier())
        .source(TokenSource::bearer())
        .source(TokenSource::query("t"))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let list = OriginSet::parse([CONTOSO]).unwrap();
    let service = service(tokens.fallback(list));
    let good = token(LIST);
    let sent = |value: &[u8], uri: &str| {
        let value = http::HeaderValue::from_bytes(value).unwrap();
        get(uri, CONTOSO).header("authorization", value)
    };
    let beside = format!("/api?t={good}");
    let jwt = good.as_bytes();
    for value in [
        &b"Bearer\te"[..],
        b"Bearer,e",
        b",Bearer e",
        b"Bearer:e",
        b"JWT e",
        b"Basic dTpw, Bearer e",
        jwt,
    ] {
        for uri in ["/api", &beside] {
            let outcome = service.send(sent(value, uri)).await;
            let text = value.escape_ascii().to_string();
            assert_eq!(outcome.status, StatusCode::UNAUTHORIZED, "{text}");
            assert_eq!(
                (outcome.inner_calls, outcome.allowed_origin()),
                (0, None),
                "{text}"
            );
        }
    }
    // Credentials in another scheme are somebody else's.
    for value in [
        &b"Basic \xff\xfe"[..],
        b"Digest username=\"M\xfcller\"",
        b"Basic dTpw",
    ] {
        assert_eq!(
            service.send(sent(value, "/api")).await.status,
            StatusCode::OK
        );
    }
    let dpop = format!("DPoP {good}");
    assert_eq!(
        service.send(sent(dpop.as_bytes(), "/api")).await.status,
        StatusCode::OK
    );
}
