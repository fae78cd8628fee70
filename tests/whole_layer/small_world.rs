//! Every request of a small world: all pages, with every combination of settings.
//!
//! Each exchange is compared with the model, and what the browser makes of it with what the
//! configuration means, which is said here without a word about headers of answers.

use std::{env, panic::resume_unwind, thread};

use tower_cors::CorsLayer;

use crate::model::{
    browser::{ASKED, Outcome, Page},
    check::check_exchange,
    config::{Answer, Config, Exchange, Form, Layer, Request, Response, Settings, Wait},
    lists::Names,
    mistakes, play,
    policy::{Policy, Script, allow, deny},
};

const ORIGINS: [&str; 4] = [
    "https://app.example",
    "https://sub.app.example",
    "https://evil.example",
    "null",
];

const METHODS: [&str; 3] = ["GET", "PUT", "DELETE"];

const HEADERS: [&[(&str, &str)]; 3] = [
    &[],
    &[("content-type", "application/json"), ("x-a", "1")],
    &[("authorization", "Bearer x"), ("x-b", "1")],
];

fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    for origin in ORIGINS {
        for method in METHODS {
            for headers in HEADERS {
                for credentials in [false, true] {
                    pages.push(Page {
                        origin,
                        method,
                        headers,
                        credentials,
                    });
                }
            }
        }
    }
    pages
}

/// A policy, and the origins that it allows; `None` for any.
type Case = (Policy, Option<&'static [&'static str]>, Wait);

fn policies() -> Vec<Case> {
    let list = |entries: &[&str]| Policy::List(Names::of(entries));
    let set = |entries: &[&str]| Policy::Set(entries.iter().map(|&e| e.to_owned()).collect());
    let script = Policy::Script(Script {
        verdicts: vec![("https://app.example".to_owned(), allow())],
        otherwise: deny("OriginNotAllowed"),
        reads: Vec::new(),
        grants_any_origin: false,
        no_store: false,
        private: false,
        refuse: true,
    });
    let (app, sub) = ("https://app.example", "https://sub.app.example");
    let mut all: Vec<Case> = vec![
        (list(&[]), Some(&[]), Wait::Ready),
        (list(&[app]), Some(&["https://app.example"]), Wait::Ready),
        (
            list(&["https://*.app.example"]),
            Some(&["https://sub.app.example"]),
            Wait::Ready,
        ),
        (
            list(&[app, "https://*.app.example:*", "null"]),
            Some(&["https://app.example", "https://sub.app.example", "null"]),
            Wait::Ready,
        ),
        (list(&["*"]), None, Wait::Ready),
        (
            Policy::Constant(sub.to_owned()),
            Some(&["https://sub.app.example"]),
            Wait::Ready,
        ),
    ];
    for wait in [Wait::Ready, Wait::Yields] {
        all.push((set(&[app]), Some(&["https://app.example"]), wait));
        all.push((script.clone(), Some(&["https://app.example"]), wait));
    }
    all
}

/// Every combination of settings. Unless `MODEL_WHOLE_WORLD` is set, three that have nothing to do with each
/// other vary together: the max-age, the status, and whether denials are recorded.
fn settings() -> Vec<Settings> {
    let (max_ages, statuses, records) = ([None, Some(600)], [204, 200], [None, Some(true)]);
    let mut combined = Vec::new();
    for (i, max_age) in max_ages.into_iter().enumerate() {
        for (j, status) in statuses.into_iter().enumerate() {
            for (k, record) in records.into_iter().enumerate() {
                if (i == j && j == k) || env::var_os("MODEL_WHOLE_WORLD").is_some() {
                    combined.push((max_age, status, record));
                }
            }
        }
    }
    let mut all = Vec::new();
    for credentials in [false, true] {
        for methods in [&[][..], &["PUT"], &["*"]] {
            for headers in [
                &[][..],
                &["X-A", "content-type"],
                &["*"],
                &["*", "authorization"],
            ] {
                for expose in [&[][..], &["X-A"], &["*"]] {
                    for refuse in [None, Some(false), Some(true)] {
                        for &(max_age, preflight_status, record) in &combined {
                            let mut settings = Settings {
                                credentials,
                                methods: Names::of(methods),
                                headers: Names::of(headers),
                                expose: Names::of(expose),
                                max_age,
                                refuse,
                                preflight_status,
                                record,
                                ..Settings::default()
                            };
                            settings.dangerously.null = true;
                            all.push(settings);
                        }
                    }
                }
            }
        }
    }
    all
}

