//! What a preflight asks for beyond the lists.

use super::rules::Rules;
use crate::{
    lists::{AllowHeaders, AllowMethods, known_in_another_case},
    policy::{Denial, DenialKind, Hint, ListedHeaders, ListedMethods, Terms},
    request::Preflight,
};

/// A preflight, and the lists that it is held against.
pub(super) struct Shortfall<'a> {
    pub(super) preflight: &'a Preflight<'a>,
    pub(super) methods: &'a AllowMethods,
    pub(super) headers: &'a AllowHeaders,
}

/// The most header names that a denial's text lists.
const MAX_NAMED: usize = 12;

impl Shortfall<'_> {
    /// The denial for a method or for headers that are requested and not allowed. It names all
    /// headers at once, so that nobody has to find them one by one.
    pub(super) fn denial(&self, rules: &Rules, terms: Option<&Terms>) -> Option<Denial> {
        self.of_method(rules, terms)
            .or_else(|| self.of_headers(terms))
    }

    fn of_method(&self, rules: &Rules, terms: Option<&Terms>) -> Option<Denial> {
        let method = self.preflight.method();
        if self.methods.allows(method) {
            return None;
        }
        // https://fetch.spec.whatwg.org/#concept-method-normalize: six methods are put into upper
        // case by the browser, `patch` is not among them.
        let denial = match self.methods.in_another_case(method) {
            Some(listed) => DenialKind::MethodCase.because(format!("the list has {listed:?}")),
            None => DenialKind::MethodNotAllowed.into(),
        };
        let is_of_grant = terms.and_then(Terms::own_methods).is_some();
        let hint = Hint::Methods(ListedMethods {
            list: self.methods.clone(),
            spelling: known_in_another_case(method.as_str()),
            by_method: rules.by_method
                && !is_of_grant
                && denial.kind() == DenialKind::MethodNotAllowed,
            is_of_grant,
        });
        Some(denial.about(method.as_str()).with_hint(hint))
    }

    fn of_headers(&self, terms: Option<&Terms>) -> Option<Denial> {
        let requested = self.preflight.headers();
        if self.headers.allows_in_one_pass(requested) {
            return None;
        }
        let refused = self.headers.refused(requested);
        let missing: Vec<Box<str>> = refused.map(Box::from).collect();
        let named = &missing[..missing.len().min(MAX_NAMED)];
        if named.is_empty() {
            return None;
        }
        let more = missing.len() - named.len();
        let denial = Denial::new(DenialKind::HeaderNotAllowed).about(&named.join(","));
        let denial = if more > 0 {
            denial.reason(format!("and {more} more"))
        } else {
            denial
        };
        let unlistable = missing.iter().filter(|name| !AllowHeaders::takes(name));
        Some(denial.with_hint(Hint::Headers(ListedHeaders {
            list: self.headers.clone(),
            unlistable: unlistable.cloned().collect(),
            missing: missing.into(),
            is_of_grant: terms.and_then(Terms::own_headers).is_some(),
        })))
    }
}
