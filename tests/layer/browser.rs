//! The simulated browser against layers of this crate, where scripted answers do not reach: pages in
//! frames, links and forms, what is not sent, and what a failure prints.

use std::{convert::Infallible, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use tower::{Layer, Service, ServiceExt, service_fn, util::BoxCloneService};
use tower_cors::{
    CorsLayer, CorsLayerBuilder, DeniedRequests,
    test_util::{
        Browser, Credentials, Engine, Failure, InvalidUrl, ManualClock, Outcome, PageRequest,
        Played,
    },
};

const API: &str = "https://api.example.com/things";

type Echo = BoxCloneService<Request<Bytes>, Response<HeaderMap>, Infallible>;

/// Answers with the headers of the request.
fn service(configure: impl FnOnce(CorsLayerBuilder) -> CorsLayerBuilder) -> Echo {
    let builder = CorsLayer::builder()
        .allow_origins(["https://app.example.com", "https://widget.example"])
        .allow_credentials(true)
        .allow_methods(["PUT"])
        .max_age(Duration::from_secs(7200))
        .record_denials(true);
    let echo = service_fn(async |request: Request<Bytes>| {
        Ok::<_, Infallible>(Response::new(request.headers().clone()))
    });
    BoxCloneService::new(configure(builder).build().unwrap().layer(echo))
}

fn same(builder: CorsLayerBuilder) -> CorsLayerBuilder {
    builder
}

async fn send(request: PageRequest) -> Played<HeaderMap> {
    request.send(service(same)).await.unwrap()
}

fn browser() -> Browser {
    let browser = Browser::new().clock(ManualClock::new());
    for cookie in [
        "strict=1; SameSite=Strict; Secure",
        "lax=1; Secure",
        "none=1; SameSite=None; Secure",
    ] {
        browser
            .set_cookie("https://api.example.com/", cookie)
            .unwrap();
    }
    browser
}

/// The names of the cookies that arrive, whether or not the page reads the answer.
fn cookies(played: &Played<HeaderMap>) -> String {
    let sent = played.exchanges().last().unwrap();
    let cookies = sent.request_headers.get(header::COOKIE);
    cookies
        .map_or("", |line| line.to_str().unwrap())
        .replace("=1", "")
}

#[tokio::test]
async fn cookies_follow_the_page_the_frame_and_the_kind_of_request() {
    let browser = browser();
    let own = browser.page("https://app.example.com/").unwrap();
    let other = browser.page("https://widget.example/").unwrap();
    let include = |request: PageRequest| request.credentials(Credentials::Include);
    for (request, expected) in [
        (include(own.fetch(API)), "strict; lax; none"),
        (own.fetch(API), ""),
        (include(other.fetch(API)), "none"),
        (other.follow_link(API), "lax; none"),
        (other.submit_form(API).body("a=b"), "none"),
        (own.submit_form(API), "strict; lax; none"),
        (include(other.fetch(API).no_cors()), "none"),
        (
            include(
                own.clone()
                    .in_frame_of("https://shop.example")
                    .unwrap()
                    .fetch(API),
            ),
            "none",
        ),
        (
            include(
                own.clone()
                    .in_frame_of("https://www.example.com")
                    .unwrap()
                    .fetch(API),
            ),
            "strict; lax; none",
        ),
        (include(browser.sandboxed_page().fetch(API)), "none"),
        // Not with a `Secure` cookie over the network in the clear.
        (include(own.fetch("http://api.example.com/")), ""),
    ] {
        let played = send(request).await;
        assert_eq!(cookies(&played), expected, "{played}");
    }
}

#[tokio::test]
async fn links_and_forms_are_no_matter_of_cors_and_can_be_refused() {
    let evil = browser().page("https://evil.example/").unwrap();
    let form = || evil.submit_form(API).body("amount=1");
    let played = send(form()).await;
    assert!(matches!(played.outcome(), Outcome::Opaque(_)), "{played}");
    let sent = &played.exchanges()[0].request_headers;
    assert_eq!(sent["origin"], "https://evil.example");
    assert_eq!(sent["sec-fetch-site"], "cross-site");
    assert_eq!(sent["sec-fetch-mode"], "navigate");
    assert_eq!(sent["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(played.exchanges()[0].status, 200);

    let refusing = service(|builder| builder.denied_requests(DeniedRequests::Refuse));
    let played = form().send(refusing.clone()).await.unwrap();
    assert_eq!(played.exchanges()[0].status, 403, "{played}");
    // A link has no `Origin`, so it passes.
    let link = evil.follow_link(API);
    let played = link.send(refusing).await.unwrap();
    assert!(!played.exchanges()[0].request_headers.contains_key("origin"));
    assert_eq!(played.exchanges()[0].status, 200, "{played}");
}

#[tokio::test]
async fn no_cors_reaches_the_service_and_reads_nothing() {
    let page = browser().page("https://evil.example/").unwrap();
    let request = page
        .fetch(API)
        .no_cors()
        .header("x-a", "1")
        .header("accept", "text/html");
    let played = send(request).await;
    let sent = &played.exchanges()[0].request_headers;
    assert!(
        !sent.contains_key("x-a") && !sent.contains_key("origin"),
        "{played}"
    );
    assert_eq!(sent["accept"], "text/html");
    assert_eq!(played.failure(), Some(&Failure::Opaque));
    let put = send(page.fetch(API).no_cors().method("PUT")).await;
    let failure = Failure::MethodNotSafelisted(http::Method::PUT);
    assert_eq!(put.failure(), Some(&failure));
    let post = send(page.fetch(API).no_cors().method("post").body("x")).await;
    assert_eq!(
        post.exchanges()[0].request_headers["origin"],
        "https://evil.example"
    );
}

#[tokio::test]
async fn what_fetch_does_not_take_is_not_sent() {
    let page = browser().page("https://app.example.com/").unwrap();
    for request in [
        page.fetch("ftp://api.example.com/"),
        page.fetch("https://user@api.example.com/"),
        page.fetch("https://a b/"),
        page.fetch(API).method("A B"),
        page.fetch(API).method("TRACE"),
        page.fetch(API).header("a b", "c"),
        page.fetch(API).header("x-a", "b\0"),
        page.fetch(API).body("with a GET"),
    ] {
        let played = send(request).await;
        assert!(matches!(played.outcome(), Outcome::NotSent(_)), "{played}");
        assert!(played.exchanges().is_empty());
    }
    let wrong: InvalidUrl = Browser::new().page("app.example.com").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "\"app.example.com\" is not a URL that a test can use: it has no scheme and host"
    );
}

#[tokio::test]
async fn preflights_are_remembered_for_each_site_that_frames_the_page() {
    let browser = Browser::new().clock(ManualClock::new());
    let alone = browser.page("https://widget.example/").unwrap();
    let in_frame = |top| alone.clone().in_frame_of(top).unwrap();
    let mut counts = Vec::new();
    for page in [
        alone.clone(),
        alone.clone(),
        in_frame("https://shop.example"),
        in_frame("https://www.shop.example:8443"),
        in_frame("https://other.example"),
        in_frame("http://shop.example"),
    ] {
        counts.push(send(page.fetch(API).method("PUT")).await.preflights());
    }
    assert_eq!(counts, [1, 0, 1, 0, 1, 1]);
    browser.clear();
    assert_eq!(send(alone.fetch(API).method("PUT")).await.preflights(), 1);
}

#[tokio::test]
async fn each_engine_has_its_limit() {
    for (engine, limit) in [
        (Engine::Standard, 7200),
        (Engine::Chromium, 7200),
        (Engine::Firefox, 7200),
        (Engine::WebKit, 600),
    ] {
        let clock = ManualClock::new();
        let browser = Browser::new().engine(engine).clock(clock.clone());
        let page = browser.page("https://app.example.com/").unwrap();
        let put = || send(page.fetch(API).method("PUT"));
        put().await.expect_preflights(1).expect_readable();
        clock.advance(Duration::from_secs(limit - 1));
        put().await.expect_preflights(0).expect_readable();
        clock.advance(Duration::from_secs(1));
        put().await.expect_preflights(1).expect_readable();
    }
}

#[tokio::test]
async fn a_failure_prints_the_exchange_and_no_secret() {
    let page = browser().page("https://evil.example/").unwrap();
    let url = "https://api.example.com/things?token=secret";
    let request = page.fetch(url).credentials(Credentials::Include);
    let request = request
        .header("authorization", "Bearer secret")
        .method("PUT");
    let played = send(request).await;
    assert_eq!(
        played.to_string(),
        "a page of https://evil.example, Standard:
  preflight: OPTIONS https://api.example.com/things?...
    > host: api.example.com
    > origin: https://evil.example
    > accept: */*
    > access-control-request-method: PUT
    > access-control-request-headers: authorization
    > sec-fetch-site: cross-site
    > sec-fetch-mode: cors
    > sec-fetch-dest: empty
    < 403 Forbidden
    < vary: origin,access-control-request-method,access-control-request-headers
    the layer: the origin is not allowed: add it to allow_origins, or to what the policy reads \
         (origin: \"https://evil.example\")
    the browser: no 'Access-Control-Allow-Origin' header is present on the requested resource
  the preflight did not pass, the request was not sent: no 'Access-Control-Allow-Origin' header is \
         present on the requested resource"
    );
    let get = page.fetch(url).credentials(Credentials::Include);
    let text = send(get).await.to_string();
    assert!(text.contains("> cookie: (6 bytes)"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

/// The message of the panic of an expectation that is not met.
fn message<T>(expectation: impl FnOnce() -> T + std::panic::UnwindSafe) -> String {
    let Err(panic) = std::panic::catch_unwind(expectation) else {
        return "it is met".to_owned();
    };
    *panic.downcast::<String>().expect("it is a text")
}

#[tokio::test]
async fn expectations_fail_with_the_exchange() {
    let browser = browser();
    let page = browser.page("https://app.example.com/").unwrap();
    let evil = browser.page("https://evil.example/").unwrap();
    let read = [
        send(page.fetch(API)).await,
        send(page.fetch(API)).await,
        send(page.fetch(API)).await,
    ];
    let [one, two, three] = read.map(std::panic::AssertUnwindSafe);
    let blocked = std::panic::AssertUnwindSafe(send(evil.fetch(API)).await);
    for (text, begin) in [
        (
            message(move || {
                let p = one;
                p.0.expect_unreadable()
            }),
            "the page reads the answer\n",
        ),
        (
            message(move || {
                let p = two;
                p.0.expect_blocked()
            }),
            "the answer was not blocked\n",
        ),
        (
            message(move || {
                let p = three;
                p.0.expect_preflights(1)
            }),
            "0 preflights, not 1\n",
        ),
        (
            message(move || {
                let p = blocked;
                p.0.expect_readable()
            }),
            "the page cannot read the answer\n",
        ),
    ] {
        assert!(text.starts_with(begin), "{text}");
        assert!(
            text.contains("request: GET https://api.example.com/things"),
            "{text}"
        );
    }
}

/// A service that is not ready at once, and futures that go to another thread.
#[tokio::test]
async fn it_waits_for_the_service_and_can_be_spawned() {
    let limited = tower::ServiceBuilder::new()
        .concurrency_limit(1)
        .service(service(same));
    let page = browser().page("https://app.example.com/").unwrap();
    let sent = tokio::spawn(page.fetch(API).method("PUT").send(limited));
    sent.await
        .unwrap()
        .unwrap()
        .expect_preflights(1)
        .expect_readable();
    let mut plain = service(same);
    let ready = plain.ready().await.unwrap();
    assert!(ready.call(Request::new(Bytes::new())).await.is_ok());
}
