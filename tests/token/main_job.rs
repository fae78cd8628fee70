//! The main job: a page whose origin is on the token's list reads the answer, another does not.

use http::{StatusCode, header};
use tower_cors::{
    DenialKind, OriginPolicy, OriginSet,
    token::{TokenOrigins, claim::OriginsClaim, source::TokenSource},
};

use crate::support::tokens::*;

fn policy() -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier())
        .source(TokenSource::bearer().prefix("psat="))
        .source(
            TokenSource::query("anonymousContext")
                .up_to_layers(2)
                .prefix("psat="),
        )
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_listed_page_reads_and_the_other_does_not() {
    let service = service(policy());
    let token = token(LIST);
    for uri in ["", "psat=", "psat%3D", "psat%3d", "psat%253d", "psat%253D"] {
        let (with_header, uri) = match uri {
            "" => (true, "/api".to_owned()),
            prefix => (
                false,
                format!("/discover?x=1&anonymousContext={prefix}{token}"),
            ),
        };
        let request = |origin| {
            let request = get(&uri, origin);
            if with_header {
                request.header(header::AUTHORIZATION, format!("bEARER psat={token}"))
            } else {
                request
            }
        };
        for origin in [CONTOSO, LITWARE] {
            let outcome = service.send(request(origin)).await;
            assert_eq!(
                (outcome.status, outcome.inner_calls),
                (StatusCode::OK, 1),
                "{uri}"
            );
            assert_eq!(outcome.allowed_origin(), Some(origin));
            assert_eq!(outcome.session.as_deref(), Some("session-1"));
        }
        for origin in [
            "http://contoso.com",
            EVIL,
            "https://contoso.com.evil.example",
        ] {
            let outcome = service.send(request(origin)).await;
            assert_eq!(
                (outcome.status, outcome.inner_calls),
                (StatusCode::FORBIDDEN, 0)
            );
            assert_eq!(outcome.allowed_origin(), None);
            assert_eq!(outcome.denial.unwrap().kind(), DenialKind::OriginNotAllowed);
        }
    }
}

#[tokio::test]
async fn keys_are_chosen_by_kid_or_thumbprint() {
    let service = service(policy());
    let mut by_kid = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    by_kid.kid = Some("key-1".to_owned());
    let mut unknown = by_kid.clone();
    unknown.kid = Some("key-2".to_owned());
    // The thumbprint is right, but the token asks for another key.
    unknown.x5t = Some(THUMBPRINT.to_owned());
    let unnamed = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    for (header, status) in [
        (header(), StatusCode::OK),
        (by_kid, StatusCode::OK),
        (unknown, StatusCode::UNAUTHORIZED),
        (unnamed, StatusCode::UNAUTHORIZED),
    ] {
        let token = sign(&header, &claims(LIST), RSA);
        let outcome = service
            .send(bearer(CONTOSO, &format!("psat={token}")))
            .await;
        assert_eq!(outcome.status, status, "{header:?}");
    }
}

#[tokio::test]
async fn the_preflight_of_the_query_form_is_judged_exactly() {
    let service = service(policy());
    let uri = format!("/discover?anonymousContext=psat%253d{}", token(LIST));
    let allowed = service.send(preflight(&uri, CONTOSO)).await;
    assert_eq!(allowed.status, StatusCode::NO_CONTENT);
    assert_eq!(allowed.allowed_origin(), Some(CONTOSO));
    let refused = service.send(preflight(&uri, EVIL)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.allowed_origin(), None);
    assert_eq!(allowed.inner_calls + refused.inner_calls, 0);
}

/// Tokens come in a header *and* in the URL: the URL's token judges its preflight, and another policy
/// answers where there is none.
#[tokio::test]
async fn preflights_of_both_forms_have_their_answer() {
    let known = OriginSet::parse([CONTOSO, EVIL]).unwrap();
    let service = service(policy().preflights(known));
    let uri = format!("/discover?anonymousContext=psat%253d{}", token(LIST));
    for (uri, origin, status) in [
        (&*uri, CONTOSO, StatusCode::NO_CONTENT),
        (&*uri, LITWARE, StatusCode::NO_CONTENT),
        // The list knows it, and yet it is not asked.
        (&*uri, EVIL, StatusCode::FORBIDDEN),
        ("/api", CONTOSO, StatusCode::NO_CONTENT),
        ("/api", EVIL, StatusCode::NO_CONTENT),
        ("/api", LITWARE, StatusCode::FORBIDDEN),
    ] {
        let outcome = service.send(preflight(uri, origin)).await;
        assert_eq!(outcome.status, status, "{uri} {origin}");
    }
    // No request is granted by the list.
    let outcome = service.send(get("/api", CONTOSO)).await;
    assert_eq!(
        (outcome.status, outcome.inner_calls),
        (StatusCode::FORBIDDEN, 0)
    );
    let outcome = service
        .send(bearer(EVIL, &format!("psat={}", token(LIST))))
        .await;
    assert_eq!(
        (outcome.status, outcome.inner_calls),
        (StatusCode::FORBIDDEN, 0)
    );
}

