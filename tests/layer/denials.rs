//! Denials: for the operator in the response's extensions, for the client a bare status.

use tower_cors::{
    CorsLayer, CorsRequest, Denial, DenialKind, DeniedRequests, OriginPolicy, Verdict,
    VerdictFuture, policy::PolicyProperties, policy_fn,
};

use crate::support::service::{LISTED, STRANGER, Subject, get_from, preflight_from, request};

const VARY: &str = "vary: origin,access-control-request-method,access-control-request-headers";

fn denying(denial: Denial) -> impl OriginPolicy {
    policy_fn(move |_| VerdictFuture::ready(denial.clone()))
}

fn refusing(denial: Denial) -> Subject {
    Subject::policy(denying(denial), |cors| {
        cors.denied_requests(DeniedRequests::Refuse)
    })
}

#[test]
fn each_kind_is_recorded_with_its_text_and_origin() {
    let subject = Subject::list(|cors| {
        cors.allow_methods(["PUT"])
            .allow_headers(["x-a"])
            .record_denials(true)
    });
    let several = [("origin", LISTED), ("origin", STRANGER)];
    for (request, kind, text) in [
        (
            get_from(STRANGER),
            DenialKind::OriginNotAllowed,
            "the origin is not allowed: add it to allow_origins, or to what the policy reads \
             (origin: \"https://evil.example\")",
        ),
        (
            preflight_from(STRANGER, "PUT", ""),
            DenialKind::OriginNotAllowed,
            "the origin is not allowed: add it to allow_origins, or to what the policy reads \
             (origin: \"https://evil.example\")",
        ),
        (
            get_from("null"),
            DenialKind::OpaqueOrigin,
            "the origin is null, as in sandboxed frames, file: pages and after redirects: serve \
             the page from an origin of its own (origin: \"null\")",
        ),
        (
            get_from("https://app.example/path"),
            DenialKind::MalformedOrigin,
            "the Origin header is not an origin as browsers send it: send \"https://app.example\", \
             which is allowed: look for a proxy or a client that writes it \
             (origin: \"https://app.example/path\")",
        ),
        (
            request("GET", &several),
            DenialKind::SeveralOrigins,
            "there are several Origin headers: look for a proxy that adds one \
             (origin: \"https://app.example\")",
        ),
        (
            preflight_from(LISTED, "TRACE", ""),
            DenialKind::MalformedPreflight,
            "the preflight asks for what no page can send, or for too much: look for a proxy or a \
             client that writes Access-Control-Request headers (origin: \"https://app.example\")",
        ),
        (
            preflight_from(LISTED, "PATCH", ""),
            DenialKind::MethodNotAllowed,
            "the origin is allowed, the method is not: add it to allow_methods \
             (asked for: \"PATCH\") (origin: \"https://app.example\")",
        ),
        (
            preflight_from(LISTED, "PUT", "x-a,X-B"),
            DenialKind::HeaderNotAllowed,
            "the origin is allowed, a request header is not: add it to allow_headers \
             (asked for: \"X-B\") (origin: \"https://app.example\")",
        ),
    ] {
        let denial = subject.send(&request).denial.expect(text);
        assert_eq!(denial.kind(), kind);
        assert_eq!(denial.to_string(), text);
        assert_eq!(denial.origin(), request.headers().get("origin"));
    }
}

#[test]
fn a_list_is_explained_in_the_same_way_beside_null() {
    let list = ["https://github.io", "https://app.example"];
    let alone = CorsLayer::builder().allow_origins(list);
    let beside_null = CorsLayer::builder()
        .allow_origins(list.into_iter().chain(["null"]).collect::<Vec<_>>())
        .dangerously_allow_null_origin();
    let subjects =
        [alone, beside_null].map(|cors| Subject::layer(cors.record_denials(true).build().unwrap()));
    assert!(subjects[1].send(&get_from("null")).denial.is_none());
    for (origin, text) in [
        (
            "https://app.example/path",
            "the Origin header is not an origin as browsers send it: send \"https://app.example\", \
             which is allowed: look for a proxy or a client that writes it \
             (origin: \"https://app.example/path\")",
        ),
        // Anybody can have a name below this one, so no pattern is proposed.
        (
            "https://me.github.io",
            "the origin is not allowed; \"https://github.io\" is, which is a name above it: add it to \
             allow_origins, or to what the policy reads (origin: \"https://me.github.io\")",
        ),
    ] {
        for subject in &subjects {
            let outcome = subject.send(&get_from(origin));
            assert_eq!(outcome.denial.unwrap().to_string(), text);
        }
    }
}

