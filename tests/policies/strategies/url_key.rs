//! [`UrlKey`]: lists by a key in the URL.

use super::*;

#[test]
fn url_key_answers_for_the_key() {
    let lists = projects();
    let policy = UrlKey::new(project_of, move |key| lists.get(key).cloned());
    let policy = Arc::new(policy.max_age_at_most(Duration::from_secs(30)));
    let long = |b| listed(b).max_age(Duration::from_secs(600));

    let ask = |uri: &'static str, page: &'static str| {
        ask_both(&policy, long, move || preflight(uri, page, "content-type"))
    };
    assert_eq!(ask("/api/one/x", PAGE), passed(PAGE, Some("30")));
    assert_eq!(ask("/api/two/x", OTHER), passed(OTHER, Some("30")));
    let foreign = refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed);
    assert_eq!(ask("/api/two/x", PAGE), foreign);
    assert_eq!(
        ask("/api/one/x", "null"),
        refused(PREFLIGHT_VARY, DenialKind::OpaqueOrigin)
    );
    // No key: another policy may answer.
    assert_eq!(
        ask("/other", PAGE),
        refused(PREFLIGHT_VARY, DenialKind::NoPolicy)
    );

    let granted = ask_both(&policy, long, || actual("/api/one/x", PAGE, &[]));
    assert_eq!(
        granted,
        Answer {
            status: 200,
            headers: headers(&[("access-control-allow-origin", PAGE), ("vary", "origin")]),
            ran: true,
            denial: None,
        }
    );
}

#[test]
fn url_key_waits_for_its_lookup() {
    let policy = |outcome: fn(&str) -> Lookup| {
        UrlKey::new(project_of, move |key: &str| {
            let outcome = outcome(key);
            LookupFuture::new(async move {
                later().await;
                outcome
            })
        })
    };
    let known = policy(|key| projects().get(key).cloned().into());
    let layer = |policy| {
        listed(CorsLayer::builder())
            .origin_policy(policy)
            .build()
            .unwrap()
    };
    let known = layer(Arc::new(known) as Arc<dyn OriginPolicy>);
    assert_eq!(
        ask(&known, preflight("/api/one", PAGE, "")),
        passed(PAGE, None)
    );
    assert_eq!(
        ask(&known, preflight("/api/two", PAGE, "")),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
    let down = layer(Arc::new(policy(|_| Lookup::Unavailable)));
    let answer = ask(&down, preflight("/api/one", PAGE, ""));
    assert_eq!(answer, refused(PREFLIGHT_VARY, DenialKind::Unavailable));
    let mut unavailable = refused("origin", DenialKind::Unavailable);
    unavailable.status = 503;
    assert_eq!(ask(&down, actual("/api/one", PAGE, &[])), unavailable);
}

#[test]
fn url_key_reads_the_host_and_the_query_without_a_copy() {
    let policy = UrlKey::new(
        |request| {
            let host = request.headers().get(header::HOST)?.to_str().ok()?;
            host.strip_suffix(".api.example")
        },
        |tenant| (tenant == "one").then(|| set(&[PAGE])),
    );
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    let at = |host: &str| {
        let mut request = preflight("/", PAGE, "");
        request
            .headers_mut()
            .insert(header::HOST, host.parse().unwrap());
        ask(&layer, request).status
    };
    assert_eq!(at("one.api.example"), 204);
    assert_eq!(at("two.api.example"), 403);
    assert_eq!(at("one.api.example.evil.example"), 403);

    let policy = UrlKey::new(
        |request| request.uri().query()?.strip_prefix("sentry_key="),
        |key| (key == "abc").then(|| set(&[PAGE])),
    );
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    assert_eq!(
        ask(&layer, preflight("/?sentry_key=abc", PAGE, "")).status,
        204
    );
    assert_eq!(
        ask(&layer, preflight("/?sentry_key=abd", PAGE, "")).status,
        403
    );
}
