//! What must not build, and what must.

use super::{
    config::{Config, Form, Layer, MethodRule, Settings, Who},
    entry, layer,
    lists::{self, Names},
    origin,
    policies::{Facts, Reach},
    policy::Policy,
    registry,
};

/// Whether the configuration builds. `None` where that depends on what the model does not know.
pub fn builds(config: &Config) -> Option<bool> {
    let checks: Vec<Option<bool>> = match &config.form {
        Form::Layer(layer) => vec![layer_builds(layer)],
        Form::ByMethod(rules) => {
            let in_use = layer::rules_with_methods(rules);
            let made = rules
                .iter()
                .map(|rule| policy_of(rule).map_or(Some(true), is_made));
            in_use.iter().map(rule_builds).chain(made).collect()
        }
    };
    all(&checks)
}

/// `Some(false)` if one is, since one mistake is enough; else `None` if one is.
fn all(checks: &[Option<bool>]) -> Option<bool> {
    if checks.contains(&Some(false)) {
        return Some(false);
    }
    checks.iter().all(Option::is_some).then_some(true)
}

fn layer_builds(layer: &Layer) -> Option<bool> {
    let (policy, settings) = (&layer.policy, &layer.settings);
    let mut checks = vec![
        of_settings(settings, &policy.facts()),
        of_policy(policy, settings),
    ];
    match policy {
        Policy::List(list) => {
            // `*` beside other entries would silently be any origin.
            let is_one_thing = !list.any || (list.listed.is_empty() && !settings.credentials);
            checks.push(Some(is_one_thing));
            checks.extend(list.listed.iter().map(|text| of_listed(text, settings)));
        }
        Policy::Constant(origin) => {
            let is_exact = origin::parse(origin).is_some() && !origin.contains('*');
            checks.push(Some(is_exact && settings.refuse != Some(true)));
            checks.push(of_listed(origin, settings));
        }
        _ => {}
    }
    all(&checks)
}

/// An entry of the layer's own list, in which `null` and `file://` have doors of their own.
fn of_listed(entry: &str, settings: &Settings) -> Option<bool> {
    match entry {
        "null" => Some(settings.dangerously.null),
        "file://" => Some(settings.dangerously.file),
        _ => of_entry(entry, settings),
    }
}

fn of_entry(entry: &str, settings: &Settings) -> Option<bool> {
    let Settings {
        credentials,
        dangerously,
        ..
    } = settings;
    match entry::is_well_formed(entry) {
        Some(true) if *credentials => {
            entry::is_safe_with_credentials(entry, dangerously.insecure, dangerously.suffixes)
        }
        other => other,
    }
}

fn rule_builds(rule: &MethodRule) -> Option<bool> {
    let mut headers = rule.headers.clone();
    if matches!(rule.who, Who::Bearers | Who::TrustedOrBearers(_)) {
        headers.listed.push("authorization".to_owned());
    }
    let settings = Settings {
        credentials: rule.credentials,
        methods: Names {
            any: false,
            listed: rule.methods.clone(),
        },
        headers,
        expose: rule.expose.clone(),
        max_age: rule.max_age,
        refuse: rule.refuse,
        ..Settings::default()
    };
    let facts = layer::facts_of(&rule.who);
    let policy = match policy_of(rule) {
        Some(policy) => of_policy(policy, &settings),
        None => Some(!(matches!(rule.who, Who::Anybody) && settings.credentials)),
    };
    all(&[of_settings(&settings, &facts), policy])
}

fn of_settings(settings: &Settings, facts: &Facts) -> Option<bool> {
    let lists = settings.methods.listed.iter().all(|m| is_method(m))
        && settings
            .headers
            .listed
            .iter()
            .all(|name| is_request_header(name))
        && settings
            .expose
            .listed
            .iter()
            .all(|name| is_response_header(name));
    // https://fetch.spec.whatwg.org/#cors-protocol-and-credentials
    let stars = settings.expose.any || facts.reach == Reach::Star;
    let seconds = settings.max_age.unwrap_or(0);
    let refuses = settings.refuse.unwrap_or(facts.refuse);
    let is_broad_and_safe = !facts.is_broad
        || refuses
            && !settings.credentials
            && !facts.grants_credentials
            && !settings.methods.any
            && !settings.headers.any
            && seconds <= 60;
    let is_status = (200..300).contains(&settings.preflight_status);
    Some(
        lists
            && !(stars && settings.credentials)
            && seconds <= 86_400
            && is_broad_and_safe
            && is_status
            && !facts.is_bypassed,
    )
}

