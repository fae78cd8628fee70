//! One configuration for each method of a route.

use super::{
    super::{
        config::{MethodRule, Request, Settings, Wait, Who},
        lists::{self, Names},
        policies::Facts,
        policy::Policy,
    },
    InForce,
};

/// The rule for the method of a request, or for the method that a preflight announces.
pub fn of_method(rules: &[MethodRule], request: &Request) -> InForce {
    let is_preflight = request.method == "OPTIONS" && request.has("origin");
    let announced = request.lines("access-control-request-method");
    let announced = announced.first().filter(|_| is_preflight);
    let method = announced.map_or(request.method.as_bytes(), |line| *line);

    let nobody = MethodRule {
        methods: Vec::new(),
        who: Who::Nobody,
        credentials: false,
        headers: Names::default(),
        expose: Names::default(),
        max_age: None,
        refuse: None,
    };
    let rules = rules_with_methods(rules);
    let in_force = |rule: Option<&MethodRule>| of_rule(rule.unwrap_or(&nobody), &rules);
    let is_own = |rule: &&MethodRule| rule.methods.iter().any(|own| own.as_bytes() == method);
    let own = rules.iter().find(is_own);
    if own.is_some() || announced.is_none() {
        return in_force(own);
    }
    // Browsers let these three pass whatever the answer lists, so another rule's answer would open
    // them. Any other method gets the answer of the rule that admits most.
    if lists::is_safelisted_method(&String::from_utf8_lossy(method)) {
        return in_force(None);
    }
    let mut widest = in_force(None);
    for rule in &rules {
        let rule = in_force(Some(rule));
        if rule.facts.reach > widest.facts.reach {
            widest = rule;
        }
    }
    widest
}

/// The rules with the methods that are left to them: a later rule takes a method from an earlier one.
pub fn rules_with_methods(rules: &[MethodRule]) -> Vec<MethodRule> {
    let mut left: Vec<MethodRule> = Vec::new();
    for rule in rules {
        let mut own = MethodRule {
            methods: Vec::new(),
            ..rule.clone()
        };
        for method in &rule.methods {
            for there in left.iter_mut().chain([&mut own]) {
                there.methods.retain(|there| there != method);
            }
            own.methods.push(method.clone());
        }
        left.push(own);
    }
    left.retain(|rule| !rule.methods.is_empty());
    left
}

fn of_rule(rule: &MethodRule, all: &[MethodRule]) -> InForce {
    let mut headers = rule.headers.clone();
    if matches!(rule.who, Who::Bearers | Who::TrustedOrBearers(_)) {
        headers.listed.push("authorization".to_owned());
    }
    let mut facts = facts_of(&rule.who);
    // Caches know a request by its URL, which the methods share.
    facts.no_store = all.iter().any(|rule| facts_of(&rule.who).no_store);
    facts.private = all.iter().any(|rule| facts_of(&rule.who).private);
    InForce {
        policy: policy_of(&rule.who),
        facts,
        settings: Settings {
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
        },
        is_by_method: true,
        wait: Wait::Ready,
    }
}

fn policy_of(who: &Who) -> Policy {
    match who {
        Who::Nobody => Policy::Nobody,
        Who::Anybody => Policy::Any,
        Who::Bearers => Policy::BearerOr(Box::new(Policy::Nobody)),
        Who::Trusted(policy) => policy.clone(),
        Who::TrustedOrBearers(policy) => Policy::BearerOr(Box::new(policy.clone())),
    }
}

pub fn facts_of(who: &Who) -> Facts {
    policy_of(who).facts()
}
