//! A test over all causes, pages and requests: every fix with code for this crate builds.

use std::time::Duration;

use tower_cors::{CorsLayer, OriginSet, origin::OriginPattern};
use url::Url;

use super::{Context, fix};
use crate::{
    browse::{Asking, Course, Ending},
    case::Case,
    cause::Cause,
    fetch::{Browser, PageRequest},
    judge::Spelling,
    lab::Lab,
    net::{Tls, Transport},
    page::{Origin, Page, Policies},
};

const ORIGINS: [&str; 9] = [
    "null",
    "https://app.example.com",
    "http://app.example.com",
    "http://localhost:3000",
    "http://[::1]:5173",
    "https://shop.github.io",
    "capacitor://localhost",
    "chrome-extension://abcdefghijklmnop",
    "https://-not-a-label.example",
];

const METHODS: [&str; 9] = [
    "GET", "PUT", "patch", "Patch", "query", "CHICKEN", "any", "*", "A*",
];

const HEADERS: [&[&str]; 6] = [
    &[],
    &["content-type", "x-id"],
    &["access-control-allow-origin"],
    &["access-control-allow-origin", "x-id"],
    &["*", "x-*"],
    &["authorization", "access-control-max-age"],
];

const PATTERNS: [&str; 7] = [
    "https://*.example.com",
    "https://*.other.example",
    "https://*",
    "https://*.github.io",
    "http://*.example.com",
    "^https://.*$",
    "http://localhost:*",
];

/// Every cause whose fix has code for this crate.
fn causes(request: &PageRequest, announced: &[String]) -> Vec<Cause> {
    let origin = || "https://other.example".to_owned();
    let method = request.method.clone();
    let names = announced.to_vec();
    let mut causes = vec![
        Cause::NoCors,
        Cause::RouteNotCovered,
        Cause::OriginScheme(origin()),
        Cause::OriginWww(origin()),
        Cause::OriginPort(origin()),
        Cause::OriginLoopback(origin()),
        Cause::OriginSpelling(Spelling::Slash, origin()),
        Cause::OriginNotListed(None),
        Cause::AllowOriginList(origin()),
        Cause::AllowOriginInvalid("undefined".to_owned()),
        Cause::WildcardWithCredentials,
        Cause::CredentialsNotAllowed { on_preflight: true },
        Cause::CredentialsSpelling("True".to_owned()),
        Cause::PreflightNotHandled {
            refused: names.clone(),
        },
        Cause::OriginNotTrusted,
        Cause::AuthBeforeCors {
            status: 401,
            is_preflight: true,
        },
        Cause::MethodNotAllowed(method.clone()),
        Cause::MethodCase {
            page: method.to_ascii_uppercase(),
            listed: method.to_ascii_lowercase(),
        },
        Cause::HeaderNotAllowed(names.clone()),
        Cause::AllowListMalformed {
            header: "Access-Control-Allow-Methods",
            value: "GET PUT".to_owned(),
        },
        Cause::WildcardMethodsWithCredentials(method),
        Cause::WildcardHeadersWithCredentials(names),
        Cause::AuthorizationUnderWildcard,
        Cause::HeadersOnlyOnPreflight,
        Cause::HeaderNotExposed(vec!["x-total".to_owned(), "set-cookie".to_owned()]),
    ];
    let pattern = |text: &&str| Cause::AllowOriginPattern((*text).to_owned());
    causes.extend(PATTERNS.iter().map(pattern));
    causes
}

#[test]
fn every_fix_builds_and_lists_the_page() {
    let transport = Transport {
        connect_to: Vec::new(),
        tls: Tls::new(None, true).unwrap(),
        timeout: Duration::from_secs(1),
    };
    let lab = Lab::new(&transport, false);
    let mut count = 0;
    let of_methods = METHODS.iter().map(|method| (*method, &[][..]));
    let of_headers = HEADERS.iter().map(|names| ("PUT", *names));
    let requests: Vec<(&str, &[&str])> = of_methods.chain(of_headers).collect();
    for origin in ORIGINS {
        for (method, names) in &requests {
            for credentials in [false, true] {
                count += play(&lab, origin, method, names, credentials);
            }
        }
    }
    assert_eq!(count, 9 * (9 + 6) * 2 * 32);
}

