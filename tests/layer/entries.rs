//! Origins and entries that real clients and real configurations have.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use http::{HeaderValue, Method, header};
use tower_cors::{
    Any, CorsLayer, CorsLayerBuilder, DenialKind, DeniedRequests, Origin, OriginPolicy, OriginSet,
    Verdict, VerdictFuture,
    error::{ConfigError, OriginSetting},
    host::HostLayer,
    lists::{ConfigList, MaxAge},
    origin::OriginPattern,
    policy::async_policy_fn,
    policy_fn,
    routes::MethodRule,
};

use crate::support::service::{LISTED, STRANGER, Subject, get_from, preflight_from, request};

/// Whether a page of the origin may use a layer that lists the entry.
fn allows(entry: &str, origin: &str) -> bool {
    let subject = Subject::new(|cors| cors.allow_origins([entry]));
    let outcome = subject.send(&get_from(origin));
    outcome.header("access-control-allow-origin") == Some(origin)
}

#[test]
fn origins_of_packaged_applications_are_listed_and_echoed_as_they_are_sent() {
    for origin in [
        "app://-",
        "app://.",
        "app://",
        "app://MyApp",
        "t3code://app",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://0f5c8a7e-1b2c-4d3e-8f90-123456789abc",
        "tauri://localhost",
        "capacitor://localhost:8080",
    ] {
        assert!(allows(origin, origin), "{origin}");
        let credentials = CorsLayer::builder()
            .allow_origins([origin])
            .allow_credentials(true);
        assert!(credentials.build().is_ok(), "{origin}");
    }
    // They reach policies, and so may `file://`.
    let any_application = policy_fn(|request| {
        let origin = request.origin().tuple();
        origin.is_some_and(|origin| matches!(origin.scheme(), "app" | "file"))
    });
    let subject = Subject::policy(any_application, |cors| cors);
    for origin in ["file://", "app://.", "app://a%20b"] {
        let outcome = subject.send(&get_from(origin));
        let allowed = outcome.header("access-control-allow-origin");
        assert_eq!(allowed, Some(origin));
    }
    for malformed in ["app:// ", "app://a/b", "app://a,b", "app://%2", "app://a@b"] {
        let outcome = subject.send(&get_from(malformed));
        assert_eq!(
            outcome.header("access-control-allow-origin"),
            None,
            "{malformed}"
        );
    }
}

#[test]
fn local_files_need_a_dangerous_name() {
    let list = || CorsLayer::builder().allow_origins(["file://"]);
    assert!(list().build().is_err());
    assert!(list().dangerously_allow_file_origin().build().is_ok());
    let with_host = CorsLayer::builder().allow_origins(["file://server"]);
    assert!(with_host.dangerously_allow_file_origin().build().is_err());
    // A set of origins has them as browsers send them, and no entry has been checked.
    let set: OriginSet = ["file://".parse::<Origin>().unwrap()].into_iter().collect();
    let list = || CorsLayer::builder().allow_origins(set.clone());
    let errors: Vec<_> = list().build().unwrap_err().into_iter().collect();
    assert!(matches!(&errors[..], [ConfigError::Origin { value, .. }] if value == "file://"));
    assert!(list().dangerously_allow_file_origin().build().is_ok());
    // As a policy, by itself or within another one, it is refused with credentials.
    let wrapped = || set.clone().fallback(OriginSet::default());
    for errors in [
        with_credentials(set.clone()),
        with_credentials(Arc::new(set.clone())),
        with_credentials(wrapped()),
    ] {
        assert!(matches!(&errors[..], [ConfigError::Origin { value, .. }] if value == "file://"));
    }
    let opted_in = CorsLayer::builder()
        .origin_policy(wrapped())
        .allow_credentials(true)
        .dangerously_allow_file_origin();
    assert!(opted_in.build().is_ok());
    assert!(CorsLayer::builder().origin_policy(set).build().is_ok());
}

fn with_credentials(policy: impl OriginPolicy) -> Vec<ConfigError> {
    let builder = CorsLayer::builder()
        .origin_policy(policy)
        .allow_credentials(true);
    builder.build().unwrap_err().into_iter().collect()
}

