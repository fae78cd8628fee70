//! [`BearerOr`]: bearer callers, or a policy for cookies.

use super::*;

const SPLIT_VARY: &str = "origin,authorization,cookie";
const SPLIT_PREFLIGHT_VARY: &str = "origin,authorization,cookie,access-control-request-method,\
                                    access-control-request-headers";

#[test]
fn acrh_split_tells_callers_apart_at_the_preflight() {
    let ask = |page: &'static str, names: &'static str| {
        ask_both(&split(), with_credentials, move || {
            preflight("/", page, names)
        })
    };
    let answer = |page, credentials: bool| {
        let mut expected = vec![
            ("access-control-allow-origin", page),
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-headers", "authorization,content-type"),
            ("cache-control", "no-store"),
            ("vary", SPLIT_PREFLIGHT_VARY),
        ];
        expected.extend(credentials.then_some(("access-control-allow-credentials", "true")));
        Answer {
            status: 204,
            headers: headers(&expected),
            ran: false,
            denial: None,
        }
    };
    assert_eq!(ask(PAGE, "content-type"), answer(PAGE, true));
    assert_eq!(ask(PAGE, ""), answer(PAGE, true));
    assert_eq!(ask(PAGE, "authorization"), answer(PAGE, false));
    assert_eq!(
        ask(EVIL, "Authorization, content-type"),
        answer(EVIL, false)
    );
    let foreign = refused(SPLIT_PREFLIGHT_VARY, DenialKind::OriginNotAllowed);
    assert_eq!(ask(EVIL, "content-type"), foreign);
    let opaque = refused(SPLIT_PREFLIGHT_VARY, DenialKind::OpaqueOrigin);
    assert_eq!(ask("null", "authorization"), opaque);
}

#[test]
fn acrh_split_tells_callers_apart_at_the_request() {
    const BEARER: (HeaderName, &str) = (header::AUTHORIZATION, "Bearer x");
    const COOKIE: (HeaderName, &str) = (header::COOKIE, "session=1");
    let ask = |page: &'static str, sent: &'static [(HeaderName, &'static str)]| {
        ask_both(&split(), with_credentials, move || actual("/", page, sent))
    };
    let answer = |page, credentials: bool| {
        let mut expected = vec![("access-control-allow-origin", page), ("vary", SPLIT_VARY)];
        expected.extend(credentials.then_some(("access-control-allow-credentials", "true")));
        Answer {
            status: 200,
            headers: headers(&expected),
            ran: true,
            denial: None,
        }
    };
    assert_eq!(ask(PAGE, const { &[COOKIE] }), answer(PAGE, true));
    assert_eq!(ask(EVIL, const { &[BEARER] }), answer(EVIL, false));
    assert_eq!(ask(PAGE, const { &[BEARER] }), answer(PAGE, false));
    // Who sends both is a cookie caller.
    assert_eq!(ask(PAGE, const { &[BEARER, COOKIE] }), answer(PAGE, true));
    let foreign = || refused(SPLIT_VARY, DenialKind::OriginNotAllowed);
    assert_eq!(ask(EVIL, const { &[BEARER, COOKIE] }), foreign());
    assert_eq!(ask(EVIL, const { &[COOKIE] }), foreign());
    assert_eq!(ask(EVIL, &[]), foreign());
    // Browsers send these on their own.
    assert_eq!(
        ask(EVIL, const { &[(header::AUTHORIZATION, "Basic x")] }),
        foreign()
    );
    assert_eq!(ask(EVIL, const { &[BEARER, BEARER] }), foreign());
    let opaque = refused(SPLIT_VARY, DenialKind::OpaqueOrigin);
    assert_eq!(ask("null", const { &[BEARER] }), opaque);
}

#[test]
fn acrh_split_for_another_policy_is_a_broad_preflight() {
    let policy = || token_policy().with_preflight(split());
    assert!(
        listed(CorsLayer::builder())
            .origin_policy(policy())
            .build()
            .is_ok()
    );
    let errors = with_credentials(CorsLayer::builder())
        .origin_policy(policy())
        .build();
    assert_eq!(reasons(errors), [BroadPreflightReason::Credentials]);
    // By itself it judges what it lets pass.
    assert!(
        with_credentials(CorsLayer::builder())
            .origin_policy(split())
            .build()
            .is_ok()
    );
}
