//! Feature `tracing`: what a subscriber hears of denials, and what it never does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex},
};

use http::{Request, Response};
use tower::{Service, ServiceExt, service_fn, util::BoxCloneService};
use tower_cors::{
    Any, CorsLayer, CorsLayerBuilder, CorsRequest, Denial, DenialKind, DeniedRequests,
    OriginPolicy, VerdictFuture, fetch_metadata::FetchMetadataLayer, host::HostLayer,
    policy::PolicyProperties, policy_fn,
};
use tracing::{Event, Level, Subscriber, field::Visit};
use tracing_subscriber::{
    filter::LevelFilter,
    layer::{Context, Layer, SubscriberExt},
};

type Inner = BoxCloneService<Request<()>, Response<String>, Infallible>;

const LISTED: &str = "https://app.example";
const STRANGER: &str = "https://evil.example";

fn list() -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins([LISTED])
        .allow_methods(["PUT"])
        .allow_headers(["x-a"])
}

#[test]
fn a_forwarded_denial_is_told_at_debug() {
    let (events, response) = heard(list(), get(STRANGER), LevelFilter::DEBUG);
    assert_eq!(
        events,
        [
            "DEBUG tower_cors | kind=OriginNotAllowed | message=request forwarded, its response \
             not for the page: the origin is not allowed: add it to allow_origins, or to what the \
             policy reads | method=\"GET\" | origin=\"https://evil.example\" | path=\"/thing\""
        ]
    );
    // Told, yet not recorded: a plain list leaves nothing in the extensions.
    assert!(response.extensions().get::<Denial>().is_none());
}

#[test]
fn refusals_are_told_at_info() {
    let refuse = || list().denied_requests(DeniedRequests::Refuse);
    let (events, response) = heard(refuse(), get(STRANGER), LevelFilter::INFO);
    assert_eq!(
        events,
        [
            "INFO tower_cors | kind=OriginNotAllowed | message=request refused: the origin is not \
             allowed: add it to allow_origins, or to what the policy reads | method=\"GET\" | \
             origin=\"https://evil.example\" | path=\"/thing\""
        ]
    );
    assert!(response.extensions().get::<Denial>().is_some());

    let silent = refuse().record_denials(false);
    let (events, response) = heard(silent, get(STRANGER), LevelFilter::DEBUG);
    assert_eq!(events.len(), 1);
    assert!(response.extensions().get::<Denial>().is_none());

    let (events, _) = heard(list(), preflight(STRANGER, "PUT", "x-a"), LevelFilter::INFO);
    assert_eq!(
        events,
        [
            "INFO tower_cors | kind=OriginNotAllowed | message=preflight refused: the origin is \
             not allowed: add it to allow_origins, or to what the policy reads | \
             method=\"OPTIONS\" | origin=\"https://evil.example\" | path=\"/thing\""
        ]
    );
}

/// The log and the response's extensions have the same denial.
#[test]
fn a_refused_form_is_told_where_it_belongs() {
    let form = |denied: DeniedRequests, level| {
        let mut form = get(STRANGER);
        *form.method_mut() = http::Method::POST;
        form.headers_mut()
            .insert("sec-fetch-mode", "navigate".parse().unwrap());
        let (events, response) = heard(list().denied_requests(denied), form, level);
        let denial = response.extensions().get::<Denial>().cloned();
        (events, denial)
    };
    let hint = ": this is a navigation or a form of another site, whose answer no page reads: \
                leave the route out of the layer, or give its method MethodRule::none() | ";
    let (events, denial) = form(DeniedRequests::Refuse, LevelFilter::INFO);
    assert!(events.len() == 1 && events[0].contains(hint), "{events:?}");
    assert!(denial.unwrap().to_string().contains("MethodRule::none()"));
    let (events, _) = form(DeniedRequests::Forward, LevelFilter::DEBUG);
    assert!(events.len() == 1 && events[0].contains(hint), "{events:?}");
}

/// The event, the denial and the explanation have the same words.
#[test]
fn the_nearest_entry_is_told() {
    let www = || get("https://www.app.example");
    let recording = || list().record_denials(true);
    let (events, response) = heard(recording(), www(), LevelFilter::DEBUG);
    let sentence = "the origin is not allowed; \"https://app.example\" is, without the www.: add it \
                    to allow_origins, or to what the policy reads";
    assert!(
        events[0].contains(&format!(": {sentence} | ")),
        "{events:?}"
    );
    let denial = response.extensions().get::<Denial>().unwrap();
    assert!(denial.to_string().starts_with(sentence), "{denial}");
    let explained = recording().build().unwrap().explain_now(&www()).unwrap();
    let finding = explained.finding().unwrap();
    assert_eq!(format!("{}: {}", finding.cause(), finding.fix()), sentence);
}