/// What came of all pages with all settings of some policies.
#[derive(Debug, Default)]
struct Tally {
    exchanges: u64,
    preflights_failed: u64,
    unreadable: u64,
    readable: u64,
    refused_configurations: u64,
}

#[test]
fn every_request_of_a_small_world() {
    let policies = policies();
    let (some, others) = policies.split_at(policies.len() / 2);
    let tallies = thread::scope(|scope| {
        let threads = [some, others].map(|half| scope.spawn(move || play_all(half)));
        threads.map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
    });
    println!("{tallies:#?}");
    // Every outcome is reached, and often.
    for tally in tallies {
        let outcomes = [tally.preflights_failed, tally.unreadable, tally.readable];
        assert!(outcomes.iter().all(|&n| n > 5000), "{tally:?}");
    }
}

fn play_all(policies: &[Case]) -> Tally {
    let mut tally = Tally::default();
    for (policy, allowed, wait) in policies {
        for settings in settings() {
            let config = Config {
                form: Form::Layer(Box::new(Layer {
                    policy: policy.clone(),
                    settings: settings.clone(),
                    wait: *wait,
                })),
                reloaded: false,
            };
            let builds = mistakes::builds(&config).expect("the model knows every entry");
            let built = play::build(&config);
            assert_eq!(built.is_ok(), builds, "{config:?}: {built:?}");
            let Ok(built) = built else {
                tally.refused_configurations += 1;
                continue;
            };
            for page in pages() {
                let outcome = page.fetch(|request| {
                    tally.exchanges += 1;
                    send(&config, &built, request)
                });
                let meant = meant(policy, *allowed, &settings, &page);
                assert_eq!(outcome, meant, "{page:?} {config:?}");
                match outcome {
                    Outcome::PreflightFailed => tally.preflights_failed += 1,
                    Outcome::Unreadable { .. } => tally.unreadable += 1,
                    Outcome::Readable { .. } => tally.readable += 1,
                }
            }
        }
    }
    tally
}

/// The layer's answer, which has to be the model's.
fn send(config: &Config, built: &CorsLayer, request: &Request) -> Answer {
    let exchange = Exchange {
        request: request.clone(),
        inner: Response {
            status: 200,
            headers: Vec::new(),
        },
    };
    match check_exchange(config, built, &exchange) {
        Ok(answer) => answer.expect("browsers send what servers take"),
        Err(difference) => panic!("{difference}"),
    }
}

/// What the configuration means for the page.
fn meant(policy: &Policy, allowed: Option<&[&str]>, settings: &Settings, page: &Page) -> Outcome {
    let is_allowed = allowed.is_none_or(|origins| origins.contains(&page.origin));
    // Any origin never goes with credentials.
    let are_credentials_allowed = settings.credentials && allowed.is_some();
    let may_read = is_allowed && (are_credentials_allowed || !page.credentials);
    let is_method_allowed = settings.methods.allows_method(page.method);
    let mut names = page.unsafe_names().into_iter();
    let are_headers_allowed = names.all(|name| settings.headers.allows_header(name));
    if page.needs_preflight() && !(may_read && is_method_allowed && are_headers_allowed) {
        return Outcome::PreflightFailed;
    }
    if may_read {
        let is_exposed = |name: &&str| {
            settings.expose.any || settings.expose.headers().iter().any(|n| n == name)
        };
        return Outcome::Readable {
            exposed: ASKED.into_iter().filter(is_exposed).collect(),
        };
    }
    // An allowed origin is served whether or not the page may read the answer.
    let refuses = settings
        .refuse
        .unwrap_or(matches!(policy, Policy::Script(_)));
    Outcome::Unreadable {
        is_called: is_allowed || !refuses,
    }
}