#[tokio::test]
async fn the_preflight_of_the_header_form_is_another_policys() {
    let alone = service(policy());
    let refused = alone.send(preflight("/api", CONTOSO)).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.denial.unwrap().kind(), DenialKind::NoPolicy);

    let known = OriginSet::parse([CONTOSO, LITWARE]).unwrap();
    let both = service(policy().with_preflight(policy().fallback(known)));
    let allowed = both.send(preflight("/api", CONTOSO)).await;
    assert_eq!(allowed.status, StatusCode::NO_CONTENT);
    assert_eq!(
        both.send(preflight("/api", EVIL)).await.status,
        StatusCode::FORBIDDEN
    );
    // The request itself is judged by its token alone.
    let outcome = both.send(get("/api", CONTOSO)).await;
    assert_eq!(
        (outcome.status, outcome.inner_calls),
        (StatusCode::FORBIDDEN, 0)
    );
}

#[tokio::test]
async fn no_cache_keeps_answers_of_the_layer() {
    let service = service(policy());
    let token = token(LIST);
    let uri = format!("/discover?anonymousContext=psat%253d{token}");
    let allowed = service.send(preflight(&uri, CONTOSO)).await;
    let mut lines = allowed.lines();
    // The seconds that the token has left are none of this test's business.
    lines.retain(|line| !line.starts_with("access-control-max-age"));
    assert_eq!(
        lines,
        [
            "access-control-allow-headers: authorization",
            "access-control-allow-methods: POST",
            "access-control-allow-origin: https://contoso.com",
            "cache-control: no-store",
            "vary: origin,authorization,access-control-request-method,access-control-request-headers",
        ]
    );
    let refused = service.send(preflight(&uri, EVIL)).await;
    assert_eq!(
        refused.lines(),
        [
            "cache-control: no-store",
            "vary: origin,authorization,access-control-request-method,access-control-request-headers",
        ]
    );
    let refused = service.send(bearer(EVIL, &format!("psat={token}"))).await;
    assert_eq!(
        refused.lines(),
        ["cache-control: no-store", "vary: origin,authorization"]
    );
    // What the service answers, is the service's to keep or not.
    let allowed = service
        .send(bearer(CONTOSO, &format!("psat={token}")))
        .await;
    assert_eq!(
        allowed.lines(),
        [
            "access-control-allow-origin: https://contoso.com",
            "vary: origin,authorization"
        ]
    );
}

#[tokio::test]
async fn grpc_clients_are_refused_in_their_own_shape() {
    let service = service(policy());
    let refuse = async |origin, credentials: &str| {
        let request =
            bearer(origin, credentials).header("content-type", "application/grpc-web+proto");
        service.send(request).await
    };
    let token = token(LIST);
    let mut expired = claims(LIST);
    expired["exp"] = (now() - 120).into();
    let expired = sign(&header(), &expired, RSA);
    for (origin, credentials, status) in [
        (EVIL, &*token, "7"),
        (CONTOSO, "garbage", "16"),
        (EVIL, &*expired, "16"),
    ] {
        let outcome = refuse(origin, &format!("psat={credentials}")).await;
        assert_eq!(
            (outcome.status, outcome.inner_calls, outcome.body),
            (StatusCode::OK, 0, "")
        );
        assert_eq!(
            outcome.lines(),
            [
                "cache-control: no-store",
                "content-type: application/grpc-web+proto",
                &format!("grpc-status: {status}"),
                "vary: origin,authorization",
            ]
        );
    }
    let readable = refuse(CONTOSO, &format!("psat={expired}")).await;
    assert_eq!(
        readable.lines(),
        [
            "access-control-allow-origin: https://contoso.com",
            "access-control-expose-headers: grpc-status",
            "cache-control: no-store",
            "content-type: application/grpc-web+proto",
            "grpc-status: 16",
            "vary: origin,authorization",
        ]
    );
}
