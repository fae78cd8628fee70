//! The registry of trusted origins.

use super::{
    entry, origin,
    policy::{Asked, Grant, Verdict, not_allowed},
};

#[derive(Clone, Debug)]
pub struct RegistryEntry {
    /// As it was written: see [`sent`].
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
            && entry::matches(&sent(&entry.pattern), origin)
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

/// The pattern in the spelling of browsers, which may have been written with a scheme and a host in
/// upper case and a default port. Only in `http` and `https`. Letters beyond ASCII stay: see
/// [`is_foldable`].
pub fn sent(pattern: &str) -> String {
    let Some((scheme, rest)) = pattern.split_once("://") else {
        return pattern.to_owned();
    };
    let scheme = scheme.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "http" => "80",
        "https" => "443",
        _ => return pattern.to_owned(),
    };
    match origin::split_port(&rest.to_ascii_lowercase()) {
        None => pattern.to_owned(),
        Some((host, None)) => format!("{scheme}://{host}"),
        Some((host, Some(port))) if port == default => format!("{scheme}://{host}"),
        Some((host, Some(port))) => format!("{scheme}://{host}:{port}"),
    }
}

/// Whether the host has letters beyond ASCII, of which the model knows nothing.
pub fn is_foldable(pattern: &str) -> bool {
    let scheme = pattern.split_once("://").map(|(scheme, _)| scheme);
    let is_web = scheme.is_some_and(|scheme| origin::is_web(&scheme.to_ascii_lowercase()));
    is_web && !pattern.is_ascii()
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
    if is_foldable(&entry.pattern) {
        return None;
    }
    let pattern = sent(&entry.pattern);
    let is_entry = if entry::is_range(&pattern) {
        entry.allows_insecure
    } else {
        entry::is_well_formed(&pattern)?
    };
    // Credentials, redirects and frames give power, so that strangers must not match.
    let gives_power = has("REDIRECT") || has("IFRAME_EMBED") || entry.credentials;
    let allows_insecure = entry.allows_insecure || !entry.credentials;
    if !is_entry {
        Some(false)
    } else if gives_power {
        entry::is_safe_with_credentials(&pattern, allows_insecure, false)
    } else {
        Some(true)
    }
}
