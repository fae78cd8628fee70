//! The counters: which there are, what they count, and that the guide and the dashboard name exactly
//! these.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Request;
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{
    CorsLayer, CorsLayerBuilder, DeniedRequests, OriginPolicy, OriginSet,
    config::ReportOnly,
    policy_fn,
    preflight::{Lookup, LookupFuture, UrlKey},
    time::Clock,
    token::{
        TokenOrigins, TokenVerifier,
        claim::OriginsClaim,
        source::TokenSource,
        verify::{
            FetchFuture, TokenRequest,
            introspection::{IntrospectionClient, IntrospectionRequest, IntrospectionVerifier},
        },
    },
    trusted::{
        entry::Version,
        registry::OriginRegistry,
        source::{Change, SourceSnapshot},
        store::{EmbeddedStore, RegistryWriter},
    },
};

use crate::support::service::{LISTED, STRANGER, get_from, preflight_from, request};

/// Name and labels, such as `name{a="1",b="2"}`, and what was counted.
type Counted = BTreeMap<String, DebugValue>;

/// What was registered and counted while `play` ran.
fn counted(play: impl AsyncFnOnce()) -> Counted {
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(play());
    });
    let snapshot = recorder.snapshotter().snapshot().into_vec();
    let named = snapshot.into_iter().map(|(key, unit, text, value)| {
        assert!(unit.is_some() && text.is_some(), "{key:?} is described");
        let labels = key.key().labels();
        let labels: Vec<String> = labels
            .map(|label| format!("{}={:?}", label.key(), label.value()))
            .collect();
        (
            format!("{}{{{}}}", key.key().name(), labels.join(",")),
            value,
        )
    });
    named.collect()
}

/// The counters that counted something, by what stands behind their name.
fn counts(counted: &Counted, name: &str) -> BTreeMap<String, u64> {
    let of_name = counted.iter().filter_map(|(key, value)| {
        let labels = key.strip_prefix(name)?;
        match value {
            DebugValue::Counter(0) => None,
            DebugValue::Counter(count) => Some((labels.to_owned(), *count)),
            other => panic!("{key}: {other:?}"),
        }
    });
    of_name.collect()
}

fn expected<const N: usize>(lines: [(&str, u64); N]) -> BTreeMap<String, u64> {
    let lines = lines.into_iter();
    lines
        .map(|(labels, count)| (labels.to_owned(), count))
        .collect()
}

async fn send(layer: &CorsLayer, request: Request<()>) {
    let inner = service_fn(async |_: Request<()>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(()))
    });
    layer.layer(inner).oneshot(request).await.unwrap();
}

fn list() -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins([LISTED])
        .allow_methods(["PUT"])
}

/// The same list as a policy that has to be waited for.
fn slow() -> CorsLayerBuilder {
    let set = OriginSet::parse([LISTED]).unwrap();
    let policy = policy_fn(move |request| {
        let verdict = set.judge(request);
        tower_cors::VerdictFuture::new(async {
            tokio::task::yield_now().await;
            verdict.await
        })
    });
    CorsLayer::builder()
        .origin_policy(policy)
        .allow_methods(["PUT"])
}

