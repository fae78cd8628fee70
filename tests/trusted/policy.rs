//! Who needs an entry, and what the complete answers are.

use http::{Request, Uri};
use tower_cors::{
    DenialKind, OriginPolicy,
    policy::BearerOr,
    trusted::{
        entry::{OriginDraft, Scope},
        registry::OriginRegistry,
        store::{EmbeddedStore, OriginStore},
    },
};

use super::{admin, block_on, cors, draft, origin};
use crate::support::service::{Subject, get_from, preflight_from, request};

const TRUSTED: &str = "https://app.example";
const WITHOUT: &str = "https://no-cookies.example";
const STRANGER: &str = "https://evil.example";

fn store() -> EmbeddedStore {
    let store = EmbeddedStore::in_memory();
    let entries = [
        cors(TRUSTED).allow_credentials(true).unwrap(),
        cors(WITHOUT),
        draft("redirects", "https://login.example", Scope::Redirect),
    ];
    for entry in entries {
        block_on(store.create(entry, admin())).unwrap();
    }
    store
}

fn subject(policy: impl OriginPolicy) -> Subject {
    Subject::policy(policy, |builder| {
        builder
            .allow_methods(["PUT"])
            .allow_headers(["authorization", "x-a"])
    })
}

const VARY: &str = "vary: origin,authorization,cookie";
const PREFLIGHT_VARY: &str = "vary: origin,authorization,cookie,access-control-request-method,\
                              access-control-request-headers";

#[test]
fn cookie_callers_need_an_entry_and_get_its_credentials() {
    let subject = subject(BearerOr::new(store().origins().clone()));
    let get = |origin: &str| request("GET", &[("origin", origin), ("cookie", "session=1")]);
    subject.send(&get(TRUSTED)).assert_inner(
        200,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://app.example",
            VARY,
            "x-inner: called",
        ],
    );
    subject.send(&get(WITHOUT)).assert_inner(
        200,
        &[
            "access-control-allow-origin: https://no-cookies.example",
            VARY,
            "x-inner: called",
        ],
    );
    // An entry for redirects does not allow calls.
    for stranger in [
        STRANGER,
        "https://login.example",
        "null",
        "http://app.example",
    ] {
        let outcome = subject.send(&get(stranger));
        outcome.assert_layer(403, &["cache-control: no-store", VARY]);
    }
    // Neither cookie nor token: the registry decides.
    let outcome = subject.send(&get_from(STRANGER));
    outcome.assert_layer(403, &["cache-control: no-store", VARY]);
}

#[test]
fn a_range_of_addresses_is_trusted_with_a_permission_of_its_own() {
    let scopes = [Scope::Cors, Scope::Redirect, Scope::IframeEmbed];
    let office = OriginDraft::dangerously_insecure("office", "http://192.168.0.0/16:*", scopes);
    let office = office.unwrap().allow_credentials(true).unwrap();
    let store = store();
    let entry = block_on(store.create(office, admin())).unwrap();
    let subject = subject(store.origins().clone());
    for (page, is_trusted) in [
        ("http://192.168.0.0", true),
        ("http://192.168.7.9:3000", true),
        ("http://192.168.255.255:65535", true),
        ("https://192.168.7.9:3000", false),
        ("http://192.167.255.255:3000", false),
        ("http://192.169.0.0:3000", false),
        ("http://192.168.7.9.evil.example:3000", false),
        ("http://[::ffff:c0a8:709]:3000", false),
    ] {
        let outcome = subject.send(&get_from(page));
        if is_trusted {
            let own = format!("access-control-allow-origin: {page}");
            let credentials = "access-control-allow-credentials: true";
            outcome.assert_inner(200, &[credentials, &own, "vary: origin", "x-inner: called"]);
        } else {
            outcome.assert_layer(403, &["cache-control: no-store", "vary: origin"]);
        }
        let target: Uri = format!("{page}/signed-in").parse().unwrap();
        assert_eq!(
            store.origins().is_redirect_allowed(&target),
            is_trusted,
            "{page}"
        );
    }
    // The directive has no spelling for it.
    assert_eq!(&*store.origins().frame_ancestors(), "'none'");
    block_on(store.deactivate(entry.id(), None, admin())).unwrap();
    let outcome = subject.send(&get_from("http://192.168.7.9:3000"));
    outcome.assert_layer(403, &["cache-control: no-store", "vary: origin"]);
}

#[test]
fn bearer_callers_need_no_entry_and_never_get_credentials() {
    let subject = subject(BearerOr::new(store().origins().clone()));
    let get = |origin: &str, headers: &[(&str, &str)]| -> Request<()> {
        request("GET", &[&[("origin", origin)], headers].concat())
    };
    for page in [TRUSTED, STRANGER] {
        subject
            .send(&get(page, &[("authorization", "Bearer t")]))
            .assert_inner(
                200,
                &[
                    &format!("access-control-allow-origin: {page}"),
                    VARY,
                    "x-inner: called",
                ],
            );
    }
    let refused = &["cache-control: no-store", VARY];
    subject
        .send(&get("null", &[("authorization", "Bearer t")]))
        .assert_layer(403, refused);
    // A caller that sends both counts as a cookie caller.
    let both = [("authorization", "Bearer t"), ("cookie", "session=1")];
    subject
        .send(&get(STRANGER, &both))
        .assert_layer(403, refused);
    let outcome = subject.send(&get(TRUSTED, &both));
    assert!(
        outcome
            .headers
            .contains(&"access-control-allow-credentials: true".to_owned())
    );
}

