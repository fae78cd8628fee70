//! The finding of a denial: its own words, and the fix as code.

use http::{HeaderValue, Method};

use super::{
    code,
    finding::{Finding, FixCode},
};
use crate::{
    escaped::{OneLine, Quoted},
    lists::{AllowHeaders, AllowMethods},
    origin::{Origin, OriginSet, is_secure},
    policy::{Denial, DenialKind, Hint, ListedHeaders, ListedMethods, MAX_WRITTEN},
    protocol::Rules,
};

/// The most header names that are listed one by one.
const MAX_NAMES: usize = 40;

/// `method` is the method of the request, or that which a preflight announces.
pub(super) fn finding(denial: &Denial, rules: &Rules, method: &Method) -> Finding {
    let sentence = denial.sentence();
    Finding {
        cause: sentence.cause,
        fix: sentence.fix,
        facts: facts(denial),
        code: code(denial, rules, method).for_rules(rules),
    }
}

fn facts(denial: &Denial) -> Vec<String> {
    let mut facts = Vec::new();
    match denial.hint() {
        Some(Hint::Headers(headers)) => facts.push(missing(headers)),
        _ => facts.extend(denial.subject().map(|subject| {
            let subject = Quoted(subject.as_bytes());
            format!("asked for: {subject}")
        })),
    }
    // Of headers, the reason only counts those that the fact above has.
    if denial.kind() != DenialKind::HeaderNotAllowed {
        facts.extend(
            denial
                .own_reason()
                .map(|reason| OneLine(reason).to_string()),
        );
    }
    facts
}

fn missing(headers: &ListedHeaders) -> String {
    let names = headers.missing.iter().take(MAX_NAMES);
    let names: Vec<&str> = names.map(|name| &**name).collect();
    // Names are tokens, so there is nothing to escape.
    let mut fact = format!("missing: {}", names.join(", "));
    let more = headers.missing.len() - names.len();
    if more > 0 {
        fact.push_str(&format!(" and {more} more"));
    }
    fact
}

fn code(denial: &Denial, rules: &Rules, method: &Method) -> FixCode {
    match denial.hint() {
        Some(Hint::Methods(methods)) => of_method(denial, methods, method),
        Some(Hint::Headers(headers)) => of_headers(headers),
        Some(Hint::Closed) => sent(denial).map(|origin| code::rule(method, origin.as_str())),
        Some(Hint::LookedUpIn(_)) if denial.kind() == DenialKind::OriginNotAllowed => {
            sent(denial).and_then(|origin| of_origin(&origin, rules))
        }
        Some(Hint::Said(said)) => said.code.clone().map(code::rust),
        #[cfg(feature = "token")]
        Some(Hint::NotInToken(_)) => None,
        Some(Hint::LookedUpIn(_) | Hint::Navigation | Hint::UnansweredPreflight) | None => None,
    }
    .unwrap_or_default()
}

/// The origin of the request, if a list accepts it.
fn sent(denial: &Denial) -> Option<Origin> {
    let value: &HeaderValue = denial.origin()?;
    let origin = Origin::from_header(value).ok()?;
    code::is_listable(&origin).then_some(origin)
}

/// The list with the origin, if that builds.
fn of_origin(origin: &Origin, rules: &Rules) -> Option<FixCode> {
    let text = origin.as_str();
    // Without transport security it must not get credentials, which is the page's to change.
    if rules.credentials && !is_secure(origin.scheme(), origin.host()) {
        return None;
    }
    match &rules.plain_list {
        Some(list) => Some(with_entry(list, text)),
        None => {
            let listings = rules.properties.listings();
            let said = listings.why_not(origin).and_then(|said| said.code);
            said.or_else(|| listings.code_to_add(origin))
                .map(code::rust)
        }
    }
}

fn with_entry(list: &OriginSet, text: &str) -> FixCode {
    match list.entries_up_to(MAX_WRITTEN) {
        Some(mut entries) => {
            entries.push(text.to_owned());
            code::list("allow_origins", &entries)
        }
        None => code::one_more("allow_origins", text),
    }
}

fn of_method(denial: &Denial, methods: &ListedMethods, method: &Method) -> Option<FixCode> {
    let page = |name: &str| Some(format!("method: {name:?}"));
    if let Some(listed) = methods.list.in_another_case(method) {
        return Some(FixCode {
            page: page(listed),
            ..FixCode::default()
        });
    }
    if methods.by_method {
        return Some(match methods.spelling {
            None => code::rule(method, sent(denial)?.as_str()),
            // The method may have a rule under the name that it has.
            Some(spelling) => FixCode {
                page: page(spelling),
                ..FixCode::default()
            },
        });
    }
    // A grant's own list stands in the policy, where no code of the builder changes it.
    if methods.is_of_grant {
        return None;
    }
    let with = |name: &str| {
        let mut entries = methods.list.entries();
        entries.push(name.to_owned());
        AllowMethods::list(&entries).ok()?;
        Some(code::list("allow_methods", &entries))
    };
    match methods.spelling {
        None => with(method.as_str()),
        // As it was sent it cannot be listed: the page has to change as well.
        Some(spelling) => Some(FixCode {
            page: page(spelling),
            ..with(spelling)?
        }),
    }
}

fn of_headers(headers: &ListedHeaders) -> Option<FixCode> {
    // With a name that no list takes, the page has to change first.
    if headers.is_of_grant || !headers.unlistable.is_empty() {
        return None;
    }
    let mut entries = headers.list.entries();
    let missing = headers.missing.iter();
    entries.extend(missing.map(|name| name.to_ascii_lowercase()));
    AllowHeaders::list(&entries).ok()?;
    Some(code::list("allow_headers", &entries))
}