/// As from a variable that is empty in production, or from a file that has an empty list.
#[test]
fn an_empty_list_of_insecure_origins_says_nothing() {
    let set = || OriginSet::parse([LISTED]).unwrap();
    let empty = || CorsLayer::builder().dangerously_allow_insecure_origin(ConfigList::from(""));
    assert!(empty().allow_origins(set()).build().is_ok());
    assert!(empty().origin_policy(set()).build().is_ok());
    assert_eq!(
        empty().build().unwrap_err().into_iter().collect::<Vec<_>>(),
        [ConfigError::MissingOrigins]
    );
    let one = CorsLayer::builder().dangerously_allow_insecure_origin("http://a.example");
    assert!(one.origin_policy(set()).build().is_err());
}

/// What is well-formed for a name need not be for the host of an application.
#[test]
fn a_malformed_host_of_an_application_is_below_no_base() {
    let entry = "moz-extension://*.ext";
    assert!(allows(entry, "moz-extension://a.ext"));
    assert!(!allows(entry, "moz-extension://{.ext"));
    assert!(allows("https://*.example", "https://{.example"));
}

#[test]
fn every_host_of_an_applications_scheme() {
    let any = "moz-extension://*";
    assert!(allows(
        any,
        "moz-extension://0f5c8a7e-1b2c-4d3e-8f90-123456789abc"
    ));
    assert!(!allows(any, "chrome-extension://abcd"));
    assert!(!allows(any, "https://moz-extension"));
    for web in ["https://*", "http://*:*", "https://*."] {
        assert!(
            CorsLayer::builder().allow_origins([web]).build().is_err(),
            "{web}"
        );
    }
}

#[test]
fn a_wildcard_within_one_label() {
    let entry = "https://notes-*-team.vercel.app";
    assert!(allows(entry, "https://notes-1a2b-team.vercel.app"));
    for other in [
        "https://notes--team.vercel.app",
        "https://notes-a.b-team.vercel.app",
        "https://notes-a-team.vercel.app.evil.example",
        "https://evil-notes-a-team.vercel.app",
        "https://notes-a-team.vercel.app:8443",
        "http://notes-a-team.vercel.app",
    ] {
        assert!(!allows(entry, other), "{other}");
    }
    let built = |entry: &str| {
        let list = CorsLayer::builder().allow_origins([entry]);
        list.allow_credentials(true).build()
    };
    // Anybody can register such a name below a platform's suffix, and nobody below one's own domain.
    assert!(built(entry).is_err());
    assert!(built("https://pr-*.preview.example.com").is_ok());
    assert!(
        CorsLayer::builder()
            .allow_origins(["https://*example.com"])
            .build()
            .is_err()
    );
}

#[test]
fn one_origin_for_caches_that_ignore_vary() {
    let subject = Subject::new(|cors| {
        cors.always_allow_origin(LISTED)
            .allow_credentials(true)
            .allow_methods(["PUT"])
    });
    let granted = [
        "access-control-allow-credentials: true",
        "access-control-allow-origin: https://app.example",
        "x-inner: called",
    ];
    for request in [
        request("GET", &[]),
        get_from(LISTED),
        get_from(STRANGER),
        get_from("null"),
    ] {
        subject.send(&request).assert_inner(200, &granted);
    }
    subject
        .send(&preflight_from(STRANGER, "PUT", ""))
        .assert_layer(
            204,
            &[
                "access-control-allow-credentials: true",
                "access-control-allow-methods: PUT",
                "access-control-allow-origin: https://app.example",
            ],
        );
}

/// With credentials, the requested method and names stand in place of a `*`, so that the answer to a
/// preflight depends on them.
#[test]
fn one_origin_with_any_method_or_header_varies_on_what_is_asked_for() {
    let (method, names) = (
        "access-control-request-method",
        "access-control-request-headers",
    );
    for (any_method, any_header, vary) in [
        (false, false, None),
        (true, false, Some(method.to_owned())),
        (false, true, Some(names.to_owned())),
        (true, true, Some(format!("{method},{names}"))),
    ] {
        for credentials in [true, false] {
            let subject = Subject::new(|cors| {
                cors.always_allow_origin(LISTED)
                    .allow_credentials(credentials)
                    .allow_methods([if any_method { "*" } else { "PUT" }])
                    .allow_headers([if any_header { "*" } else { "x-a" }])
            });
            let expected = vary.as_deref().filter(|_| credentials);
            for origin in [LISTED, STRANGER] {
                for asked in [("PUT", "x-a"), ("PUT", ""), ("*", "*"), ("TRACE", "x-a")] {
                    let outcome = subject.send(&preflight_from(origin, asked.0, asked.1));
                    assert_eq!(outcome.header("vary"), expected, "{asked:?}");
                }
                // What is not a preflight is the same for everybody.
                assert_eq!(subject.send(&get_from(origin)).header("vary"), None);
            }
            assert_eq!(subject.send(&request("OPTIONS", &[])).header("vary"), None);
        }
    }
}

