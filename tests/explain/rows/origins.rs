use super::{ADD_IT, row};
use crate::{
    APP, get, preflight, request,
    setup::Setup::{Builder, File, Set},
    table::{Code, Row},
};
use tower_cors::CorsLayer;

const LIST: &str = r#"allow_origins = ["https://app.example"]"#;

pub(super) fn rows() -> Vec<Row> {
    [near(), of_other_sets(), malformed(), elsewhere()]
        .into_iter()
        .flatten()
        .collect()
}

/// One of the list is nearly the origin.
fn near() -> Vec<Row> {
    let near =
        |name, file, origin, cause, fix| row(name, File(file), get(origin), cause, fix, Code::Both);
    vec![
        near(
            "http in place of https",
            LIST,
            "http://app.example",
            "the origin is not allowed; \"https://app.example\" is, with another scheme",
            "open the page over https, or add it to allow_origins",
        ),
        near(
            "https in place of http",
            r#"allow_origins = ["http://app.example"]"#,
            APP,
            "the origin is not allowed; \"http://app.example\" is, with another scheme",
            ADD_IT,
        ),
        near(
            "www. too much",
            LIST,
            "https://www.app.example",
            "the origin is not allowed; \"https://app.example\" is, without the www.",
            ADD_IT,
        ),
        near(
            "www. missing",
            r#"allow_origins = ["https://www.app.example"]"#,
            APP,
            "the origin is not allowed; \"https://www.app.example\" is, with the www.",
            ADD_IT,
        ),
        near(
            "another port of this machine",
            r#"allow_origins = ["http://localhost:3000"]"#,
            "http://localhost:5173",
            "the origin is not allowed; \"http://localhost:3000\" is, with another port",
            "add it, or \"http://localhost:*\" for any port, to allow_origins",
        ),
        near(
            "another port of a host",
            LIST,
            "https://app.example:8443",
            "the origin is not allowed; \"https://app.example\" is, with another port",
            ADD_IT,
        ),
        near(
            "a name below",
            LIST,
            "https://shop.app.example",
            "the origin is not allowed; \"https://app.example\" is, which is a name above it",
            "add it, or \"https://*.app.example\" for all names below, to allow_origins",
        ),
        near(
            "the base of a wildcard",
            r#"allow_origins = ["https://*.app.example"]"#,
            APP,
            "the origin is not allowed; \"https://*.app.example\" is, but that is the names below \
             it only",
            ADD_IT,
        ),
        near(
            "a dot at the end",
            LIST,
            "https://app.example.",
            "the origin is not allowed; \"https://app.example\" is, without a dot at the end of \
             the host",
            ADD_IT,
        ),
        near(
            "swapped letters",
            r#"allow_origins = ["https://shop.contoso.example"]"#,
            "https://shop.cotnoso.example",
            "the origin is not allowed; \"https://shop.contoso.example\" is, which differs in a \
             letter or two",
            "compare the two letter by letter",
        ),
        row(
            "a preflight of www.",
            File("allow_origins = [\"https://app.example\"]\nallow_methods = [\"PUT\"]"),
            preflight("https://www.app.example", "PUT", ""),
            "the origin is not allowed; \"https://app.example\" is, without the www.",
            ADD_IT,
            Code::Both,
        ),
    ]
}

fn of_other_sets() -> Vec<Row> {
    vec![
        row(
            "nothing is near",
            File(LIST),
            get("https://shop.contoso.example"),
            "the origin is not allowed",
            ADD_IT,
            Code::Both,
        ),
        row(
            "an empty list",
            File("allow_origins = []"),
            get(APP),
            "the origin is not allowed",
            ADD_IT,
            Code::Both,
        ),
        row(
            "a refused request",
            File("allow_origins = []\ndenied_requests = \"refuse\""),
            get(APP),
            "the origin is not allowed",
            ADD_IT,
            Code::Both,
        ),
        row(
            "a long list",
            File(LONG),
            get("https://shop.contoso.example"),
            "the origin is not allowed",
            ADD_IT,
            Code::Both,
        ),
        row(
            "a policy that is a set",
            Set(
                |set| CorsLayer::builder().origin_policy(set),
                &["https://app.example", "https://*.app.example"],
            ),
            get("http://app.example"),
            "the origin is not allowed; \"https://app.example\" is, with another scheme",
            "open the page over https, or add it",
            Code::Rust,
        ),
        row(
            "an insecure origin beside credentials",
            File("allow_origins = [\"https://app.example\"]\nallow_credentials = true"),
            get("http://app.example"),
            "the origin is not allowed; \"https://app.example\" is, with another scheme",
            "open the page over https, or add it",
            // Listing it would not build.
            Code::None,
        ),
    ]
}

const LONG: &str = r#"allow_origins = [
    "https://a01.example", "https://a02.example", "https://a03.example", "https://a04.example",
    "https://a05.example", "https://a06.example", "https://a07.example", "https://a08.example",
    "https://a09.example", "https://a10.example", "https://a11.example", "https://a12.example",
    "https://a13.example",
]"#;

/// No browser sends these.
fn malformed() -> Vec<Row> {
    let malformed = |name, origin, fix| {
        row(
            name,
            File(LIST),
            get(origin),
            "the Origin header is not an origin as browsers send it",
            fix,
            Code::None,
        )
    };
    let send_it = "send \"https://app.example\", which is allowed: look for a proxy or a client";
    vec![
        malformed("upper case", "https://App.example", send_it),
        malformed("a slash at the end", "https://app.example/", send_it),
        malformed("the default port", "https://app.example:443", send_it),
        malformed("no scheme", "app.example", send_it),
        malformed(
            "a path of a stranger",
            "https://evil.test/x",
            "look for a proxy or a client",
        ),
        row(
            "several origins",
            File(LIST),
            request("GET", &[("origin", APP), ("origin", "https://evil.test")]),
            "there are several Origin headers",
            "look for a proxy that adds one",
            Code::None,
        ),
        row(
            "null",
            File(LIST),
            get("null"),
            "the origin is null, as in sandboxed frames, file: pages and after redirects",
            "serve the page from an origin of its own",
            Code::None,
        ),
    ]
}

fn elsewhere() -> Vec<Row> {
    vec![
        row(
            "a form of an identity provider",
            File(LIST),
            request(
                "POST",
                &[
                    ("origin", "https://login.example"),
                    ("sec-fetch-mode", "navigate"),
                    ("sec-fetch-site", "cross-site"),
                ],
            ),
            "this is a navigation or a form of another site, whose answer no page reads",
            "leave the route out of the layer",
            Code::None,
        ),
        row(
            "always another origin",
            Builder(|| CorsLayer::builder().always_allow_origin(APP)),
            get("https://www.app.example"),
            "every answer names \"https://app.example\", whichever origin asks",
            "write allow_origins in place of always_allow_origin, with both",
            Code::Both,
        ),
    ]
}