#[test]
fn requests_are_counted_by_outcome_and_reason_ready_and_waiting_alike() {
    for waits in [false, true] {
        let counted = counted(async || {
            let builder = || if waits { slow() } else { list() };
            let layer = builder().record_metrics("api").build().unwrap();
            for request in [
                request("GET", &[]),
                get_from(LISTED),
                get_from(LISTED),
                get_from(STRANGER),
                get_from("null"),
                request(
                    "POST",
                    &[("origin", STRANGER), ("sec-fetch-site", "same-origin")],
                ),
                preflight_from(LISTED, "PUT", ""),
                preflight_from(LISTED, "PATCH", ""),
                preflight_from(STRANGER, "PUT", ""),
            ] {
                send(&layer, request).await;
            }
            let refuses = builder().denied_requests(DeniedRequests::Refuse);
            let refuses = refuses.record_metrics("strict").build().unwrap();
            send(&refuses, get_from(STRANGER)).await;
        });
        let all = |layer: &str, kind: &str, outcome: &str, reason: &str| {
            format!("{{layer={layer:?},kind={kind:?},outcome={outcome:?},reason={reason:?}}}")
        };
        let requests = counts(&counted, "tower_cors_requests_total");
        let lines = [
            (all("api", "not_cors", "not_cors", "none"), 1),
            (all("api", "actual", "allowed", "none"), 2),
            (all("api", "actual", "forwarded", "origin_not_allowed"), 1),
            (all("api", "actual", "forwarded", "opaque_origin"), 1),
            (all("api", "actual", "own_origin", "none"), 1),
            (all("api", "preflight", "allowed", "none"), 1),
            (
                all(
                    "api",
                    "preflight",
                    "answered_with_less",
                    "method_not_allowed",
                ),
                1,
            ),
            (all("api", "preflight", "refused", "origin_not_allowed"), 1),
            (all("strict", "actual", "refused", "origin_not_allowed"), 1),
        ];
        assert_eq!(requests, BTreeMap::from(lines), "waits: {waits}");

        let waited = |layer: &str| {
            let key = format!("tower_cors_verdict_wait_seconds{{layer={layer:?}}}");
            match &counted[&key] {
                DebugValue::Histogram(seconds) => {
                    assert!(
                        seconds
                            .iter()
                            .all(|seconds| (0.0..10.0).contains(&**seconds))
                    );
                    seconds.len()
                }
                other => panic!("{other:?}"),
            }
        };
        // All but the one without an `Origin`.
        let expected = if waits { (8, 1) } else { (0, 0) };
        assert_eq!((waited("api"), waited("strict")), expected);
    }
}

/// Whatever clients send, and also where there is another observer.
#[test]
fn the_number_of_series_is_bounded() {
    let series = |requests: u32| {
        let counted = counted(async || {
            let layer = list().record_metrics("api").record_decisions(true);
            let layer = layer.build().unwrap();
            for i in 0..requests {
                send(&layer, get_from(&format!("https://{i}.example"))).await;
                send(
                    &layer,
                    preflight_from(LISTED, &format!("M{i}"), &format!("x-{i}")),
                )
                .await;
            }
        });
        let requests: u64 = counts(&counted, "tower_cors_requests_total").values().sum();
        let mut names: Vec<String> = counted.into_keys().collect();
        names.retain(|key| key.starts_with("tower_cors_requests_total"));
        (requests, names.len())
    };
    assert_eq!(series(0), (0, 51));
    assert_eq!(series(100), (200, 51));
}

#[test]
fn judgements_in_shadow_are_counted() {
    let counted = counted(async || {
        let shadow = ReportOnly::from(CorsLayer::builder().allow_origins([STRANGER]));
        let layer = list().record_metrics("api").report_only(shadow);
        let layer = layer.build().unwrap();
        for request in [get_from(LISTED), get_from(STRANGER), get_from("null")] {
            send(&layer, request).await;
        }
        // Whatever the order of the settings.
        let layer = list().report_only(slow()).record_metrics("slow");
        send(&layer.build().unwrap(), get_from(LISTED)).await;
        let panics = CorsLayer::builder().origin_policy(policy_fn(|_| -> bool { panic!() }));
        let layer = list().report_only(panics).record_metrics("panics");
        send(&layer.build().unwrap(), get_from(LISTED)).await;
    });
    let judgements = counts(&counted, "tower_cors_shadow_judgements_total");
    let lines = [
        ("{layer=\"api\",result=\"allows_less\"}", 1),
        ("{layer=\"api\",result=\"allows_more\"}", 1),
        ("{layer=\"api\",result=\"same\"}", 1),
        ("{layer=\"panics\",result=\"panicked\"}", 1),
        ("{layer=\"slow\",result=\"skipped\"}", 1),
    ];
    assert_eq!(judgements, expected(lines));
}

/// An issuer that knows one token.
#[derive(Debug)]
struct Played;

