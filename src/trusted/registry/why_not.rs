//! Why the registry does not let an origin in: for the texts of denials. Nothing here decides.

use super::origin_registry::OriginRegistry;
use crate::{
    origin::{Listing, Nearest, Origin},
    policy::{ListingTexts, Said},
    trusted::entry::{Scope, Scopes, Status, TrustedOrigin},
};

impl Listing for OriginRegistry {
    fn entry_for(&self, origin: &Origin) -> Option<String> {
        let matching = self.matching(origin);
        let trusted = matching.iter().find(|entry| is_trusted(entry))?;
        Some(trusted.pattern().as_str().to_owned())
    }

    /// Nothing: a search would hold up edits.
    fn entries_up_to(&self, _: usize) -> Option<Vec<String>> {
        None
    }
}

fn is_trusted(entry: &TrustedOrigin) -> bool {
    entry.status() == Status::Active && entry.scopes().contains(Scope::Cors)
}

impl ListingTexts for OriginRegistry {
    fn why_not(&self, origin: &Origin) -> Option<Said> {
        let matching = self.matching(origin);
        // An entry that has only to be switched on is the smallest change.
        let inactive = matching.iter().find(|entry| {
            entry.status() == Status::Inactive && entry.scopes().contains(Scope::Cors)
        });
        match (inactive, matching.first()) {
            (Some(entry), _) => Some(is_inactive(entry)),
            (None, Some(entry)) => Some(has_other_scopes(entry)),
            // An entry that is nearly the origin says more than that there is none.
            (None, None) => match Nearest::find(self, origin) {
                Some(_) => None,
                None => Some(Said {
                    cause: "the origin is not allowed: the registry has no entry for it".into(),
                    fix: "create one with the scope CORS".into(),
                    code: self.code_to_add(origin),
                }),
            },
        }
    }

    fn code_to_add(&self, origin: &Origin) -> Option<String> {
        let (name, pattern) = (origin.host(), origin.as_str());
        Some(draft_of("new", name, pattern, Scope::Cors.into()))
    }
}

fn is_inactive(entry: &TrustedOrigin) -> Said {
    let (id, pattern) = (entry.id(), entry.pattern().as_str());
    Said {
        cause: format!("the origin is not allowed: its entry {pattern:?} is inactive").into(),
        fix: format!("activate the entry {id}").into(),
        code: Some(format!(
            "store.activate({:?}.parse()?, None, by).await?",
            id.to_string()
        )),
    }
}

fn has_other_scopes(entry: &TrustedOrigin) -> Said {
    let (id, pattern, scopes) = (entry.id(), entry.pattern().as_str(), entry.scopes());
    let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
    let names = names.join(" and ");
    let all: Scopes = scopes.iter().chain([Scope::Cors]).collect();
    // An entry keeps its permission.
    let constructor = if entry.draft().allows_insecure() {
        "dangerously_insecure"
    } else {
        "new"
    };
    Said {
        cause: format!(
            "the origin is not allowed: its entry {pattern:?} has the scope {names} only"
        )
        .into(),
        fix: format!("give the entry {id} the scope CORS as well").into(),
        code: Some(draft_of(constructor, entry.name(), pattern, all)),
    }
}

fn draft_of(constructor: &str, name: &str, pattern: &str, scopes: Scopes) -> String {
    let scopes: Vec<String> = scopes
        .iter()
        .map(|scope| format!("Scope::{scope:?}"))
        .collect();
    let [name, pattern] = [name, pattern].map(|text| format!("{text:?}"));
    // A line for each argument, since names and patterns are long.
    let arguments = [name, pattern, format!("[{}]", scopes.join(", "))];
    let lines = arguments.map(|argument| format!("    {argument},\n"));
    format!("OriginDraft::{constructor}(\n{})?", lines.concat())
}
