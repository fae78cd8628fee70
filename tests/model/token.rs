//! A list of origins inside a bearer token.

use std::net::Ipv6Addr;

use serde_json::Value;

use super::{
    config::Request,
    entry,
    origin::{self, Origin},
    policy::{Asked, Denial, Grant, Verdict, deny, not_allowed},
};

/// The policy: every token with the text `good`, `expired` or `lapsed` has these claims.
#[derive(Clone, Debug)]
pub struct Token {
    pub format: Format,
    /// The claim `ao`, as JSON; `None` if the token has no such claim.
    pub claim: Option<Value>,
    /// Whether a token without the claim leaves the decision to the next policy.
    pub abstains: bool,
    pub private: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Delimited(char),
    Array,
    Single,
}

/// Which entries are let in, beside `https` origins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entries {
    /// Schemes of applications, in lower case.
    pub applications: &'static [&'static str],
    pub wildcards: bool,
}

pub fn judge(token: &Token, asked: &Asked<'_>) -> Verdict {
    let Some(origin) = asked.origin() else {
        return not_allowed(asked);
    };
    // A preflight carries no credentials; what is in its place proves nothing.
    let found = if asked.preflight.is_some() {
        Found::Nothing
    } else {
        find(asked.request)
    };
    let text = match found {
        Found::Nothing => return Verdict::Abstain,
        Found::Wrong => return deny("InvalidToken"),
        Found::Token(text) => text,
    };
    let claim = token.claim.as_ref();
    let is_listed = claim
        .is_some_and(|claim| lists(claim, token.format, Entries::default(), origin) == Some(true));
    match text.as_str() {
        "good" if is_listed => Verdict::Allow(Grant::default()),
        "good" if claim.is_none() && token.abstains => Verdict::Abstain,
        "good" => deny("OriginNotAllowed"),
        // It expired a moment ago: the page may read that, and fetch a new one.
        "expired" => Verdict::Deny(Denial {
            kind: "ExpiredToken",
            readable: is_listed,
            credentials: None,
        }),
        "lapsed" => deny("ExpiredToken"),
        "down" => deny("Unavailable"),
        _ => deny("InvalidToken"),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No credentials, or those of another scheme.
    Nothing,
    Token(String),
    /// Something that cannot be exactly one token, or that another reader may take for one.
    Wrong,
}

/// The token in `Authorization`: `Bearer` or `DPoP`, a space, and the token.
pub fn find(request: &Request) -> Found {
    let line = match request.lines("authorization")[..] {
        [] => return Found::Nothing,
        [line] => line,
        _ => return Found::Wrong,
    };
    // Bytes above 7F stand for themselves here; what matters is only that they are no ASCII.
    let text: String = line.iter().map(|&byte| char::from(byte)).collect();
    let lower = text.to_ascii_lowercase();
    if text.is_empty() {
        return Found::Nothing;
    }
    let (scheme, rest) = lower.split_once(' ').unwrap_or((&lower, ""));
    let credentials = text[text.len() - rest.len()..].trim_matches([' ', '\t']);
    let ours = ["bearer", "dpop"];
    if ours.contains(&scheme) {
        let is_text = credentials
            .chars()
            .all(|c| c == '\t' || (' '..='~').contains(&c));
        return if credentials.is_empty() || !is_text {
            Found::Wrong
        } else {
            Found::Token(credentials.to_owned())
        };
    }
    // `Basic x, Bearer y`, as a proxy joins two lines.
    let mut parts = lower
        .split(',')
        .skip(1)
        .map(|part| part.trim_start_matches([' ', '\t']));
    let is_hidden = parts.any(|part| {
        let word = part.split([' ', '\t']).next().unwrap();
        ours.contains(&word)
    });
    let resembles_ours = ours.iter().any(|ours| scheme.starts_with(ours));
    let is_no_scheme = !lower.contains(' ') || !super::lists::is_token(scheme) || scheme == "jwt";
    let is_jwt = credentials.starts_with("eyJ") && credentials.contains('.');
    if is_hidden || resembles_ours || is_no_scheme || is_jwt {
        Found::Wrong
    } else {
        Found::Nothing
    }
}

/// Whether the claim lists the origin; `None` where the model does not know. A claim of another
/// shape, or beyond a bound, lists nobody.
pub fn lists(claim: &Value, format: Format, let_in: Entries, origin: &Origin) -> Option<bool> {
    let entries: Vec<&Value> = match (format, claim) {
        (Format::Delimited(delimiter), Value::String(text)) => {
            let entries: Vec<Value> = text.split(delimiter).map(Value::from).collect();
            let is_bounded = text.len() <= 8192;
            return if is_bounded {
                lists_among(&entries.iter().collect::<Vec<_>>(), let_in, origin)
            } else {
                Some(false)
            };
        }
        (Format::Single, Value::String(_)) => vec![claim],
        (Format::Array, Value::Array(entries)) => entries.iter().collect(),
        _ => return Some(false),
    };
    let len: usize = entries
        .iter()
        .filter_map(|e| e.as_str())
        .map(str::len)
        .sum();
    if format == Format::Array && len > 8192 {
        return Some(false);
    }
    lists_among(&entries, let_in, origin)
}

fn lists_among(entries: &[&Value], let_in: Entries, origin: &Origin) -> Option<bool> {
    // An entry of white space is none, and so it is not counted.
    let is_empty = |entry: &str| entry.trim_matches([' ', '\t']).is_empty();
    let counted = entries
        .iter()
        .filter(|e| !e.as_str().is_some_and(is_empty))
        .count();
    let too_long = entries
        .iter()
        .any(|e| e.as_str().is_some_and(|e| e.len() > 255));
    if counted > 64 || too_long {
        return Some(false);
    }
    let mut is_unknown = false;
    for entry in entries.iter().filter_map(|entry| entry.as_str()) {
        match canonical(entry, let_in) {
            Some(Some(own)) if entry::matches(&own, origin) => return Some(true),
            Some(_) => {}
            None => is_unknown = true,
        }
    }
    if is_unknown { None } else { Some(false) }
}

/// The entry in the spelling of browsers: the inner `None` if it is not let in, the outer one where
/// the model does not know, because letters beyond ASCII would have to be folded, or because it does
/// not know who hands out the names below a domain.
pub fn canonical(entry: &str, let_in: Entries) -> Option<Option<String>> {
    let entry = entry.trim_matches([' ', '\t']);
    let Some((scheme, rest)) = entry.split_once("://") else {
        return Some(None);
    };
    let scheme = scheme.to_ascii_lowercase();
    let is_of_an_application = let_in.applications.contains(&&*scheme);
    if scheme != "https" && !is_of_an_application {
        return Some(None);
    }
    let Some((host, port)) = origin::split_port(rest) else {
        return Some(None);
    };
    if is_of_an_application {
        // Its bytes stay. A semicolon would end the entry if the list were written again.
        let written = format!("{scheme}://{rest}");
        return is_let_in(&written, host, let_in)
            .map(|is| (is && !host.contains(';')).then_some(written));
    }
    let host = host.to_ascii_lowercase();
    if !host.is_ascii() || host.contains("xn--") {
        return None;
    }
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host = match address.and_then(|address| address.parse::<Ipv6Addr>().ok()) {
        Some(address) => origin::write_ipv6(address),
        None => host,
    };
    let port = match port {
        None | Some("443") => String::new(),
        Some(port) => format!(":{port}"),
    };
    let written = format!("https://{host}{port}");
    is_let_in(&written, &host, let_in).map(|is| is.then_some(written))
}

/// Whether the entry is well-formed, and its wildcards, if it has some, may stand in a token's list.
fn is_let_in(entry: &str, host: &str, let_in: Entries) -> Option<bool> {
    if !entry.contains('*') {
        return Some(entry::is_well_formed(entry)? && origin::parse(entry).is_some());
    }
    if !let_in.wildcards || !entry::is_well_formed(entry)? {
        return Some(false);
    }
    if host == "*" {
        return Some(true);
    }
    entry::is_safe_with_credentials(entry, true, false)
}
