//! The registry of trusted origins.

use super::{
    entry,
    policy::{Asked, Grant, Verdict, not_allowed},
};

#[derive(Clone, Debug)]
pub struct RegistryEntry {
    pub pattern: String,
    pub scopes: Vec<String>,
    pub is_active: bool,
    pub credentials: bool,
    pub allows_insecure: bool,
}

/// Origins that an active entry for CORS matches, with credentials if one of them has those.
/// Browsers may keep the answer for a minute, since entries are edited.
pub fn judge(entries: &[RegistryEntry], asked: &Asked<'_>) -> Verdict {
    let Some(origin) = asked.origin() else {
        return not_allowed(asked);
    };
    let matching = entries.iter().filter(|entry| {
        entry.is_active
            && entry.scopes.iter().any(|scope| scope == "CORS")
            && entry::matches(&entry.pattern, origin)
    });
    let matching: Vec<_> = matching.collect();
    if matching.is_empty() {
        return not_allowed(asked);
    }
    Verdict::Allow(Grant {
        credentials: Some(matching.iter().any(|entry| entry.credentials)),
        max_age_cap: asked.preflight.map(|_| 60),
        ..Grant::default()
    })
}

/// Whether such an entry may be made; `None` where the model does not know.
pub fn is_well_formed(entry: &RegistryEntry) -> Option<bool> {
    let has = |scope: &str| entry.scopes.iter().any(|own| own == scope);
    let are_scopes = entry
        .scopes
        .iter()
        .all(|scope| ["CORS", "REDIRECT", "IFRAME_EMBED"].contains(&scope.as_str()));
    if entry.scopes.is_empty() || !are_scopes || (entry.credentials && !has("CORS")) {
        return Some(false);
    }
    let is_entry = entry::is_well_formed(&entry.pattern)?;
    // Credentials, redirects and frames give power, so that strangers must not match.
    let gives_power = has("REDIRECT") || has("IFRAME_EMBED") || entry.credentials;
    let allows_insecure = entry.allows_insecure || !entry.credentials;
    if !is_entry {
        Some(false)
    } else if gives_power {
        entry::is_safe_with_credentials(&entry.pattern, allows_insecure, false)
    } else {
        Some(true)
    }
}
