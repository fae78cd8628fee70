use http::Method;
use tower_cors::{
    CorsLayer, OriginSet,
    routes::{MethodRule, MethodRules},
};

use super::{ADD_IT, row};
use crate::{
    APP, get, preflight, request,
    setup::{EditRule, Setup::Routes},
    table::{Code, Row},
};

/// `PUT` for one origin, `GET` for everybody.
fn things(edit: EditRule<'_>) -> MethodRules {
    let set = OriginSet::parse([APP]).unwrap();
    let trusted = edit(MethodRule::trusted_only(set));
    CorsLayer::by_method()
        .rule([Method::GET, Method::HEAD], MethodRule::public_any_origin())
        .rule([Method::PUT], trusted)
        .rule([Method::DELETE], MethodRule::none())
}

/// `GET` for everybody, and `PATCH` by a rule that admits fewer.
fn patched(_: EditRule<'_>) -> MethodRules {
    let set = OriginSet::parse([APP]).unwrap();
    CorsLayer::by_method()
        .rule([Method::GET], MethodRule::public_any_origin())
        .rule([Method::PATCH], MethodRule::trusted_only(set))
}

fn by_bearer(_: EditRule<'_>) -> MethodRules {
    CorsLayer::by_method().rule([Method::GET], MethodRule::bearer_any_origin())
}

pub(super) fn rows() -> Vec<Row> {
    let nobody = "the route has no rule that admits anybody to this method";
    let give_it_one = "give the method a rule that admits the origin";
    let no_rule = "the origin is allowed, the method has no rule on this route";
    vec![
        row(
            "a method for nobody",
            Routes(things),
            preflight(APP, "DELETE", ""),
            nobody,
            give_it_one,
            Code::Rust,
        ),
        row(
            "a request with a method for nobody",
            Routes(things),
            request("DELETE", &[("origin", APP)]),
            nobody,
            give_it_one,
            Code::Rust,
        ),
        // No list accepts the host, so there is no code.
        row(
            "a method for nobody, from a host that cannot be listed",
            Routes(things),
            preflight("https://-app.example", "DELETE", ""),
            nobody,
            give_it_one,
            Code::None,
        ),
        row(
            "a request with a method without a rule",
            Routes(things),
            request("POST", &[("origin", APP)]),
            nobody,
            give_it_one,
            Code::Rust,
        ),
        row(
            "a preflight for a method without a rule",
            Routes(things),
            preflight(APP, "PATCH", ""),
            no_rule,
            "give it one",
            Code::Rust,
        ),
        row(
            "a method with a rule, in lower case",
            Routes(patched),
            preflight(APP, "patch", ""),
            no_rule,
            "write PATCH in the page, and give PATCH a rule if it has none",
            Code::Page,
        ),
        row(
            "a method of a new standard",
            Routes(things),
            preflight(APP, "QUERY", ""),
            no_rule,
            "give it one",
            Code::Rust,
        ),
        row(
            "a header that the rule does not list",
            Routes(things),
            preflight(APP, "PUT", "content-type"),
            "the origin is allowed, a request header is not",
            "add it to allow_headers",
            Code::Rust,
        ),
        row(
            "an origin that the rule does not list",
            Routes(things),
            preflight("https://www.app.example", "PUT", ""),
            "the origin is not allowed; \"https://app.example\" is, without the www.",
            ADD_IT,
            Code::Rust,
        ),
        row(
            "a caller without a token",
            Routes(by_bearer),
            get(APP),
            "without a bearer token, or with a cookie beside it, the origin is not allowed",
            "send one Authorization: Bearer header",
            Code::None,
        ),
    ]
}