#[test]
fn the_reason_of_a_policy_is_kept_for_navigations() {
    let denial = || Denial::new(DenialKind::OriginNotAllowed).reason("not a customer");
    let subject = Subject::policy(denying(denial()), |cors| cors.record_denials(true));
    let navigation = [("origin", STRANGER), ("sec-fetch-mode", "navigate")];
    for request in [get_from(STRANGER), request("POST", &navigation)] {
        let outcome = subject.send(&request);
        assert_eq!(
            outcome.denial.unwrap().to_string(),
            "the origin is not allowed: add it to allow_origins, or to what the policy reads \
             (origin: \"https://evil.example\") (not a customer)"
        );
    }
}

#[test]
fn what_is_granted_leaves_none() {
    let subject = Subject::list(|cors| cors.record_denials(true));
    for request in [
        get_from(LISTED),
        preflight_from(LISTED, "GET", ""),
        request("GET", &[]),
    ] {
        assert!(subject.send(&request).denial.is_none());
    }
}

#[test]
fn they_are_recorded_by_default_only_where_requests_are_refused() {
    let forwarding = Subject::list(|cors| cors);
    let refusing = Subject::list(|cors| cors.denied_requests(DeniedRequests::Refuse));
    let silent = Subject::list(|cors| {
        cors.denied_requests(DeniedRequests::Refuse)
            .record_denials(false)
    });
    for request in [get_from(STRANGER), preflight_from(STRANGER, "PUT", "")] {
        assert!(forwarding.send(&request).denial.is_none());
        assert!(refusing.send(&request).denial.is_some());
        assert!(silent.send(&request).denial.is_none());
    }
}

#[test]
fn a_policy_that_abstains_to_the_end_denies() {
    let abstaining = policy_fn(|_| Verdict::Abstain);
    let subject = Subject::policy(abstaining, |cors| {
        cors.denied_requests(DeniedRequests::Refuse)
    });
    let outcome = subject.send(&get_from(LISTED));
    outcome.assert_layer(403, &["vary: origin"]);
    assert_eq!(outcome.denial.unwrap().kind(), DenialKind::NoPolicy);
    let outcome = subject.send(&preflight_from(LISTED, "PUT", ""));
    outcome.assert_layer(403, &[VARY]);
    assert_eq!(outcome.denial.unwrap().kind(), DenialKind::NoPolicy);
}

#[test]
fn the_reason_is_recorded_and_never_sent() {
    let denial = Denial::new(DenialKind::OriginNotAllowed).reason("tenant 7 is suspended");
    let outcome = refusing(denial).send(&get_from(STRANGER));
    outcome.assert_layer(403, &["vary: origin"]);
    assert_eq!(
        outcome.denial.unwrap().to_string(),
        "the origin is not allowed: add it to allow_origins, or to what the policy reads \
         (origin: \"https://evil.example\") (tenant 7 is suspended)",
    );
}

/// RFC 6750, section 3.1, and nothing that tells which check failed.
#[test]
fn tokens_are_refused_with_401_and_a_challenge() {
    for kind in [DenialKind::InvalidToken, DenialKind::ExpiredToken] {
        let outcome = refusing(Denial::new(kind)).send(&get_from(STRANGER));
        outcome.assert_layer(
            401,
            &[
                "vary: origin",
                "www-authenticate: Bearer error=\"invalid_token\"",
            ],
        );
    }
    let outcome = refusing(Denial::new(DenialKind::Unavailable)).send(&get_from(STRANGER));
    outcome.assert_layer(503, &["vary: origin"]);
}

