use tower_cors::{
    explain::CredentialsMode,
    trusted::entry::{OriginDraft, Scope, Scopes, Status},
};

use super::{ADD_IT, row};
use crate::{
    APP, get, preflight,
    setup::Setup::{self, Registry},
    table::{Code, Row},
};

fn entry(origin: &str, scopes: impl Into<Scopes>) -> OriginDraft {
    OriginDraft::new("Shop", origin, scopes).unwrap()
}

/// What looks alike from outside: 403, and no header.
pub(super) fn rows() -> Vec<Row> {
    let active: Setup = Registry(|| vec![entry(APP, Scope::Cors)]);
    let inactive = || vec![entry(APP, Scope::Cors).with_status(Status::Inactive)];
    vec![
        row(
            "no entry",
            Registry(Vec::new),
            get(APP),
            "the origin is not allowed: the registry has no entry for it",
            "create one with the scope CORS",
            Code::Rust,
        ),
        row(
            "an inactive entry",
            Registry(inactive),
            get(APP),
            "the origin is not allowed: its entry \"https://app.example\" is inactive",
            "activate the entry ",
            Code::Rust,
        ),
        row(
            "the preflight of an inactive entry",
            Registry(inactive),
            preflight(APP, "GET", ""),
            "the origin is not allowed: its entry \"https://app.example\" is inactive",
            "activate the entry ",
            Code::Rust,
        ),
        row(
            "an entry of another scope",
            Registry(|| vec![entry("https://*.app.example", Scope::Redirect)]),
            get("https://shop.app.example"),
            "the origin is not allowed: its entry \"https://*.app.example\" has the scope \
             REDIRECT only",
            "give the entry ",
            Code::Rust,
        ),
        row(
            "a range of addresses of another scope",
            Registry(|| {
                let range = "http://192.168.0.0/16:*";
                vec![OriginDraft::dangerously_insecure("Office", range, Scope::Redirect).unwrap()]
            }),
            get("http://192.168.1.5:3000"),
            "the origin is not allowed: its entry \"http://192.168.0.0/16:*\" has the scope \
             REDIRECT only",
            "give the entry ",
            Code::Rust,
        ),
        row(
            "an inactive entry of another scope",
            Registry(|| vec![entry(APP, Scope::Redirect).with_status(Status::Inactive)]),
            get(APP),
            "the origin is not allowed: its entry \"https://app.example\" has the scope \
             REDIRECT only",
            "give the entry ",
            Code::Rust,
        ),
        row(
            "an inactive entry with another scheme",
            Registry(inactive),
            get("http://app.example"),
            "the origin is not allowed: the registry has no entry for it",
            "create one with the scope CORS",
            Code::Rust,
        ),
        row(
            "an entry with another scheme",
            Registry(|| vec![entry(APP, Scope::Cors)]),
            get("http://app.example"),
            "the origin is not allowed; \"https://app.example\" is, with another scheme",
            "open the page over https, or add it",
            Code::Rust,
        ),
        row(
            "the base of a wildcard entry",
            Registry(|| vec![entry("https://*.app.example", Scope::Cors)]),
            get(APP),
            "the origin is not allowed; \"https://*.app.example\" is, but that is the names below \
             it only",
            ADD_IT,
            Code::Rust,
        ),
        Row {
            mode: CredentialsMode::Include,
            ..row(
                "an entry without credentials",
                active,
                get(APP),
                "the policy allows the origin without credentials",
                "let the policy, or its entry, allow them",
                Code::None,
            )
        },
    ]
}
