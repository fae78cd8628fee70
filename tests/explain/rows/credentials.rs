use tower_cors::{
    CorsLayer, CorsLayerBuilder, Grant, Verdict, explain::CredentialsMode, policy_fn,
};

use super::row;
use crate::{
    APP, get, preflight,
    setup::Setup::{self, Builder, File},
    table::{Code, Row},
};

/// Pages that send cookies, which the layer lets in without.
pub(super) fn rows() -> Vec<Row> {
    let not_allowed = "the layer does not allow credentials";
    let call_it = "call allow_credentials(true), or leave out credentials in the page";
    let any = "the answer allows any origin by *, which does not count with credentials";
    let list_them = "list the origins and allow credentials, or leave out credentials in the page";
    let list = "allow_origins = [\"https://app.example\"]";
    vec![
        with_cookies(
            "a request",
            File(list),
            get(APP),
            not_allowed,
            call_it,
            Code::Both,
        ),
        with_cookies(
            "a preflight",
            File("allow_origins = [\"https://app.example\"]\nallow_methods = [\"PUT\"]"),
            preflight(APP, "PUT", ""),
            not_allowed,
            call_it,
            Code::Both,
        ),
        with_cookies(
            "a list with an entry that must not get credentials",
            File("allow_origins = [\"https://app.example\", \"http://intranet.example\"]"),
            get(APP),
            not_allowed,
            call_it,
            Code::None,
        ),
        with_cookies(
            "any origin",
            File("allow_origins = \"*\""),
            get(APP),
            any,
            list_them,
            Code::Both,
        ),
        with_cookies(
            "any origin, from a host that cannot be listed",
            File("allow_origins = \"*\""),
            get("https://-app.example"),
            any,
            list_them,
            Code::None,
        ),
        with_cookies(
            "any of everything",
            Builder(CorsLayerBuilder::permissive),
            get(APP),
            any,
            list_them,
            // Exposing any header does not build with credentials.
            Code::None,
        ),
        with_cookies(
            "a policy that allows without",
            Builder(|| {
                let grant = || Grant::new().allow_credentials(false);
                let policy = policy_fn(move |_| Verdict::from(grant()));
                CorsLayer::builder()
                    .origin_policy(policy)
                    .allow_credentials(true)
            }),
            get(APP),
            "the policy allows the origin without credentials",
            "let the policy, or its entry, allow them",
            Code::None,
        ),
    ]
}

fn with_cookies(
    name: &'static str,
    setup: Setup,
    request: http::Request<()>,
    cause: &'static str,
    fix: &'static str,
    code: Code,
) -> Row {
    Row {
        mode: CredentialsMode::Include,
        ..row(name, setup, request, cause, fix, code)
    }
}
