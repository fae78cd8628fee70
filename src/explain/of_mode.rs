//! The finding of a credentials mode: the layer allows the request, and the browser still blocks it.

use http::HeaderMap;

use super::{
    browser::Block,
    code,
    finding::{Finding, FixCode},
};
use crate::{
    origin::{Origin, is_secure},
    policy::{PolicyProperties, Reach, Risks},
    protocol::{Rules, ToAll},
};

/// `None` where a denial says it, which has words of its own.
pub(super) fn finding(
    block: Block,
    rules: &Rules,
    sent: &[u8],
    headers: &HeaderMap,
) -> Option<Finding> {
    let origin = std::str::from_utf8(sent).ok();
    let origin = origin.and_then(|text| text.parse::<Origin>().ok());
    let origin = origin.filter(code::is_listable);
    let (cause, fix, code) = match block {
        Block::AnyOriginWithCredentials => (
            "the answer allows any origin by *, which does not count with credentials".into(),
            "list the origins and allow credentials, or leave out credentials in the page",
            origin.and_then(|origin| list_instead_of_any(&origin, rules)),
        ),
        Block::NoAllowCredentials if rules.credentials || decides_itself(&rules.properties) => (
            "the policy allows the origin without credentials".into(),
            "let the policy, or its entry, allow them, or leave out credentials in the page",
            None,
        ),
        Block::NoAllowCredentials => (
            "the layer does not allow credentials".into(),
            "call allow_credentials(true), or leave out credentials in the page",
            may_allow_credentials(rules).then(code::credentials),
        ),
        Block::OtherOrigin => {
            let named = headers.get("access-control-allow-origin")?;
            let named = named.to_str().ok()?;
            (
                format!("every answer names {named:?}, whichever origin asks").into(),
                "write allow_origins in place of always_allow_origin, with both",
                origin.and_then(|origin| both_origins(&origin, named, rules)),
            )
        }
        Block::NoAllowOrigin
        | Block::PreflightStatus
        | Block::Method
        | Block::Authorization
        | Block::Header => return None,
    };
    Some(Finding {
        cause,
        fix: fix.into(),
        facts: Vec::new(),
        code: code.unwrap_or_default().for_rules(rules),
    })
}

/// Whether the policy says for each origin if it may send credentials.
fn decides_itself(properties: &PolicyProperties) -> bool {
    properties.has_own_credentials()
}

fn list_instead_of_any(origin: &Origin, rules: &Rules) -> Option<FixCode> {
    let is_listed_any = matches!(rules.to_all, Some(ToAll::Star)) && !rules.by_method;
    let builds = is_secure(origin.scheme(), origin.host()) && !rules.expose.is_any();
    (is_listed_any && builds).then(|| {
        let list = code::list("allow_origins", &[origin.as_str().to_owned()]);
        code::both(list, code::credentials())
    })
}

fn both_origins(origin: &Origin, named: &str, rules: &Rules) -> Option<FixCode> {
    let builds = !rules.credentials || is_secure(origin.scheme(), origin.host());
    let list = [named.to_owned(), origin.as_str().to_owned()];
    builds.then(|| code::list("allow_origins", &list))
}

/// Whether the configuration still builds with credentials.
fn may_allow_credentials(rules: &Rules) -> bool {
    let properties = &rules.properties;
    let is_safe = match &rules.plain_list {
        Some(list) => !list.has_insecure_origins() && !list.matches_strangers(),
        None => properties.risks(true) == Risks::default(),
    };
    is_safe
        && !rules.expose.is_any()
        && !properties.has_broad_preflight()
        && (properties.reach() <= Reach::Listed || matches!(rules.to_all, Some(ToAll::Origin(_))))
}