fn policy_of(rule: &MethodRule) -> Option<&Policy> {
    match &rule.who {
        Who::Trusted(policy) | Who::TrustedOrBearers(policy) => Some(policy),
        Who::Nobody | Who::Anybody | Who::Bearers => None,
    }
}

/// Whether the policy can be made, whatever it goes with.
fn is_made(policy: &Policy) -> Option<bool> {
    of_policy(policy, &Settings::default())
}

/// What a policy has to be to be made at all, and to go with these settings.
fn of_policy(policy: &Policy, settings: &Settings) -> Option<bool> {
    match policy {
        Policy::Registry(entries) => {
            let checks: Vec<_> = entries.iter().map(registry::is_well_formed).collect();
            let patterns = entries.iter().map(|e| registry::sent(&e.pattern));
            let patterns: Vec<String> = patterns.collect();
            let is_once = (1..patterns.len()).all(|i| !patterns[..i].contains(&patterns[i]));
            all(&[all(&checks), Some(is_once)])
        }
        Policy::Set(entries) => {
            let checks: Vec<_> = entries
                .iter()
                .map(|text| of_entry(text, settings))
                .collect();
            all(&checks)
        }
        // https://fetch.spec.whatwg.org/#cors-protocol-and-credentials
        Policy::Any => Some(!settings.credentials),
        Policy::BearerOr(cookies) => of_policy(cookies, settings),
        Policy::Fallback(one, other) | Policy::WithPreflight(one, other) => {
            all(&[of_policy(one, settings), of_policy(other, settings)])
        }
        _ => Some(true),
    }
}

fn is_method(method: &str) -> bool {
    let known = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY",
    ];
    let upper = method.to_ascii_uppercase();
    // `P*T` looks like a wildcard, and `'*+` does not.
    let chars: Vec<char> = method.chars().collect();
    let is_part_of_a_name = |at: Option<usize>| {
        let c = at.and_then(|at| chars.get(at));
        c.is_none_or(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
    };
    let is_wild = (0..chars.len()).any(|at| {
        let beside = [at.checked_sub(1), Some(at + 1)];
        chars[at] == '*' && beside.into_iter().any(is_part_of_a_name)
    });
    is_one_token(method)
        && !lists::is_forbidden_method(method)
        && !is_wild
        && !["ANY", "ALL"].contains(&upper.as_str())
        && (known.contains(&method) || !known.contains(&upper.as_str()))
}

/// <https://fetch.spec.whatwg.org/#forbidden-request-header>, and headers of the protocol, which only
/// answers have.
fn is_request_header(name: &str) -> bool {
    let forbidden = "accept-charset accept-encoding access-control-request-headers \
                     access-control-request-method connection content-length cookie cookie2 date \
                     dnt expect host keep-alive origin referer set-cookie te trailer \
                     transfer-encoding upgrade via access-control-allow-origin \
                     access-control-allow-credentials access-control-allow-methods \
                     access-control-allow-headers access-control-max-age \
                     access-control-expose-headers";
    let name = name.to_ascii_lowercase();
    is_name(&name)
        && !forbidden.split(' ').any(|forbidden| forbidden == name)
        && !name.starts_with("proxy-")
        && !name.starts_with("sec-")
}

/// <https://fetch.spec.whatwg.org/#forbidden-response-header-name>, and headers that no page reads.
fn is_response_header(name: &str) -> bool {
    let unread = "set-cookie set-cookie2 origin access-control-request-method \
                  access-control-request-headers access-control-allow-methods \
                  access-control-allow-headers access-control-max-age";
    let name = name.to_ascii_lowercase();
    is_name(&name) && !unread.split(' ').any(|unread| unread == name)
}

fn is_name(name: &str) -> bool {
    is_one_token(name) && !name.contains('*')
}

/// A token that is surely not a list, and has no quotation mark around it.
fn is_one_token(text: &str) -> bool {
    let quotes = |c: char| c == '\'' || c == '`';
    let names = text.split('|').filter(|part| !part.is_empty());
    let is_usual = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    // `|` is in tokens, too; between plain names it separates.
    let is_list = text.contains('|')
        && names.clone().next().is_some()
        && names.take(2).all(|name| name.chars().all(is_usual));
    lists::is_token(text) && !text.starts_with(quotes) && !text.ends_with(quotes) && !is_list
}