#[test]
fn authorization_among_the_requested_names_marks_the_bearer_caller() {
    let subject = subject(BearerOr::new(store().origins().clone()));
    for page in [TRUSTED, STRANGER] {
        subject
            .send(&preflight_from(page, "PUT", "authorization,x-a"))
            .assert_layer(
                204,
                &[
                    "access-control-allow-headers: authorization,x-a",
                    "access-control-allow-methods: PUT",
                    &format!("access-control-allow-origin: {page}"),
                    "cache-control: no-store",
                    PREFLIGHT_VARY,
                ],
            );
    }
    subject
        .send(&preflight_from(TRUSTED, "PUT", "x-a"))
        .assert_layer(
            204,
            &[
                "access-control-allow-credentials: true",
                "access-control-allow-headers: authorization,x-a",
                "access-control-allow-methods: PUT",
                "access-control-allow-origin: https://app.example",
                "cache-control: no-store",
                PREFLIGHT_VARY,
            ],
        );
    subject
        .send(&preflight_from(STRANGER, "PUT", "x-a"))
        .assert_layer(403, &["cache-control: no-store", PREFLIGHT_VARY]);
}

#[test]
fn deactivation_refuses_the_next_request_and_activation_lets_it_pass() {
    let store = store();
    let subject = subject(store.origins().clone());
    let id = store.origins().list(None, 1, |e| e.name() == TRUSTED)[0].id();
    let granted = &[
        "access-control-allow-credentials: true",
        "access-control-allow-origin: https://app.example",
        "vary: origin",
        "x-inner: called",
    ];
    subject.send(&get_from(TRUSTED)).assert_inner(200, granted);
    block_on(store.deactivate(id, None, admin())).unwrap();
    let outcome = subject.send(&get_from(TRUSTED));
    outcome.assert_layer(403, &["cache-control: no-store", "vary: origin"]);
    let denial = outcome.denial.unwrap();
    assert_eq!(denial.kind(), DenialKind::OriginNotAllowed);
    // Before the text is written, the entry may be gone; now it is still inactive.
    let fact = format!(
        "the origin is not allowed: its entry \"https://app.example\" is inactive: activate the \
         entry {id} "
    );
    assert!(denial.to_string().starts_with(&fact), "{denial}");
    assert!(
        store.origins().entry(id).is_some(),
        "deactivating keeps the entry"
    );
    block_on(store.activate(id, None, admin())).unwrap();
    subject.send(&get_from(TRUSTED)).assert_inner(200, granted);
    block_on(store.delete(id, None, admin())).unwrap();
    assert_eq!(subject.send(&get_from(TRUSTED)).status, 403);
    assert!(store.origins().entry(id).is_none());
}

#[test]
fn browsers_keep_a_preflight_for_a_minute_at_most() {
    let subject = Subject::policy(store().origins().clone(), |builder| {
        builder.max_age(std::time::Duration::from_secs(7200))
    });
    subject
        .send(&preflight_from(WITHOUT, "GET", ""))
        .assert_layer(
            204,
            &[
                "access-control-allow-methods: GET,HEAD,POST",
                "access-control-allow-origin: https://no-cookies.example",
                "access-control-max-age: 60",
                "cache-control: no-store",
                "vary: origin,access-control-request-method,access-control-request-headers",
            ],
        );
}

#[test]
fn a_registry_that_was_never_loaded_is_unavailable() {
    let subject = subject(OriginRegistry::new());
    let outcome = subject.send(&get_from(TRUSTED));
    outcome.assert_layer(503, &["cache-control: no-store", "vary: origin"]);
    let denial = outcome.denial.unwrap();
    assert_eq!(denial.kind(), DenialKind::Unavailable);
    let fact = "(the registry has not been loaded yet)";
    assert!(denial.to_string().ends_with(fact), "{denial}");
    let outcome = subject.send(&preflight_from(TRUSTED, "GET", ""));
    assert_eq!((outcome.status, outcome.inner.is_none()), (403, true));
}

#[test]
fn redirects_and_frames_by_their_scopes() {
    let store = store();
    let origins = store.origins();
    let to = |target: &str| origins.is_redirect_allowed(&target.parse::<Uri>().unwrap());
    assert!(to("https://login.example/callback?code=1"));
    assert!(to("https://LOGIN.example:443/"));
    for target in [
        "https://app.example/",
        "http://login.example/",
        "https://login.example:8443/",
        "https://login.example.evil.example/",
        "https://login.example@evil.example/",
        "/callback",
    ] {
        assert!(!to(target), "{target}");
    }
    assert!(!origins.is_trusted(&origin("https://login.example")));

    assert_eq!(&*origins.frame_ancestors(), "'none'");
    for (name, pattern) in [
        ("a", "https://portal.example"),
        ("b", "https://*.portal.example:*"),
        // The directive has no spelling for these.
        ("c", "https://[2001:db8::1]"),
        ("d", "https://a_b.example"),
    ] {
        block_on(store.create(draft(name, pattern, Scope::IframeEmbed), admin())).unwrap();
    }
    let sources = "https://portal.example https://*.portal.example:*";
    let mut listed: Vec<_> = sources.split(' ').collect();
    let written = origins.frame_ancestors();
    let mut found: Vec<_> = written.split(' ').collect();
    listed.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, listed);
    let id = origins.list(None, 1, |e| e.name() == "b")[0].id();
    block_on(store.deactivate(id, None, admin())).unwrap();
    assert_eq!(&*origins.frame_ancestors(), "https://portal.example");
}