#[test]
fn one_origin_is_exactly_one() {
    for entries in [
        ConfigList::from(["https://a.example", "https://b.example"]),
        ConfigList::from(["https://*.a.example"]),
        ConfigList::from(Any),
        ConfigList::default(),
    ] {
        let built = CorsLayer::builder().always_allow_origin(entries).build();
        let errors: Vec<_> = built.unwrap_err().into_iter().collect();
        assert!(matches!(errors[..], [ConfigError::ConstantOrigin { .. }]));
    }
    // What a dangerous setting lets into a list is no constant, either.
    let one = |entry: &str| CorsLayer::builder().always_allow_origin(entry);
    for builder in [
        one("null").dangerously_allow_null_origin(),
        one("file://").dangerously_allow_file_origin(),
        one(LISTED).dangerously_allow_insecure_origin("http://192.168.1.5"),
        one(LISTED).dangerously_allow_insecure_origin("http://192.168.0.0/16"),
    ] {
        let errors: Vec<_> = builder.build().unwrap_err().into_iter().collect();
        assert!(
            matches!(errors[..], [ConfigError::ConstantOrigin { .. }]),
            "{errors:?}"
        );
    }
    // A mistake in the entry is reported once.
    for entry in ["null", "file://", "a.example"] {
        let errors: Vec<_> = one(entry).build().unwrap_err().into_iter().collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
    let refuses = CorsLayer::builder().always_allow_origin(LISTED);
    let refuses = refuses.denied_requests(DeniedRequests::Refuse).build();
    assert!(refuses.is_err());
}

#[test]
fn an_insecure_origin_is_allowed_by_itself() {
    let builder = |insecure: &str| {
        CorsLayer::builder()
            .allow_origins(["https://app.example"])
            .dangerously_allow_insecure_origin(insecure)
            .allow_credentials(true)
    };
    assert!(builder("http://192.168.1.5:3000").build().is_ok());
    let other = CorsLayer::builder()
        .allow_origins(["http://intranet.example"])
        .dangerously_allow_insecure_origin("http://192.168.1.5:3000")
        .allow_credentials(true)
        .build();
    let errors: Vec<_> = other.unwrap_err().into_iter().collect();
    assert!(matches!(errors[..], [ConfigError::InsecureOrigin { .. }]));

    // Each call adds, as the name of one says.
    let subject = Subject::new(|_| {
        builder("http://192.168.0.0/16:*").dangerously_allow_insecure_origin("http://10.0.0.1")
    });
    for (origin, allowed) in [
        ("http://10.0.0.1", true),
        ("http://192.168.1.5:3000", true),
        ("http://192.168.255.255", true),
        ("http://192.169.0.1", false),
        ("https://192.168.1.5", false),
        ("http://192.168.1.5.evil.example", false),
        ("https://app.example", true),
    ] {
        let outcome = subject.send(&get_from(origin));
        let answered = outcome.header("access-control-allow-origin");
        assert_eq!(answered == Some(origin), allowed, "{origin}");
    }
}

#[test]
fn any_origin_is_not_said_by_the_name_of_one() {
    let builder = || CorsLayer::builder().dangerously_allow_insecure_origin(Any);
    let errors = |builder: CorsLayerBuilder| -> Vec<ConfigError> {
        builder.build().unwrap_err().into_iter().collect()
    };
    let setting = OriginSetting::DangerouslyAllowInsecureOrigin;
    let expected = [ConfigError::AnyInsecureOrigin { setting }];
    assert_eq!(errors(builder()), expected);
    let listed = builder().allow_origins([LISTED]);
    assert_eq!(errors(listed), expected);
    let missing = ConfigList::from_env("NO_SUCH_VARIABLE_HERE");
    let missing = CorsLayer::builder().dangerously_allow_insecure_origin(missing);
    assert!(matches!(
        errors(missing)[..],
        [ConfigError::MissingVariable { .. }]
    ));
}

/// Each with the text of its mistakes.
#[track_caller]
fn each_mistake_says(builder: CorsLayerBuilder, n: usize, expected: &str) {
    let built = builder.build();
    let errors: Vec<String> = built.unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(errors.len(), n, "{errors:?}");
    for error in errors {
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_quote_that_stayed_in_a_text_is_named() {
    let list = || CorsLayer::builder().allow_origins([LISTED]);
    let quotes = "the quotation marks are part of the text";
    for builder in [
        CorsLayer::builder().allow_origins("\"https://a.example,https://b.example\""),
        CorsLayer::builder().allow_origins("“https://a.example” `https://b.example`"),
        list().allow_methods("'GET,PUT,DELETE'"),
        list().allow_methods("\"GET,PUT\""),
        list().allow_methods(["'*'", "`PUT`"]),
        list().allow_headers("'content-type,authorization'"),
        list().expose_headers("'etag,x-id'"),
    ] {
        each_mistake_says(builder, 2, quotes);
    }
    let hosts = HostLayer::builder().allow_hosts("'a.example,b.example'");
    let errors = hosts.build().unwrap_err().to_string();
    assert_eq!(errors.matches(quotes).count(), 2, "{errors}");
}

#[test]
fn a_separator_that_stayed_in_an_entry_is_named() {
    let list = || CorsLayer::builder().allow_origins([LISTED]);
    for (builder, expected) in [
        (
            list().allow_methods(["GET|PUT"]),
            "several methods in one text: split them at the vertical bars",
        ),
        (
            list().allow_headers(["a|b"]),
            "several names in one text: split them at the vertical bars",
        ),
        (
            CorsLayer::builder().allow_origins(["a.example b.example"]),
            "several entries in one text: split them at the white space",
        ),
        (
            CorsLayer::builder().allow_origins(["https://a.example|https://b.example"]),
            "several entries in one text: split them at the vertical bars",
        ),
        (
            list().allow_methods(["GET,"]),
            "the comma is part of the text: leave it out",
        ),
        (
            list().expose_headers(["etag;"]),
            "the semicolon is part of the text: leave it out",
        ),
        (
            CorsLayer::builder().allow_origins(["https://a.example,"]),
            "the comma is part of the text: write \"https://a.example\"",
        ),
        (
            list().allow_methods(["P*T"]),
            "a * means any method only when it stands alone",
        ),
    ] {
        each_mistake_says(builder, 1, expected);
    }
}

/// A list that is missing is not an empty one.
#[test]
fn a_variable_that_is_not_set_is_a_mistake_in_every_list() {
    let list = || CorsLayer::builder().allow_origins([LISTED]);
    let missing = || ConfigList::from_env("NO_SUCH_VARIABLE_HERE");
    for (setting, builder) in [
        ("allow_methods", list().allow_methods(missing())),
        ("allow_headers", list().allow_headers(missing())),
        ("expose_headers", list().expose_headers(missing())),
    ] {
        let expected =
            format!("{setting}: the environment variable NO_SUCH_VARIABLE_HERE is not set");
        each_mistake_says(builder, 1, &expected);
    }
}

#[test]
fn nobody_can_be_said() {
    let nobody = CorsLayer::builder().allow_origins([""; 0]).build().unwrap();
    let subject = Subject::of(nobody);
    assert_eq!(subject.send(&preflight_from(LISTED, "PUT", "")).status, 403);
    let outcome = subject.send(&get_from(LISTED));
    assert_eq!(outcome.header("access-control-allow-origin"), None);
    let nothing_said: Vec<_> = CorsLayer::builder()
        .build()
        .unwrap_err()
        .into_iter()
        .collect();
    assert_eq!(nothing_said, [ConfigError::MissingOrigins]);
}

#[test]
fn what_a_setting_takes() {
    let origin: Origin = LISTED.parse().unwrap();
    let pattern: OriginPattern = LISTED.parse().unwrap();
    let set = OriginSet::parse([LISTED]).unwrap();
    let builder = CorsLayer::new;
    for built in [
        builder().allow_origins(LISTED),
        builder().allow_origins(LISTED.to_owned()),
        builder().allow_origins(origin.clone()),
        builder().allow_origins(vec![origin]),
        builder().allow_origins(vec![pattern]),
        builder().allow_origins(set),
        builder().allow_origins(HeaderValue::from_static("https://app.example")),
        builder().allow_origins(vec![HeaderValue::from_static("https://app.example")]),
        builder().allow_origins([LISTED].iter().collect::<ConfigList>()),
        builder().allow_origins(ConfigList::from(&[LISTED])),
        builder().allow_origins(ConfigList::from(BTreeSet::from([LISTED]))),
        builder().allow_origins("https://app.example;https://b.example"),
    ] {
        let built = built
            .allow_methods(Method::PUT)
            .allow_headers("content-type")
            .expose_headers(header::ETAG);
        let subject = Subject::of(built.build().unwrap());
        let outcome = subject.send(&get_from(LISTED));
        assert_eq!(outcome.header("access-control-allow-origin"), Some(LISTED));
        assert_eq!(
            outcome.header("access-control-expose-headers"),
            Some("etag")
        );
    }
    assert_eq!(MaxAge::new(Duration::from_secs(61)).unwrap().secs(), 61);
    assert!(
        CorsLayerBuilder::permissive()
            .max_age(Duration::from_secs(60))
            .build()
            .is_ok()
    );
    let set = OriginSet::parse(["https://*.github.io"]).unwrap();
    assert!(
        builder()
            .allow_origins(set)
            .allow_credentials(true)
            .build()
            .is_err()
    );
}

#[test]
fn a_variable_is_named_with_the_position() {
    // Cargo sets it for every test: one entry, which is no origin.
    let list = ConfigList::from_env("CARGO_PKG_NAME");
    let errors = CorsLayer::builder()
        .allow_origins(list)
        .build()
        .unwrap_err();
    assert!(
        errors
            .to_string()
            .starts_with("allow_origins (CARGO_PKG_NAME, entry 1): \"tower-cors\": "),
        "{errors}"
    );
    let missing = ConfigList::from_env("NO_SUCH_VARIABLE_IN_ANY_TEST");
    let errors = CorsLayer::builder()
        .allow_origins(missing)
        .build()
        .unwrap_err();
    assert!(errors.iter().any(|error| matches!(
        error,
        ConfigError::MissingVariable { variable, .. } if variable == "NO_SUCH_VARIABLE_IN_ANY_TEST"
    )));
    let text = "https://a.example, https://b.example/";
    let errors = CorsLayer::builder()
        .allow_origins(text)
        .build()
        .unwrap_err();
    assert!(
        errors.to_string().starts_with("allow_origins (entry 2): "),
        "{errors}"
    );
}

#[test]
fn closures_answer_with_what_they_have() {
    for subject in [
        Subject::policy(
            policy_fn(|request| {
                request
                    .origin()
                    .tuple()
                    .is_some_and(|origin| origin.as_str() == LISTED)
            }),
            |cors| cors,
        ),
        Subject::policy(
            async_policy_fn(async |request| {
                request
                    .origin()
                    .tuple()
                    .is_some_and(|origin| origin.as_str() == LISTED)
            }),
            |cors| cors,
        ),
    ] {
        for (origin, allowed) in [(LISTED, true), (STRANGER, false), ("null", false)] {
            let outcome = subject.send(&get_from(origin));
            let answered = outcome.header("access-control-allow-origin");
            assert_eq!(answered == Some(origin), allowed, "{origin}");
        }
    }
}

#[test]
fn every_missing_header_is_named_at_once() {
    let subject = Subject::list(|cors| cors.allow_headers(["x-b"]).record_denials(true));
    let outcome = subject.send(&preflight_from(LISTED, "GET", "x-a,x-b,x-c"));
    let denial = outcome.denial.expect("a header is not allowed");
    assert_eq!(denial.kind(), DenialKind::HeaderNotAllowed);
    assert!(denial.to_string().contains("x-a,x-c"), "{denial}");
    let many: Vec<String> = (10..40).map(|i| format!("x-{i}")).collect();
    let outcome = subject.send(&preflight_from(LISTED, "GET", &many.join(",")));
    let denial = outcome.denial.expect("headers are not allowed").to_string();
    assert!(
        denial.contains("x-21\")") && denial.contains("(and 18 more)"),
        "{denial}"
    );
}

#[test]
fn a_method_in_the_wrong_case_is_the_pages_mistake() {
    let subject = Subject::list(|cors| cors.allow_methods(["PATCH"]).record_denials(true));
    let outcome = subject.send(&preflight_from(LISTED, "patch", ""));
    let denial = outcome.denial.expect("the method is not allowed");
    assert_eq!(denial.kind(), DenialKind::MethodCase);
    assert!(denial.to_string().contains("\"PATCH\""), "{denial}");

    // Where it is not listed either, `patch` still cannot be.
    let subject = Subject::list(|cors| cors.record_denials(true));
    let outcome = subject.send(&preflight_from(LISTED, "patch", ""));
    let denial = outcome.denial.expect("the method is not allowed");
    assert_eq!(denial.kind(), DenialKind::MethodNotAllowed);
    assert!(
        denial.to_string().contains("write PATCH in the page"),
        "{denial}"
    );
}

#[test]
fn a_header_that_no_list_takes_is_left_out_of_the_page() {
    let subject = Subject::list(|cors| cors.record_denials(true));
    for (asked, fix) in [
        ("cookie", "leave cookie out of the page's request"),
        (
            "access-control-allow-origin,x-a,x-b",
            "leave access-control-allow-origin out of the page's request, and add the others to \
             allow_headers",
        ),
        (
            "cookie,date,dnt,host",
            "leave cookie, date, dnt, host out of the page's request",
        ),
        (
            "cookie,cookie2,date,dnt,host,via,x-a",
            "leave cookie, cookie2, date, dnt and 2 more out of the page's request, and add the other \
             one to allow_headers",
        ),
    ] {
        let outcome = subject.send(&preflight_from(LISTED, "GET", asked));
        let denial = outcome.denial.expect("a header is not allowed");
        let text = denial.to_string();
        assert!(text.contains(&format!(": {fix} (asked for")), "{text}");
    }
}

#[test]
fn a_form_of_another_site_needs_no_entry() {
    let list = Subject::list(|cors| cors.denied_requests(DeniedRequests::Refuse));
    let silent = Subject::policy(policy_fn(|_| Verdict::Abstain), |cors| {
        cors.denied_requests(DeniedRequests::Refuse)
    });
    // The origin is `null` after a redirect, as identity providers make one.
    for (subject, origin) in [(&list, STRANGER), (&list, "null"), (&silent, STRANGER)] {
        let form = request(
            "POST",
            &[
                ("origin", origin),
                ("sec-fetch-mode", "navigate"),
                ("sec-fetch-site", "cross-site"),
            ],
        );
        let denial = subject.send(&form).denial.expect("the form is refused");
        assert!(
            denial.to_string().contains("MethodRule::none()"),
            "{denial}"
        );
    }
}

#[test]
fn a_preflight_that_no_policy_answers_needs_a_strategy() {
    let subject = Subject::policy(policy_fn(|_| Verdict::Abstain), |cors| {
        cors.record_denials(true)
    });
    let outcome = subject.send(&preflight_from(LISTED, "GET", "authorization"));
    let denial = outcome.denial.expect("no policy answers");
    assert_eq!(denial.kind(), DenialKind::NoPolicy);
    assert!(denial.to_string().contains("with_preflight"), "{denial}");
    // The request itself may bring a token.
    let outcome = subject.send(&get_from(LISTED));
    let denial = outcome.denial.expect("no policy answers");
    assert!(denial.to_string().contains("send the token"), "{denial}");
}

#[test]
fn a_policy_that_never_answers_is_limited() {
    let never = || policy_fn(|_| VerdictFuture::new(std::future::pending()));
    let limit = Duration::from_millis(5);
    let subject = Subject::policy(never(), |cors| {
        cors.verdict_timeout(limit, tokio::time::sleep)
            .record_denials(true)
    });
    let outcome = subject.send(&get_from(LISTED));
    outcome.assert_layer(503, &["vary: origin"]);
    let denial = outcome.denial.expect("the request is refused");
    assert_eq!(denial.kind(), DenialKind::VerdictTimeout);
    assert_eq!(subject.send(&preflight_from(LISTED, "PUT", "")).status, 403);
    let rules = CorsLayer::by_method()
        .rule([Method::GET], MethodRule::trusted_only(never()))
        .verdict_timeout(limit, tokio::time::sleep)
        .build()
        .unwrap();
    assert_eq!(Subject::of(rules).send(&get_from(LISTED)).status, 503);
}

#[test]
fn names_that_a_handler_exposes_are_kept() {
    let subject = Subject::list(|cors| cors.expose_headers(["etag", "x-id"]));
    let inner = [
        ("access-control-expose-headers", "X-Id, x-total"),
        ("x-inner", "called"),
    ];
    let outcome = subject.send_to(&get_from(LISTED), &inner);
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-origin: https://app.example",
            "access-control-expose-headers: etag,x-id,x-total",
            "vary: origin",
            "x-inner: called",
        ],
    );
    let outcome = subject.send_to(&get_from(STRANGER), &inner);
    outcome.assert_inner(200, &["vary: origin", "x-inner: called"]);
}