/// So that a page can tell an expired token from a network failure.
#[test]
fn a_readable_denial_can_be_read() {
    let expired = Denial::new(DenialKind::ExpiredToken).readable();
    let outcome = refusing(expired.clone()).send(&get_from(LISTED));
    outcome.assert_layer(
        401,
        &[
            "access-control-allow-origin: https://app.example",
            "access-control-expose-headers: www-authenticate",
            "vary: origin",
            "www-authenticate: Bearer error=\"invalid_token\"",
        ],
    );
    // Forwarded, it is the inner service's answer, which the origin may not read.
    let forwarding = Subject::policy(denying(expired), |cors| cors);
    let outcome = forwarding.send(&get_from(LISTED));
    outcome.assert_inner(200, &["vary: origin", "x-inner: called"]);
}

/// As its grant would have said, whatever the layer says.
#[test]
fn a_readable_denial_says_itself_whether_credentials_may_read_it() {
    for (of_layer, of_denial) in [(false, true), (true, false)] {
        let expired = Denial::new(DenialKind::ExpiredToken).readable_with(of_denial);
        let subject = Subject::policy(denying(expired), |cors| {
            cors.allow_credentials(of_layer)
                .denied_requests(DeniedRequests::Refuse)
        });
        let outcome = subject.send(&get_from(LISTED));
        let expected = of_denial.then_some("true");
        assert_eq!(outcome.status, 401);
        assert_eq!(
            outcome.header("access-control-allow-origin"),
            Some(LISTED),
            "{of_denial}"
        );
        assert_eq!(
            outcome.header("access-control-allow-credentials"),
            expected,
            "{of_denial}"
        );
    }
}

#[test]
fn a_readable_denial_does_not_let_a_preflight_pass() {
    let forbidden = Denial::new(DenialKind::OriginNotAllowed).readable();
    let outcome = refusing(forbidden).send(&preflight_from(LISTED, "PUT", ""));
    outcome.assert_layer(403, &[VARY]);
}

#[test]
fn a_policy_says_itself_whether_its_denials_are_enforced() {
    #[derive(Debug)]
    struct Promise;

    impl OriginPolicy for Promise {
        fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
            VerdictFuture::ready(Denial::new(DenialKind::OriginNotAllowed))
        }

        fn properties(&self) -> PolicyProperties {
            PolicyProperties::new().denied_requests(DeniedRequests::Refuse)
        }
    }

    let subject = Subject::policy(Promise, |cors| cors);
    let outcome = subject.send(&get_from(LISTED));
    outcome.assert_layer(403, &["vary: origin"]);

    let overruled = CorsLayer::builder()
        .origin_policy(Promise)
        .denied_requests(DeniedRequests::Forward);
    let outcome = Subject::layer(overruled.build().unwrap()).send(&get_from(LISTED));
    outcome.assert_inner(200, &["vary: origin", "x-inner: called"]);
}

/// It may be written to a log as it is.
#[test]
fn hostile_texts_are_recorded_escaped_and_within_bounds() {
    let subject = Subject::list(|cors| cors.record_denials(true));
    let long = [&b"https://a\xff\t tower_cors: granted "[..], &[b'a'; 9000]].concat();
    let sent = http::Request::builder().header("origin", long);
    let denial = subject.send(&sent.body(()).unwrap()).denial.unwrap();
    assert_eq!(denial.kind(), DenialKind::MalformedOrigin);
    assert_one_short_line(&denial);

    let name = "a".repeat(4000);
    let outcome = subject.send(&preflight_from(LISTED, "PUT", &name));
    assert_one_short_line(&outcome.denial.unwrap());

    let read = Denial::new(DenialKind::InvalidToken).reason("issuer: x\r\n\u{1b}[2J");
    let outcome = refusing(read).send(&get_from(STRANGER));
    assert_one_short_line(&outcome.denial.unwrap());
}

fn assert_one_short_line(denial: &Denial) {
    let text = denial.to_string();
    assert!(!text.contains(|c: char| c.is_control()), "{text}");
    assert!(text.is_ascii() && text.len() < 1000, "{text}");
}