#[test]
fn an_explanation_is_no_event() {
    let layer = list().build().unwrap();
    let ear = Ear::default();
    let subscriber = tracing_subscriber::registry().with(ear.clone());
    let explained = tracing::subscriber::with_default(subscriber, || {
        layer.explain_now(&get(STRANGER)).unwrap()
    });
    assert!(explained.denial().is_some());
    assert!(ear.0.lock().unwrap().is_empty());
}

/// The layers beside CORS tell in the same way, with the same limit.
#[test]
fn layers_beside_cors_tell_of_refusals() {
    let hosts = HostLayer::builder().allow_hosts(["api.example"]);
    let rebound = Request::get("/secret?token=secret")
        .header("host", b"evil.example\xff".as_slice())
        .body(())
        .unwrap();
    let own = Request::get("/").header("host", "api.example").body(());
    let flood = [vec![own.unwrap()], vec![rebound; 30]].concat();
    let events = hear(&hosts.build().unwrap(), flood, LevelFilter::INFO, drop);
    assert_eq!(events.len(), 20);
    assert_eq!(
        events[0],
        "INFO tower_cors | host=\"evil.example\\xff\" | kind=MalformedHost | message=request \
         refused: the host is neither a name nor an address as browsers send them: look for a client \
         or a proxy that writes it | method=\"GET\""
    );

    let check = || FetchMetadataLayer::builder();
    let form = || {
        Request::post("/transfer?token=secret")
            .header("origin", STRANGER)
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
            .body(())
            .unwrap()
    };
    let told = |path: &str| {
        format!(
            "INFO tower_cors | kind=NotTrusted | message=request refused: a page of another origin \
             sent it: if that is one of yours, add it to allow_origins, or to what the policy reads | \
             method=\"POST\" | mode=\"navigate\" | origin=\"https://evil.example\"{path} | \
             site=\"cross-site\""
        )
    };
    let layer = check().build().unwrap();
    let events = hear(&layer, vec![form()], LevelFilter::INFO, drop);
    assert_eq!(events, [told(" | path=\"/transfer\"")]);
    assert!(hear(&layer, vec![form()], LevelFilter::WARN, drop).is_empty());

    #[derive(Debug)]
    struct ByPath;

    impl OriginPolicy for ByPath {
        fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
            VerdictFuture::ready(Denial::new(DenialKind::OriginNotAllowed))
        }

        fn properties(&self) -> PolicyProperties {
            PolicyProperties::new().secret_path()
        }
    }

    let layer = check().origin_policy(ByPath).build().unwrap();
    let events = hear(&layer, vec![form()], LevelFilter::INFO, drop);
    assert_eq!(events, [told("")]);
}

/// A token in the path is as secret as one in the query.
#[test]
fn a_path_that_may_hold_a_token_is_not_told() {
    #[derive(Debug)]
    struct ByPath;

    impl OriginPolicy for ByPath {
        fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
            VerdictFuture::ready(Denial::new(DenialKind::InvalidToken))
        }

        fn properties(&self) -> PolicyProperties {
            PolicyProperties::new().secret_path()
        }
    }

    let layer = CorsLayer::builder().origin_policy(ByPath.fallback(Any));
    let (events, _) = heard(layer, get(STRANGER), LevelFilter::DEBUG);
    assert_eq!(
        events,
        [
            "DEBUG tower_cors | kind=InvalidToken | message=request forwarded, its response not \
             for the page: the token does not verify: issue a new one | method=\"GET\" | \
             origin=\"https://evil.example\""
        ]
    );
}

#[cfg(feature = "token")]
#[test]
fn a_token_in_the_path_is_not_told() {
    use tower_cors::token::{
        TokenOrigins, TokenVerifier,
        claim::OriginsClaim,
        source::TokenSource,
        verify::{TokenRequest, VerifyError, VerifyFuture},
    };

    #[derive(Debug)]
    struct KnowsNone;

    impl TokenVerifier for KnowsNone {
        fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
            VerifyFuture::ready(Err(VerifyError::NotAuthentic("unknown")))
        }
    }

    let policy = TokenOrigins::builder()
        .source(TokenSource::path(|path| path.strip_prefix('/')))
        .verifier(KnowsNone)
        .claim(OriginsClaim::array("origins"))
        .build()
        .unwrap();
    let layer = CorsLayer::builder().origin_policy(policy);
    let (events, _) = heard(layer, get(STRANGER), LevelFilter::DEBUG);
    assert_eq!(events.len(), 1);
    assert!(!events[0].contains("thing"), "{}", events[0]);
}

