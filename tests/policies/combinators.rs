//! Combinators and ready-made policies, once ready and once waiting: what they say, and who was
//! asked for it.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use http::{
    Request, Response, StatusCode,
    header::{AUTHORIZATION, HOST, ORIGIN},
};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{
    Any, CorsLayer, CorsRequest, Denial, DenialKind, DeniedRequests, Grant, OriginPolicy,
    OriginSet, Verdict, VerdictFuture,
    error::{BroadPreflightReason, ConfigError},
    policy::{BearerOr, PolicyProperties},
    policy_fn,
};

const LISTED: &str = "https://app.example";
const STRANGER: &str = "https://evil.example";

type Log = Arc<Mutex<Vec<String>>>;

/// Says always the same, at once or later, and writes down who was asked what.
#[derive(Clone, Debug)]
struct Scripted {
    name: &'static str,
    verdict: Verdict,
    waits: bool,
    asked: Log,
    properties: PolicyProperties,
}

impl Scripted {
    fn say(&self, what: &str, request: &CorsRequest<'_>) -> VerdictFuture {
        let preflight = request.preflight().map(|p| format!("{:?}", p.headers()));
        let origin = request.origin().tuple().unwrap();
        let host = request.headers().get(HOST).is_some();
        let line = format!("{} {what} {origin} {host} {preflight:?}", self.name);
        self.asked.lock().unwrap().push(line);
        let verdict = self.verdict.clone();
        if self.waits {
            VerdictFuture::new(async move {
                tokio::task::yield_now().await;
                verdict
            })
        } else {
            VerdictFuture::ready(verdict)
        }
    }
}

impl OriginPolicy for Scripted {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.say("judges", request)
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.say("judges the preflight", request)
    }

    fn properties(&self) -> PolicyProperties {
        self.properties.clone()
    }
}

fn scripted(name: &'static str, verdict: Verdict, waits: bool, asked: &Log) -> Scripted {
    Scripted {
        name,
        verdict,
        waits,
        asked: Arc::clone(asked),
        properties: PolicyProperties::new(),
    }
}

fn allow() -> Verdict {
    Verdict::Allow(Grant::new())
}

fn deny() -> Verdict {
    Verdict::Deny(Denial::new(DenialKind::OriginNotAllowed))
}

fn get(origin: &str) -> Request<()> {
    let request = Request::get("/").header("host", "api.example");
    request.header("origin", origin).body(()).unwrap()
}

fn preflight(origin: &str) -> Request<()> {
    Request::options("/")
        .header("host", "api.example")
        .header("origin", origin)
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .body(())
        .unwrap()
}

/// The answer of a layer with the policy that refuses what is denied.
fn send(policy: impl OriginPolicy, request: Request<()>) -> Response<String> {
    let cors = CorsLayer::builder()
        .origin_policy(policy)
        .denied_requests(DeniedRequests::Refuse)
        .build()
        .unwrap();
    let inner = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::default()) });
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(cors.layer(inner).oneshot(request))
        .unwrap()
}

fn is_allowed(policy: impl OriginPolicy, request: Request<()>) -> bool {
    let response = send(policy, request);
    match response.status() {
        StatusCode::OK | StatusCode::NO_CONTENT => {
            assert!(
                response
                    .headers()
                    .contains_key("access-control-allow-origin")
            );
            true
        }
        StatusCode::FORBIDDEN => {
            assert!(
                !response
                    .headers()
                    .contains_key("access-control-allow-origin")
            );
            false
        }
        status => panic!("{status}"),
    }
}

#[test]
fn the_second_is_asked_only_after_the_first_abstains() {
    for (first_waits, second_waits) in [(false, false), (false, true), (true, false), (true, true)]
    {
        for (first, second, both_asked, allowed) in [
            (allow(), deny(), false, true),
            (deny(), allow(), false, false),
            (Verdict::Abstain, allow(), true, true),
            (Verdict::Abstain, deny(), true, false),
            (Verdict::Abstain, Verdict::Abstain, true, false),
        ] {
            for (request, verb, asks_for) in [
                (get(LISTED), "judges", "None"),
                (
                    preflight(LISTED),
                    "judges the preflight",
                    "Some(\"[\\\"authorization\\\"]\")",
                ),
            ] {
                let log = Log::default();
                let policy = scripted("first", first.clone(), first_waits, &log)
                    .fallback(scripted("second", second.clone(), second_waits, &log));
                assert_eq!(is_allowed(policy, request), allowed, "{first:?} {second:?}");
                // A request that was kept meanwhile is the same request.
                let line = |name| format!("{name} {verb} {LISTED} true {asks_for}");
                let mut expected = vec![line("first")];
                expected.extend(both_asked.then(|| line("second")));
                assert_eq!(*log.lock().unwrap(), expected);
            }
        }
    }
}