/// Reads the code of all fixes for one page and request; returns how many there were.
fn play(lab: &Lab<'_>, origin: &str, method: &str, names: &[&str], credentials: bool) -> usize {
    let headers: Vec<_> = names
        .iter()
        .map(|name| ((*name).to_owned(), "{}".to_owned()))
        .collect();
    let mut request = PageRequest::new(Some(method), &headers, None, Browser::Standard).unwrap();
    request.credentials = credentials;
    let case = Case {
        url: Url::parse("https://api.example.com/items").unwrap(),
        page: Page {
            origin: Origin::parse(origin).unwrap(),
            policies: Policies::default(),
        },
        request,
        reads: Vec::new(),
        send: false,
        browser: Browser::Standard,
        upstream: None,
        insecure: false,
    };
    let course = Course {
        ending: Ending::NotTried,
        last: Asking {
            origin: origin.to_owned(),
            redirects: 0,
            preflight: None,
            preflights: Vec::new(),
            is_cross_origin: true,
        },
    };
    let context = Context {
        case: &case,
        course: &course,
        lab,
    };
    let mut count = 0;
    for cause in causes(&case.request, &case.announced()) {
        let fix = fix(&context, &cause);
        let ours = fix.code.iter().find(|code| code.target == "tower-cors");
        let Some(ours) = ours else {
            // Here the page has to change, not the server.
            assert!(matches!(cause, Cause::MethodCase { .. }), "{cause:?}");
            continue;
        };
        let what = format!("{origin} {method} {names:?} {credentials} {cause:?}");
        if let Err(errors) = build(&ours.code) {
            panic!("{what}: {errors}\n{}", ours.code);
        }
        says_the_rest(&case, &fix.text, &ours.code, &what);
        count += 1;
    }
    count
}

/// Applies the code to a builder. The lines after the layer are for other libraries.
fn build(code: &str) -> Result<CorsLayer, tower_cors::ConfigErrors> {
    let code = code
        .strip_prefix("let cors = CorsLayer::builder()\n")
        .unwrap();
    let (calls, _) = code.split_once("    .build()?;").unwrap();
    let mut builder = CorsLayer::builder();
    for line in calls.lines().filter(|line| !line.starts_with("    //")) {
        let call = line.strip_prefix("    .").unwrap();
        let (setting, arguments) = call.strip_suffix(')').unwrap().split_once('(').unwrap();
        // An array of strings looks the same in JSON and Rust.
        let list = || serde_json::from_str::<Vec<String>>(arguments).unwrap();
        builder = match setting {
            "allow_origins" => builder.allow_origins(list()),
            "allow_credentials" => builder.allow_credentials(arguments == "true"),
            "allow_methods" => builder.allow_methods(list()),
            "allow_headers" => builder.allow_headers(list()),
            "expose_headers" => builder.expose_headers(list()),
            "dangerously_allow_insecure_origins" => builder.dangerously_allow_insecure_origins(),
            other => panic!("{other}"),
        };
    }
    builder.build()
}

/// The layer lists the page's origin, and the text names everything that the page has to change.
fn says_the_rest(case: &Case, text: &str, code: &str, what: &str) {
    let origin = case.origin();
    if origin.parse::<OriginPattern>().is_ok() {
        let list = code.lines().find(|line| line.contains("allow_origins"));
        let is_listed = list.is_some_and(|list| {
            let entries = &list[list.find('[').unwrap()..=list.rfind(']').unwrap()];
            let entries: Vec<String> = serde_json::from_str(entries).unwrap();
            let set = OriginSet::parse(entries).unwrap();
            set.contains(&origin.parse().unwrap())
        });
        assert!(is_listed, "{what}: {code}");
    } else {
        assert!(
            text.contains(&format!("Origin: {origin}")),
            "{what}: {text}"
        );
    }
    assert!(!code.contains("\"null\""), "{what}: {code}");
    let wants = |needle: &str| assert!(text.contains(needle), "{what}: {text}");
    match case.request.method.as_str() {
        "patch" | "Patch" => wants("Write PATCH in the page"),
        "query" => wants("Write QUERY in the page"),
        method @ ("any" | "*" | "A*") => {
            wants("Use another method");
            for advice in ["Add", "List"] {
                assert!(
                    !text.contains(&format!("{advice} {method} ")),
                    "{what}: {text}"
                );
            }
        }
        _ => {}
    }
    for name in case.announced() {
        if name.starts_with("access-control-") {
            wants(&format!("Leave {name} out of the page's request"));
        }
    }
}
