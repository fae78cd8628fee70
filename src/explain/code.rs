//! The lines of a fix, for the builder and for the configuration file.

use http::Method;

use super::finding::FixCode;
use crate::{
    origin::{Origin, OriginPattern},
    policy::array_code,
};

/// Whether a list accepts the origin. A request may have one that lists refuse, such as
/// `https://-a.example` or `file://`.
pub(super) fn is_listable(origin: &Origin) -> bool {
    origin.as_str().parse::<OriginPattern>().is_ok()
}

/// One setting with its list.
pub(super) fn list(setting: &str, entries: &[String]) -> FixCode {
    FixCode {
        rust: Some(array_code(&format!(".{setting}("), entries, ")")),
        toml: Some(array_code(&format!("{setting} = "), entries, "")),
        page: None,
    }
}

/// An entry for a list that is too long to be repeated.
pub(super) fn one_more(setting: &str, entry: &str) -> FixCode {
    FixCode {
        rust: Some(format!("{entry:?}, // one more entry of {setting}")),
        toml: Some(format!("{entry:?}, # one more entry of {setting}")),
        page: None,
    }
}

/// Both changes.
pub(super) fn both(first: FixCode, second: FixCode) -> FixCode {
    let join = |one: Option<String>, other: Option<String>| Some(format!("{}\n{}", one?, other?));
    FixCode {
        rust: join(first.rust, second.rust),
        toml: join(first.toml, second.toml),
        page: None,
    }
}

pub(super) fn credentials() -> FixCode {
    FixCode {
        rust: Some(".allow_credentials(true)".to_owned()),
        toml: Some("allow_credentials = true".to_owned()),
        page: None,
    }
}

pub(super) fn rust(code: String) -> FixCode {
    FixCode {
        rust: Some(code),
        ..FixCode::default()
    }
}

/// The rule of one method for one origin.
pub(super) fn rule(method: &Method, origin: &str) -> FixCode {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let name = method.as_str();
    let method = if known.contains(&name) {
        format!("Method::{name}")
    } else {
        format!("{name:?}.parse()?")
    };
    rust(format!(
        ".rule(\n    [{method}],\n    MethodRule::trusted_only(\n        \
         OriginSet::parse([{origin:?}])?,\n    ),\n)"
    ))
}