#[test]
fn with_preflight_asks_one_about_preflights_and_the_other_about_requests() {
    for waits in [false, true] {
        for (request, asked, allowed) in [
            (get(LISTED), "actual judges", false),
            (preflight(LISTED), "preflight judges the preflight", true),
        ] {
            let log = Log::default();
            let policy = scripted("actual", deny(), waits, &log).with_preflight(scripted(
                "preflight",
                allow(),
                waits,
                &log,
            ));
            assert_eq!(is_allowed(policy, request), allowed);
            let log = log.lock().unwrap();
            assert_eq!(log.len(), 1, "{log:?}");
            assert!(log[0].starts_with(asked), "{log:?}");
        }
    }
}

#[test]
fn pointers_forward_everything() {
    for waits in [false, true] {
        let log = Log::default();
        let mut policy = scripted("it", allow(), waits, &log);
        policy.properties = PolicyProperties::new()
            .reads([HOST])
            .denied_requests(DeniedRequests::Refuse);
        let boxed: Box<dyn OriginPolicy> = Box::new(policy.clone());
        let shared: Arc<dyn OriginPolicy> = Arc::new(policy.clone());
        for pointer in [&boxed as &dyn OriginPolicy, &shared] {
            assert_eq!(pointer.properties(), policy.properties());
        }
        assert!(is_allowed(boxed, preflight(LISTED)));
        assert!(is_allowed(shared, get(LISTED)));
        let log = log.lock().unwrap();
        assert!(log[0].starts_with("it judges the preflight"), "{log:?}");
        assert!(log[1].starts_with("it judges https"), "{log:?}");
    }
}

#[test]
fn ready_made_policies() {
    let set = || OriginSet::parse([LISTED, "https://*.app.example"]).unwrap();
    for (origin, allowed) in [
        (LISTED, true),
        ("https://a.app.example", true),
        (STRANGER, false),
        ("null", false),
    ] {
        for request in [get(origin), preflight(origin)] {
            assert_eq!(is_allowed(set(), request), allowed, "{origin}");
        }
    }
    for origin in [STRANGER, "null"] {
        let response = send(Any, get(origin));
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
    }
}

#[test]
fn closures_judge_at_once_or_later() {
    fn verdict(request: &CorsRequest<'_>) -> Verdict {
        match request.origin().tuple() {
            Some(origin) if origin.host() == "app.example" => allow(),
            _ => deny(),
        }
    }
    for (origin, allowed) in [(LISTED, true), (STRANGER, false), ("null", false)] {
        for request in [get(origin), preflight(origin)] {
            assert_eq!(is_allowed(policy_fn(verdict), request.clone()), allowed);
            let later = policy_fn(|request| {
                let verdict = verdict(request);
                VerdictFuture::new(async move {
                    tokio::task::yield_now().await;
                    verdict
                })
            });
            assert_eq!(is_allowed(later, request), allowed);
        }
    }
}

#[test]
fn combinators_vary_on_what_either_reads_each_once() {
    let log = Log::default();
    let mut first = scripted("first", allow(), false, &log);
    let mut second = first.clone();
    first.properties = PolicyProperties::new().reads([ORIGIN, AUTHORIZATION]);
    second.properties = PolicyProperties::new().reads([HOST, ORIGIN]);
    let expected = [ORIGIN, AUTHORIZATION, HOST];
    let either = first.clone().fallback(second.clone());
    assert_eq!(either.properties().varies_on(), expected);
    let either = first.with_preflight(second);
    assert_eq!(either.properties().varies_on(), expected);
}

/// Requests with a bearer token pass the split unjudged. A policy that verifies such tokens would
/// never see one, so that a forged token would do.
#[test]
fn a_split_around_a_policy_that_reads_the_token_does_not_build() {
    let log = Log::default();
    let mut tokens = scripted("tokens", allow(), false, &log);
    tokens.properties = PolicyProperties::new().reads([AUTHORIZATION]);
    let built = |policy| {
        CorsLayer::builder()
            .origin_policy(BearerOr::new(policy))
            .build()
    };
    let errors: Vec<_> = built(tokens.clone()).unwrap_err().into_iter().collect();
    let header = AUTHORIZATION;
    assert_eq!(errors, [ConfigError::BypassedPolicy { header }]);
    tokens.properties = PolicyProperties::new().reads([HOST]);
    assert!(built(tokens).is_ok());
}