#[test]
fn what_a_preflight_does_not_get_is_told_at_debug() {
    for (request, kind, subject) in [
        (
            preflight(LISTED, "PATCH", ""),
            "MethodNotAllowed",
            "\"PATCH\"",
        ),
        (
            preflight(LISTED, "PUT", "x-a,x-b"),
            "HeaderNotAllowed",
            "\"x-b\"",
        ),
    ] {
        let (events, response) = heard(list(), request, LevelFilter::DEBUG);
        let [event] = &events[..] else {
            panic!("one event, not {events:?}");
        };
        let start = format!("DEBUG tower_cors | asked_for={subject} | kind={kind} | message=prefl");
        assert!(event.starts_with(&start), "{event}");
        assert!(response.extensions().get::<Denial>().is_none());
    }
}

#[test]
fn each_denial_is_told_once_also_when_the_verdict_is_waited_for() {
    for waits in [false, true] {
        let policy = policy_fn(move |_| {
            let denial = Denial::new(DenialKind::Unavailable).reason("tenants: no answer");
            if waits {
                VerdictFuture::new(async move {
                    tokio::task::yield_now().await;
                    denial.into()
                })
            } else {
                VerdictFuture::ready(denial)
            }
        });
        let builder = CorsLayer::builder().origin_policy(policy);
        let (events, _) = heard(builder, get(STRANGER), LevelFilter::DEBUG);
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(
            events[0].ends_with("reason=tenants: no answer"),
            "{events:?}"
        );
    }
}

#[test]
fn what_is_allowed_is_not_told() {
    for request in [
        get(LISTED),
        preflight(LISTED, "PUT", "x-a"),
        Request::get("/thing").body(()).unwrap(),
    ] {
        let (events, _) = heard(list(), request, LevelFilter::TRACE);
        assert_eq!(events, [""; 0]);
    }
}

#[test]
fn a_subscriber_that_is_deaf_hears_nothing() {
    let (events, _) = heard(list(), get(STRANGER), LevelFilter::INFO);
    assert_eq!(events, [""; 0]);
    let refuse = list().denied_requests(DeniedRequests::Refuse);
    let (events, _) = heard(refuse, get(STRANGER), LevelFilter::WARN);
    assert_eq!(events, [""; 0]);
}