impl IntrospectionClient for Played {
    fn introspect(&self, request: IntrospectionRequest) -> FetchFuture {
        let active = request.form() == "token=good";
        let body = format!(r#"{{"active": {active}, "origins": ["{LISTED}"]}}"#);
        Box::pin(async move { Ok(Bytes::from(body)) })
    }
}

fn introspection() -> IntrospectionVerifier {
    let builder = IntrospectionVerifier::builder(Played).record_metrics("issuer");
    builder.build().unwrap()
}

fn tokens() -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(introspection())
        .source(TokenSource::query("token"))
        .claim(OriginsClaim::array("origins"))
        .record_metrics("chat")
        .build()
        .unwrap()
}

/// Knows one project, after a while.
fn projects() -> UrlKey {
    UrlKey::new(
        |url| url.path().strip_prefix("/api/")?.split('/').next(),
        |_| {
            LookupFuture::new(async {
                tokio::task::yield_now().await;
                Lookup::Known(OriginSet::parse([LISTED]).unwrap())
            })
        },
    )
    .record_metrics("projects")
    .lookup_ttl(Duration::from_secs(60))
}

#[test]
fn what_policies_remember_is_counted() {
    let counted = counted(async || {
        let verifier = introspection();
        let any = Request::new(());
        for token in ["good", "good", "bad", "good"] {
            let _ = verifier.verify(token, &TokenRequest::from(&any)).await;
        }
        for policy in [
            CorsLayer::builder().origin_policy(tokens()),
            CorsLayer::builder().origin_policy(projects()),
        ] {
            let layer = policy.build().unwrap();
            for _ in 0..5 {
                let mut request = get_from(LISTED);
                *request.uri_mut() = "/api/7/things?token=good".parse().unwrap();
                send(&layer, request).await;
            }
        }
    });
    let lines = [
        // The policy's own verifier is asked once, and counts under the same name.
        (
            "{cache=\"introspection\",name=\"issuer\",result=\"hit\"}",
            2,
        ),
        (
            "{cache=\"introspection\",name=\"issuer\",result=\"miss\"}",
            3,
        ),
        ("{cache=\"token\",name=\"chat\",result=\"hit\"}", 4),
        ("{cache=\"token\",name=\"chat\",result=\"miss\"}", 1),
        ("{cache=\"url_key\",name=\"projects\",result=\"hit\"}", 4),
        ("{cache=\"url_key\",name=\"projects\",result=\"miss\"}", 1),
    ];
    let lookups = counts(&counted, "tower_cors_cache_lookups_total");
    assert_eq!(lookups, expected(lines));
}

/// Always the same time.
#[derive(Debug)]
struct Fixed;

const NOW: u64 = 1_800_000_000;

impl Clock for Fixed {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
    }
}

#[test]
fn a_registry_shows_when_it_was_confirmed() {
    let shown = |set_up: &dyn Fn()| {
        let counted = counted(async || set_up());
        assert_eq!(counted.len(), 1, "{counted:?}");
        match &counted["tower_cors_registry_confirmed_timestamp_seconds{registry=\"apps\"}"] {
            DebugValue::Gauge(seconds) => **seconds,
            other => panic!("{other:?}"),
        }
    };
    let never = shown(&|| OriginRegistry::with_clock(Fixed).record_metrics("apps"));
    assert_eq!(never, 0.0);
    let own_source = shown(&|| {
        let store = EmbeddedStore::in_memory();
        store.origins().record_metrics("apps");
        store.origins().record_metrics("a second name");
    });
    assert_eq!(own_source, f64::INFINITY);
    let loaded = shown(&|| {
        let origins = OriginRegistry::with_clock(Fixed);
        origins.record_metrics("apps");
        let writer = RegistryWriter::new(&origins);
        writer.load(SourceSnapshot::new(), Version::new(5)).unwrap();
        let at = Version::new(5).into();
        writer.apply(Change::Current {
            at,
            age: Duration::ZERO,
        });
    });
    assert!((loaded - NOW as f64).abs() < 1.0, "{loaded}");
}