/// The split allows every bearer token, so a policy behind it is never asked about one.
#[test]
fn a_split_before_a_policy_that_reads_the_token_does_not_build() {
    let log = Log::default();
    let with = |properties| {
        let mut policy = scripted("it", allow(), false, &log);
        policy.properties = properties;
        policy
    };
    let plain = || with(PolicyProperties::new());
    let tokens = || with(PolicyProperties::new().reads([AUTHORIZATION]));
    let split = || BearerOr::new(plain());
    let is_bypassed = |policy: &dyn Fn() -> Box<dyn OriginPolicy>| {
        let built = CorsLayer::builder()
            .origin_policy(policy())
            .denied_requests(DeniedRequests::Refuse)
            .build();
        let header = AUTHORIZATION;
        let mistake = ConfigError::BypassedPolicy { header };
        built.is_err_and(|errors| errors.into_iter().any(|error| error == mistake))
    };
    let bypassed: [&dyn Fn() -> Box<dyn OriginPolicy>; 5] = [
        &|| Box::new(split().fallback(tokens())),
        &|| Box::new(plain().fallback(split()).fallback(tokens())),
        &|| Box::new(plain().fallback(split().fallback(tokens()))),
        &|| Box::new(Arc::new(split()).with_preflight(plain()).fallback(tokens())),
        &|| Box::new(split().fallback(plain().fallback(tokens()))),
    ];
    for (index, policy) in bypassed.iter().enumerate() {
        assert!(is_bypassed(policy), "{index}");
    }
    let asked: [&dyn Fn() -> Box<dyn OriginPolicy>; 4] = [
        &|| Box::new(tokens().fallback(split())),
        &|| Box::new(split().fallback(plain())),
        // It answers preflights, and allows no request.
        &|| Box::new(plain().with_preflight(split()).fallback(tokens())),
        &|| Box::new(split().with_preflight(tokens())),
    ];
    for (index, policy) in asked.iter().enumerate() {
        assert!(!is_bypassed(policy), "{index}");
    }
}

#[test]
fn combinators_promise_what_the_stricter_does() {
    use DeniedRequests::{Forward, Refuse};
    let log = Log::default();
    let with = |denied| {
        let mut policy = scripted("it", allow(), false, &log);
        policy.properties = PolicyProperties::new().denied_requests(denied);
        policy
    };
    let properties = |denied| PolicyProperties::new().denied_requests(denied);
    for (first, second, either) in [
        (Forward, Forward, Forward),
        (Forward, Refuse, Refuse),
        (Refuse, Forward, Refuse),
        (Refuse, Refuse, Refuse),
    ] {
        let policy = with(first).fallback(with(second));
        assert_eq!(policy.properties(), properties(either));
        // The preflight's policy is never asked about requests.
        let policy = with(first).with_preflight(with(second));
        assert_eq!(policy.properties(), properties(first));
    }
    let broad = properties(Forward).grants_any_origin().broad_preflight();
    assert_eq!(with(Forward).with_preflight(Any).properties(), broad);
    assert_eq!(
        with(Forward).fallback(Any).properties(),
        properties(Forward).grants_any_origin()
    );
    let build = CorsLayer::builder().origin_policy(with(Forward).with_preflight(Any));
    let errors: Vec<ConfigError> = build.build().unwrap_err().into_iter().collect();
    let forwards = ConfigError::BroadPreflight(BroadPreflightReason::Forwards);
    assert_eq!(errors, [forwards]);
}

/// What it needs is never in a preflight, so that nobody gets past one by leaving it out.
#[test]
fn a_policy_that_reads_a_header_fails_closed_at_preflights() {
    let by_token = || {
        policy_fn(|request| match request.headers().get(AUTHORIZATION) {
            Some(token) if token == "Bearer good" => allow(),
            Some(_) => Verdict::Deny(Denial::new(DenialKind::InvalidToken)),
            None => Verdict::Abstain,
        })
    };
    assert!(!is_allowed(by_token(), preflight(LISTED)));
    let mut with_token = get(LISTED);
    let headers = with_token.headers_mut();
    headers.insert(AUTHORIZATION, "Bearer good".parse().unwrap());
    assert!(is_allowed(by_token(), with_token.clone()));

    let helped = || by_token().with_preflight(OriginSet::parse([LISTED]).unwrap());
    assert!(is_allowed(helped(), preflight(LISTED)));
    assert!(!is_allowed(helped(), preflight(STRANGER)));
    assert!(is_allowed(helped(), with_token));
    assert!(
        !is_allowed(helped(), get(LISTED)),
        "a request is judged by its token alone"
    );
}