/// One line, of bounded length, without the query and without any header but `Origin`.
#[test]
fn a_client_writes_no_line_of_its_own_and_no_secret_is_told() {
    let origin = [
        &b"https://a\t\xff\"\\ INFO tower_cors: granted"[..],
        &[b'a'; 9000],
    ]
    .concat();
    let request = Request::get("/thing/\u{e9}%0d%0aINFO?token=s3cret")
        .header("origin", origin)
        .header("authorization", "Bearer s3cret")
        .header("cookie", "session=s3cret")
        .body(())
        .unwrap();
    let (events, _) = heard(list(), request, LevelFilter::TRACE);
    let [event] = &events[..] else {
        panic!("one event, not {events:?}");
    };
    assert!(event.is_ascii() && event.len() < 1000, "{event}");
    assert!(!event.contains(|c: char| c.is_control()), "{event}");
    assert!(!event.contains("s3cret"), "{event}");
    let escaped = r#"origin="https://a\t\xff\"\\ INFO tower_cors: granteda"#;
    assert!(event.contains(escaped), "{event}");
    assert!(
        event.contains(r#"path="/thing/\xc3\xa9%0d%0aINFO""#),
        "{event}"
    );

    let policy = policy_fn(|_| {
        VerdictFuture::ready(
            Denial::new(DenialKind::InvalidToken).reason("iss: x\r\nINFO all fine"),
        )
    });
    let builder = CorsLayer::builder().origin_policy(policy);
    let (events, _) = heard(builder, get(STRANGER), LevelFilter::TRACE);
    assert!(
        events[0].ends_with(r"reason=iss: x\r\nINFO all fine"),
        "{events:?}"
    );
}

/// Whoever sends requests does not fill the log, nor drown what else goes wrong.
#[test]
fn a_flood_of_denials_is_told_in_part() {
    let flood: Vec<_> = (0..200)
        .map(|_| get(STRANGER))
        .chain([get("null")])
        .collect();
    let events = all_heard(list(), flood, LevelFilter::DEBUG);
    let of_kind = |kind: &str| events.iter().filter(|event| event.contains(kind)).count();
    // It may have been two seconds, or several on a busy machine.
    let told = of_kind("kind=OriginNotAllowed");
    assert!((20..200).contains(&told), "{told}");
    assert_eq!(of_kind("kind=OpaqueOrigin"), 1);
}

#[test]
fn a_difference_in_shadow_is_told_with_both_outcomes() {
    let closing = policy_fn(|_| DenialKind::OriginNotAllowed.because("closed\r\nin May"));
    let shadow = || CorsLayer::builder().origin_policy(closing);
    let (events, _) = heard(list().report_only(shadow()), get(LISTED), LevelFilter::INFO);
    assert_eq!(
        events,
        [
            "INFO tower_cors | change=allows_less | credentials=false | message=request allowed; \
             in shadow forwarded, its response not for the page: the origin is not allowed: add it \
             to allow_origins, or to what the policy reads | method=\"GET\" | \
             origin=\"https://app.example\" | outcome=allowed | path=\"/thing\" | \
             reason=closed\\r\\nin May | shadow_credentials=false | \
             shadow_kind=OriginNotAllowed | shadow_outcome=forwarded"
        ]
    );

    // Where both come to the same, there is the event of the denial alone.
    let (events, _) = heard(
        list().report_only(shadow()),
        get(STRANGER),
        LevelFilter::DEBUG,
    );
    assert!(
        matches!(&events[..], [event] if event.starts_with("DEBUG") && !event.contains("shadow")),
        "{events:?}"
    );
    let (events, _) = heard(list().report_only(shadow()), get(LISTED), LevelFilter::WARN);
    assert_eq!(events, [""; 0]);

    let flood: Vec<_> = (0..200).map(|_| get(LISTED)).collect();
    let told = all_heard(list().report_only(shadow()), flood, LevelFilter::DEBUG).len();
    // It may have been two seconds, or several on a busy machine.
    assert!((20..200).contains(&told), "{told}");
}

/// If either of the two may find a token in the path.
#[test]
fn a_path_that_is_secret_in_shadow_is_not_told() {
    #[derive(Debug)]
    struct ByPath;

    impl OriginPolicy for ByPath {
        fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
            VerdictFuture::ready(Denial::new(DenialKind::InvalidToken))
        }

        fn properties(&self) -> PolicyProperties {
            PolicyProperties::new().secret_path()
        }
    }

    let by_path = || CorsLayer::builder().origin_policy(ByPath);
    for layer in [list().report_only(by_path()), by_path().report_only(list())] {
        let (events, _) = heard(layer, get(LISTED), LevelFilter::INFO);
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].contains("shadow") && !events[0].contains("thing"));
    }
}

fn get(origin: &str) -> Request<()> {
    Request::get("/thing?token=s3cret")
        .header("origin", origin)
        .body(())
        .unwrap()
}

fn preflight(origin: &str, method: &str, headers: &str) -> Request<()> {
    Request::options("/thing?token=s3cret")
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers)
        .body(())
        .unwrap()
}

/// The events that a subscriber hears while a layer answers a request, and the answer.
fn heard(
    builder: CorsLayerBuilder,
    request: Request<()>,
    level: LevelFilter,
) -> (Vec<String>, Response<String>) {
    let mut response = None;
    let layer = builder.build().unwrap();
    let events = hear(&layer, vec![request], level, |one| response = Some(one));
    (events, response.unwrap())
}

/// The events while a layer answers many requests, one after the other.
fn all_heard(
    builder: CorsLayerBuilder,
    requests: Vec<Request<()>>,
    level: LevelFilter,
) -> Vec<String> {
    hear(&builder.build().unwrap(), requests, level, drop)
}

fn hear<L>(
    layer: &L,
    requests: Vec<Request<()>>,
    level: LevelFilter,
    mut each: impl FnMut(Response<String>),
) -> Vec<String>
where
    L: tower::Layer<Inner>,
    L::Service: Service<Request<()>, Response = Response<String>, Error = Infallible> + Clone,
{
    // What callsites know of subscribers is kept for the whole process.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|held| held.into_inner());
    let ear = Ear::default();
    let subscriber = tracing_subscriber::registry().with(ear.clone().with_filter(level));
    let inner = service_fn(|_: Request<()>| async { Ok(Response::default()) });
    let service = layer.layer(Inner::new(inner));
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for request in requests {
            each(runtime.block_on(service.clone().oneshot(request)).unwrap());
        }
    });
    ear.0.lock().unwrap().clone()
}

/// Writes events down, their fields sorted.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level: &Level = event.metadata().level();
        let mut line = format!("{level} {}", event.metadata().target());
        for (name, value) in fields.0 {
            line.push_str(&format!(" | {name}={value}"));
        }
        self.0.lock().unwrap().push(line);
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
