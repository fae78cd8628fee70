use http::Method;
use tower_cors::{
    CorsLayer, Grant, OriginPolicy, OriginSet, Verdict,
    lists::{AllowHeaders, AllowMethods},
    policy::Terms,
    policy_fn,
    preflight::DenyPreflights,
};

use super::row;
use crate::{
    APP, preflight,
    setup::Setup::{Builder, File},
    table::{Code, Row},
};

const METHODS: &str = "allow_origins = [\"https://app.example\"]\nallow_methods = [\"PATCH\"]";
const HEADERS: &str = "allow_origins = [\"https://app.example\"]\nallow_headers = [\"x-a\"]";
const ANY_HEADER: &str = "allow_origins = [\"https://app.example\"]\nallow_headers = \"*\"";

pub(super) fn rows() -> Vec<Row> {
    [methods(), headers(), of_a_grant()]
        .into_iter()
        .flatten()
        .collect()
}

fn methods() -> Vec<Row> {
    let method = |name, file, method, code| {
        row(
            name,
            File(file),
            preflight(APP, method, ""),
            "the origin is allowed, the method is not",
            "add it to allow_methods",
            code,
        )
    };
    vec![
        method(
            "no method is listed",
            "allow_origins = [\"https://app.example\"]",
            "PUT",
            Code::Both,
        ),
        method("another method is listed", METHODS, "DELETE", Code::Both),
        method("a method of a new standard", METHODS, "QUERY", Code::Both),
        row(
            "lower case, not listed",
            File("allow_origins = [\"https://app.example\"]"),
            preflight(APP, "patch", ""),
            "the origin is allowed; the method is not, and methods are case-sensitive",
            "write PATCH in the page, and add PATCH to allow_methods",
            Code::All,
        ),
        row(
            "lower case, listed",
            File(METHODS),
            preflight(APP, "patch", ""),
            "the origin is allowed, and so is the method in upper case",
            "write it so in the page",
            Code::Page,
        ),
        row(
            "a method that no page sends",
            File(METHODS),
            preflight(APP, "TRACE", ""),
            "the preflight asks for what no page can send, or for too much",
            "look for a proxy or a client",
            Code::None,
        ),
    ]
}

fn headers() -> Vec<Row> {
    let one = "the origin is allowed, a request header is not";
    let authorization = "the origin is allowed, and every request header but Authorization, which \
                         * does not cover";
    let header = |name, file, names, cause, fix| {
        row(
            name,
            File(file),
            preflight(APP, "GET", names),
            cause,
            fix,
            Code::Both,
        )
    };
    vec![
        header("one header", HEADERS, "x-b", one, "add it to allow_headers"),
        header(
            "all missing headers at once",
            HEADERS,
            "authorization,content-type,x-a,x-b",
            "the origin is allowed, 3 request headers are not",
            "add them to allow_headers",
        ),
        header(
            "Authorization under *",
            ANY_HEADER,
            "authorization,x-c",
            authorization,
            "add authorization to allow_headers, beside the *",
        ),
        header(
            "Authorization under * with credentials",
            "allow_origins = [\"https://app.example\"]\nallow_headers = \"*\"\nallow_credentials = true",
            "authorization",
            authorization,
            "add authorization to allow_headers, beside the *",
        ),
        row(
            "a header that cannot be listed",
            File(HEADERS),
            preflight(APP, "GET", "cookie"),
            "the origin is allowed, a request header is not, and cannot be",
            "leave cookie out of the page's request",
            Code::None,
        ),
        row(
            "a header of the protocol's answers",
            File(HEADERS),
            preflight(APP, "GET", "access-control-allow-origin,x-a"),
            "the origin is allowed, a request header is not, and cannot be",
            "leave access-control-allow-origin out of the page's request",
            Code::None,
        ),
        row(
            "headers that cannot be listed, beside others",
            File(HEADERS),
            preflight(APP, "GET", "access-control-allow-origin,cookie,x-b"),
            "the origin is allowed, 3 request headers are not",
            "leave access-control-allow-origin, cookie out of the page's request, and add the \
             other one to allow_headers",
            Code::None,
        ),
        row(
            "a list that is no list",
            File(HEADERS),
            preflight(APP, "GET", "x a"),
            "the preflight asks for what no page can send, or for too much",
            "look for a proxy or a client",
            Code::None,
        ),
    ]
}

/// The lists are the policy's, so no call of the builder changes them.
fn of_a_grant() -> Vec<Row> {
    let on_own_terms = || {
        let terms = Terms::new()
            .methods(AllowMethods::list([Method::PUT]).unwrap())
            .headers(AllowHeaders::list(["x-a"]).unwrap());
        let policy = policy_fn(move |_| Verdict::from(Grant::new().terms(terms.clone())));
        CorsLayer::builder().origin_policy(policy)
    };
    let without_preflights = || {
        let set = OriginSet::parse([APP]).unwrap();
        CorsLayer::builder().origin_policy(set.with_preflight(DenyPreflights))
    };
    vec![
        row(
            "a method that a grant does not list",
            Builder(on_own_terms),
            preflight(APP, "DELETE", ""),
            "the origin is allowed, the method is not",
            "add it to allow_methods",
            Code::None,
        ),
        row(
            "a header that a grant does not list",
            Builder(on_own_terms),
            preflight(APP, "PUT", "x-b"),
            "the origin is allowed, a request header is not",
            "add it to allow_headers",
            Code::None,
        ),
        row(
            "nobody answers preflights",
            Builder(without_preflights),
            preflight(APP, "PUT", ""),
            "preflights are not answered here",
            "send a request that needs none, or replace DenyPreflights",
            Code::None,
        ),
    ]
}