/// The name of each metric that the crate registers, and its labels.
fn registered() -> BTreeMap<String, BTreeSet<String>> {
    let counted = counted(async || {
        let registry = OriginRegistry::new();
        registry.record_metrics("apps");
        drop((tokens(), projects(), registry));
        drop(list().record_metrics("api").build().unwrap());
    });
    let mut all = BTreeMap::<_, BTreeSet<_>>::new();
    for key in counted.keys() {
        let (name, labels) = key.strip_suffix('}').unwrap().split_once('{').unwrap();
        let labels = labels
            .split(',')
            .map(|label| label.split_once('=').unwrap().0);
        let known = all.entry(name.to_owned()).or_default();
        known.extend(labels.map(str::to_owned));
    }
    all
}

#[test]
fn the_guide_names_exactly_the_metrics_that_there_are() {
    let guide = include_str!("../../src/guide/observing.md");
    let mut documented = BTreeMap::new();
    for row in guide
        .lines()
        .filter(|row| row.starts_with("| `tower_cors_"))
    {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let labels = cells[3]
            .split(", ")
            .map(|label| label.trim_matches('`').to_owned());
        documented.insert(cells[0].trim_matches('`').to_owned(), labels.collect());
    }
    assert_eq!(documented, registered());
    // Each value of a label, too.
    for value in [
        "own_origin",
        "another_origin",
        "answered_with_less",
        "denies_otherwise",
        "panicked",
        "introspection",
        "url_key",
    ] {
        assert!(guide.contains(&format!("`{value}`")), "{value}");
    }
}

#[test]
fn the_dashboard_asks_for_exactly_the_metrics_that_there_are() {
    let text = include_str!("../../examples/apps/observed_server/dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(text).unwrap();
    let registered = registered();
    let mut asked = BTreeSet::new();
    let panels = dashboard["panels"].as_array().unwrap();
    for panel in panels {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let names = names_in(query);
            assert!(!names.is_empty(), "{query}");
            let mut labels = BTreeSet::from(["instance".to_owned()]);
            for name in names {
                let known = registered.get(&name);
                labels.extend(known.unwrap_or_else(|| panic!("{name} in {query}")).clone());
                asked.insert(name);
            }
            for label in labels_in(query, target["legendFormat"].as_str().unwrap()) {
                assert!(labels.contains(&label), "{label} in {query}");
            }
        }
    }
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let of_layers = variables.iter().find(|one| one["name"] == "layer").unwrap();
    let query = of_layers["query"].as_str().unwrap();
    assert_eq!(names_in(query), ["tower_cors_requests_total"]);
    assert_eq!(asked, registered.into_keys().collect());
}

/// The names of metrics in a query, as the crate has them: exporters for Prometheus add `_sum` and
/// `_count` to those of histograms.
fn names_in(query: &str) -> Vec<String> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words = words.filter(|word| word.starts_with("tower_cors_"));
    words
        .map(|name| {
            let base = name.strip_suffix("_sum").or(name.strip_suffix("_count"));
            base.unwrap_or(name).to_owned()
        })
        .collect()
}

/// The labels that a query and its legend name.
fn labels_in(query: &str, legend: &str) -> Vec<String> {
    let between = |text: &str, open: &str, close: &str| -> Vec<String> {
        let parts = text.split(open).skip(1);
        parts
            .map(|part| part.split(close).next().unwrap().to_owned())
            .collect()
    };
    let mut labels = Vec::new();
    for list in between(query, "by (", ")") {
        labels.extend(list.split(", ").map(str::to_owned));
    }
    for list in between(query, "{", "}") {
        let names = list
            .split(',')
            .map(|one| one.split(['=', '!']).next().unwrap());
        labels.extend(names.map(str::to_owned));
    }
    labels.extend(between(legend, "{{", "}}"));
    labels
}

/// Nothing is counted that nobody asked for.
#[test]
fn without_the_setting_there_are_no_counters() {
    let counted = counted(async || {
        let layer = list().on_decision(|_| {}).build().unwrap();
        send(&layer, get_from(LISTED)).await;
        drop((Arc::new(layer), EmbeddedStore::in_memory()));
    });
    assert!(counted.is_empty(), "{counted:?}");
}
