//! Reads printed fixes and does what they say. Only what `explain` prints is understood; anything else
//! panics, and so fails the test.

use http::Method;
use tower_cors::{
    CorsLayerBuilder, OriginSet,
    routes::{MethodRule, MethodRules},
    trusted::{
        entry::{OriginDraft, Scope},
        store::{EmbeddedStore, OriginStore},
    },
};

use crate::setup::admin;

/// The code in one line, without commas at the end of lists.
fn in_one_line(code: &str) -> String {
    let code: String = code.lines().map(str::trim).collect();
    code.replace(",]", "]").replace(",)", ")")
}

/// The calls in the code, as names and arguments.
fn calls(code: &str) -> Vec<(String, String)> {
    let code = in_one_line(code);
    let mut rest = code.as_str();
    let mut calls = Vec::new();
    while !rest.is_empty() {
        let call = rest.strip_prefix('.').unwrap_or_else(|| panic!("{rest}"));
        let (name, behind) = call.split_once('(').unwrap();
        let end = closing(behind);
        calls.push((name.to_owned(), behind[..end].to_owned()));
        rest = &behind[end + 1..];
    }
    calls
}

/// The position of the parenthesis that ends the arguments.
fn closing(arguments: &str) -> usize {
    let mut depth = 0;
    for (at, c) in arguments.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return at,
            ')' => depth -= 1,
            _ => {}
        }
    }
    panic!("no end: {arguments}");
}

/// `["a", "b"]`, which JSON writes alike.
fn list(text: &str) -> Vec<String> {
    serde_json::from_str(&in_one_line(text)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(crate) fn to_builder(
    mut builder: CorsLayerBuilder,
    code: &str,
    file: &str,
) -> CorsLayerBuilder {
    // One more entry for the list that is in the file.
    if let Some((entry, _)) = code.split_once(", // one more entry of allow_origins") {
        let file: toml::Table = toml::from_str(file).unwrap();
        let entries = file["allow_origins"].as_array().unwrap().iter();
        let mut entries: Vec<&str> = entries.map(|entry| entry.as_str().unwrap()).collect();
        entries.push(entry.trim_matches('"'));
        return builder.allow_origins(entries);
    }
    for (name, argument) in calls(code) {
        builder = match name.as_str() {
            "allow_origins" => builder.allow_origins(list(&argument)),
            "allow_methods" => builder.allow_methods(list(&argument)),
            "allow_headers" => builder.allow_headers(list(&argument)),
            "allow_credentials" => builder.allow_credentials(argument.parse().unwrap()),
            other => panic!("{other}"),
        };
    }
    builder
}

pub(crate) fn to_rule(mut rule: MethodRule, code: &str) -> MethodRule {
    for (name, argument) in calls(code) {
        rule = match name.as_str() {
            "allow_headers" => rule.allow_headers(list(&argument)),
            "allow_credentials" => rule.allow_credentials(argument.parse().unwrap()),
            other => panic!("{other}"),
        };
    }
    rule
}

/// `.rule([Method::PUT], MethodRule::trusted_only(OriginSet::parse([...])?))`
pub(crate) fn to_rules(mut rules: MethodRules, code: &str) -> MethodRules {
    for (name, arguments) in calls(code) {
        assert_eq!(name, "rule");
        let (method, rule) = arguments.split_once("],").unwrap();
        let method = method.strip_prefix('[').unwrap();
        let method = match method.strip_prefix("Method::") {
            Some(name) => name,
            None => method.strip_suffix(".parse()?").unwrap().trim_matches('"'),
        };
        let method: Method = method.parse().unwrap();
        let rule = rule.strip_prefix("MethodRule::trusted_only(").unwrap();
        let set = origin_set(rule.strip_suffix(')').unwrap());
        rules = rules.rule([method], MethodRule::trusted_only(set));
    }
    rules
}

pub(crate) fn origin_set(code: &str) -> OriginSet {
    let entries = code.strip_prefix("OriginSet::parse(").unwrap();
    OriginSet::parse(list(entries.strip_suffix(")?").unwrap())).unwrap()
}

/// Lines for a file: the keys in them replace those of the file.
pub(crate) fn to_file(file: &str, lines: &str) -> String {
    let mut table: toml::Table = toml::from_str(file).unwrap();
    if let Some((entry, _)) = lines.split_once(", # one more entry of allow_origins") {
        let entries = table["allow_origins"].as_array_mut().unwrap();
        entries.push(entry.trim_matches('"').into());
    } else {
        table.extend(toml::from_str::<toml::Table>(lines).unwrap());
    }
    toml::to_string(&table).unwrap()
}

/// An edit of the store. An entry with the same pattern is replaced.
pub(crate) async fn to_store(store: &EmbeddedStore, code: &str) {
    let code = &in_one_line(code);
    if let Some(code) = code.strip_prefix("store.activate(\"") {
        let (id, rest) = code.split_once('"').unwrap();
        assert_eq!(rest, ".parse()?, None, by).await?");
        assert_eq!(id.len(), 16, "{id}");
        // A store makes the ids itself, so the entry of this store has another one.
        let id = store.origins().list(None, 1, |_| true)[0].id();
        store.activate(id, None, admin()).await.unwrap();
        return;
    }
    let (constructor, arguments) = code.split_once('(').unwrap();
    let arguments = arguments.strip_suffix(")?").unwrap();
    let (texts, scopes) = arguments.split_once(",[").unwrap();
    let [name, pattern] = &list(&format!("[{texts}]"))[..] else {
        panic!("{texts}");
    };
    let scopes = scopes.strip_suffix(']').unwrap().split(", ");
    let scopes = scopes.map(|scope| match scope {
        "Scope::Cors" => Scope::Cors,
        "Scope::Redirect" => Scope::Redirect,
        "Scope::IframeEmbed" => Scope::IframeEmbed,
        other => panic!("{other}"),
    });
    let scopes: tower_cors::trusted::entry::Scopes = scopes.collect();
    let draft = match constructor {
        "OriginDraft::new" => OriginDraft::new(name, pattern, scopes),
        "OriginDraft::dangerously_insecure" => {
            OriginDraft::dangerously_insecure(name, pattern, scopes)
        }
        other => panic!("{other}"),
    };
    let there = store
        .origins()
        .list(None, 1, |entry| entry.pattern().as_str() == *pattern);
    match there.first() {
        Some(entry) => {
            let replaced = store.replace(entry.id(), None, draft.unwrap(), admin());
            replaced.await.unwrap();
        }
        None => {
            store.create(draft.unwrap(), admin()).await.unwrap();
        }
    }
}
