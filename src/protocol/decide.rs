//! From a request's head, the rules and a verdict to a [`Plan`].
//!
//! Only this module makes plans, and headers are written only from a plan. So every header that
//! grants something goes back to a decision here.

use std::ops::ControlFlow::{self, Continue};

use http::{HeaderMap, HeaderValue, header::ORIGIN};

use super::{
    grpc::GrpcRequest,
    plan::{Allowed, Answer, Edit, FullAnswer, FullEdit, Lists, Plan, Refused},
    prepared,
    rules::{Rules, ToAll},
    shortfall::Shortfall,
};
use crate::{
    fetch::Line,
    lists::MaxAge,
    origin::{ListMatch, RequestOrigin},
    policy::{Denial, DenialKind, DeniedRequests, Grant, Hint, Reach, Terms, Verdict},
    request::{
        Classified, CorsRequest, Head, Preflight, SentOrigin, announced_method, classify,
        is_same_origin,
    },
};

/// Decides about a request. Calls `judge` at most once, and only if the verdict matters.
///
/// Breaks off where `judge` does: the verdict has to be waited for, and then the decision starts
/// again.
///
/// The functions of the usual ways return what this returns, so that a plan is not moved once more.
#[inline(always)]
pub(crate) fn decide<W>(
    head: &Head<'_>,
    rules: &Rules,
    judge: impl FnOnce(&CorsRequest<'_>) -> ControlFlow<W, Verdict>,
) -> ControlFlow<W, Plan> {
    // If the answer is the same for every origin, the policy need not be asked.
    if let Some(to_all) = &rules.to_all {
        return for_all_origins(rules, head, to_all);
    }
    match classify(head) {
        Classified::NotCors => Continue(Plan::Forward(without_origin(rules), None)),
        Classified::Actual(origin) => actual(rules, head, origin, judge),
        Classified::Preflight { origin, method } => preflight(rules, head, origin, method, judge),
    }
}

/// <https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches>: `Vary` also without an `Origin`,
/// or a cache would serve this answer to origins that need the headers.
#[inline(always)]
fn without_origin(rules: &Rules) -> Edit {
    // Where nobody is admitted, answers do not depend on the origin. So a cache may give this one to
    // any page, and it must grant nothing either.
    if rules.properties.reach() == Reach::Nobody {
        Edit::RemoveCorsHeaders
    } else {
        Edit::VaryOnly
    }
}

/// The answer names the same origin to everybody, also to requests without an `Origin`, so that
/// caches can share it. Only a preflight must have one: otherwise it is a plain `OPTIONS`.
#[inline(always)]
fn for_all_origins<W>(rules: &Rules, head: &Head<'_>, to_all: &ToAll) -> ControlFlow<W, Plan> {
    let origin = match to_all {
        ToAll::Star => None,
        ToAll::Origin(origin) => Some(origin),
    };
    match announced_method(head) {
        Some(method) if head.headers.contains_key(ORIGIN) => {
            match Preflight::parse(method, head.headers) {
                Ok(preflight) => grant_preflight_on_own_terms(rules, head, origin, &preflight),
                Err(malformed) => Continue(deny_preflight(rules, head, malformed.into())),
            }
        }
        Some(_) | None => {
            let allowed = Allowed::on_own_terms(rules, origin);
            Continue(Plan::Forward(Edit::Grant(allowed), None))
        }
    }
}

#[inline(always)]
fn actual<W>(
    rules: &Rules,
    head: &Head<'_>,
    origin: SentOrigin<'_>,
    judge: impl FnOnce(&CorsRequest<'_>) -> ControlFlow<W, Verdict>,
) -> ControlFlow<W, Plan> {
    let (sent, origin) = match Sender::new(origin, rules) {
        Ok(Sender::Listed(sent)) => {
            let allowed = Allowed::on_own_terms(rules, Some(sent));
            return Continue(Plan::Forward(Edit::Grant(allowed), None));
        }
        Ok(Sender::Unknown { sent, origin }) => (sent, origin),
        Err(denial) => return Continue(deny_actual(rules, head, denial)),
    };
    let denial = match judge(&CorsRequest::new(*head, &origin, None))? {
        Verdict::Allow(grant) => return grant_actual(rules, sent, grant),
        Verdict::Deny(denial) => denial,
        Verdict::Abstain => Denial::new(DenialKind::NoPolicy),
    };
    Continue(deny_actual(rules, head, denial))
}

#[inline(always)]
fn preflight<W>(
    rules: &Rules,
    head: &Head<'_>,
    origin: SentOrigin<'_>,
    method: Line<'_>,
    judge: impl FnOnce(&CorsRequest<'_>) -> ControlFlow<W, Verdict>,
) -> ControlFlow<W, Plan> {
    // The origin is checked before the rest: if both are malformed, the denial names the origin.
    let sender = match Sender::new(origin, rules) {
        Ok(sender) => sender,
        Err(denial) => return Continue(deny_preflight(rules, head, denial)),
    };
    let preflight = match Preflight::parse(method, head.headers) {
        Ok(preflight) => preflight,
        Err(malformed) => return Continue(deny_preflight(rules, head, malformed.into())),
    };
    let (sent, origin) = match sender {
        Sender::Listed(sent) => {
            return grant_preflight_on_own_terms(rules, head, Some(sent), &preflight);
        }
        Sender::Unknown { sent, origin } => (sent, origin),
    };
    let request = CorsRequest::new(*head, &origin, Some(&preflight));
    let denial = match judge(&request)? {
        Verdict::Allow(grant) => {
            return Continue(grant_preflight(rules, head, Some(sent), grant, &preflight));
        }
        Verdict::Deny(denial) => denial,
        Verdict::Abstain => Denial::new(DenialKind::NoPolicy),
    };
    Continue(deny_preflight(rules, head, denial))
}

/// The origin of a request, looked up but perhaps not parsed.
enum Sender<'a> {
    /// An origin on the plain list.
    Listed(&'a HeaderValue),
    /// Any other origin, as it was sent and parsed for the policy to judge.
    Unknown {
        sent: &'a HeaderValue,
        origin: RequestOrigin,
    },
}

impl<'a> Sender<'a> {
    /// The fast way for a plain list. Bytes that are on the list are a well-formed origin, and
    /// bytes that no entry can match are denied either way, so neither has to be parsed.
    #[inline(always)]
    fn new(origin: SentOrigin<'a>, rules: &Rules) -> Result<Self, Denial> {
        let sent = origin.single()?;
        if let Some(list) = &rules.plain_list {
            match list.look_up(sent.as_bytes()) {
                ListMatch::Listed => return Ok(Self::Listed(sent)),
                // A recorded denial says whether the origin is malformed, so it has to be parsed.
                ListMatch::NotListed if !rules.wants_denials() => {
                    return Err(Denial::new(DenialKind::OriginNotAllowed));
                }
                ListMatch::NotListed | ListMatch::Unclear => {}
            }
        }
        let origin = origin.parse()?;
        Ok(Self::Unknown { sent, origin })
    }
}

/// <https://fetch.spec.whatwg.org/#http-responses>: the origin, credentials and exposed headers.
/// They are added whatever status the inner service answers with, so that pages can read errors
/// too.
#[inline(always)]
fn grant_actual<W>(rules: &Rules, sent: &HeaderValue, mut grant: Grant) -> ControlFlow<W, Plan> {
    let allowed = Allowed::new(rules, Some(sent), &grant);
    let attachment = grant.take_attachment();
    let edit = match grant.own_terms() {
        None => Edit::Grant(allowed),
        Some(terms) => Edit::Full(Box::new(FullEdit {
            allowed: Some(allowed),
            terms: Some(terms.clone()),
            denial: None,
        })),
    };
    Continue(Plan::Forward(edit, attachment))
}

/// <https://fetch.spec.whatwg.org/#http-responses>: the missing header is the refusal. A 403 is
/// permitted in addition.
fn deny_actual(rules: &Rules, head: &Head<'_>, denial: Denial) -> Plan {
    // After a time-out nobody has judged the request, so it must not reach the service.
    let is_late = denial.kind() == DenialKind::VerdictTimeout;
    // If nobody listens for denials, skip computing whether this is one.
    if rules.denied_requests == DeniedRequests::Forward && !rules.wants_denials() && !is_late {
        return Plan::Forward(Edit::RemoveCorsHeaders, None);
    }
    // https://fetch.spec.whatwg.org/#origin-header: browsers send it with every request whose
    // method is neither GET nor HEAD, to the page's own origin too. Such a request is neither
    // denied nor recorded as a denial.
    if is_same_origin(head) {
        return Plan::Forward(Edit::RemoveCorsHeaders, None);
    }
    if rules.denied_requests == DeniedRequests::Refuse || is_late {
        let readable = denial.is_readable().then(|| sent_origin(head.headers));
        Plan::Answer(Answer::Full(Box::new(FullAnswer::Refusal {
            to: match GrpcRequest::from_headers(head.headers) {
                Some(grpc) => Refused::GrpcRequest(grpc),
                None => Refused::Request,
            },
            readable: readable.flatten().cloned(),
            denial: if rules.wants_refusals() {
                with_context(rules, head, denial)
            } else {
                denial
            },
        })))
    } else {
        let edit = FullEdit {
            allowed: None,
            terms: None,
            // Somebody wants it: otherwise this function has returned above.
            denial: Some(with_context(rules, head, denial)),
        };
        Plan::Forward(Edit::Full(Box::new(edit)), None)
    }
}

/// The same as [`grant_preflight`] with a grant that sets nothing, in fewer instructions.
#[inline(always)]
fn grant_preflight_on_own_terms<W>(
    rules: &Rules,
    head: &Head<'_>,
    origin: Option<&HeaderValue>,
    preflight: &Preflight<'_>,
) -> ControlFlow<W, Plan> {
    if rules.prepared.is_constant() && !rules.wants_denials() {
        return Continue(Plan::Answer(Answer::Prepared {
            origin: origin.cloned(),
            max_age: None,
        }));
    }
    let grant = match origin {
        Some(_) => Grant::new(),
        None => Grant::any_origin(),
    };
    Continue(grant_preflight(rules, head, origin, grant, preflight))
}

/// <https://fetch.spec.whatwg.org/#cors-preflight-fetch>. The answer has the whole lists, not only
/// the requested entries: browsers keep the answer, and the next request may need others. If a
/// requested method or header is not allowed, the answer is the same, and the browser's console
/// names it.
fn grant_preflight(
    rules: &Rules,
    head: &Head<'_>,
    origin: Option<&HeaderValue>,
    grant: Grant,
    preflight: &Preflight<'_>,
) -> Plan {
    // `build` has checked that a broad preflight comes without credentials and wildcards. A grant
    // must not bring them back.
    let grant = if rules.properties.has_broad_preflight() {
        grant.for_broad_preflight()
    } else {
        grant
    };
    let allowed = Allowed::new(rules, origin, &grant);
    let terms = grant.own_terms();
    let methods = terms.and_then(Terms::own_methods).unwrap_or(&rules.methods);
    let headers = terms.and_then(Terms::own_headers).unwrap_or(&rules.headers);
    let denial = rules
        .wants_denials()
        .then(|| {
            let shortfall = Shortfall {
                methods,
                headers,
                preflight,
            };
            shortfall.denial(rules, terms)
        })
        .flatten()
        .map(|denial| with_context(rules, head, denial));
    if terms.is_none()
        && denial.is_none()
        && let Some(answer) = prepared::answer(rules, &allowed, grant.max_age_cap(), preflight)
    {
        return Plan::Answer(answer);
    }
    Plan::Answer(Answer::Full(Box::new(FullAnswer::Preflight {
        lists: Lists {
            methods: methods.value(allowed.credentials, preflight.method()),
            headers: headers.value(allowed.credentials, preflight.headers()),
            max_age: MaxAge::capped(rules.max_age.as_ref(), grant.max_age_cap()),
        },
        allowed,
        denial,
    })))
}

/// <https://fetch.spec.whatwg.org/#http-responses>: a status that is not ok, and no CORS header.
fn deny_preflight(rules: &Rules, head: &Head<'_>, denial: Denial) -> Plan {
    if !rules.wants_refusals() {
        return Plan::Answer(Answer::RefusedPreflight);
    }
    let mut denial = with_context(rules, head, denial);
    if denial.kind() == DenialKind::NoPolicy && denial.hint().is_none() {
        denial = denial.with_hint(Hint::UnansweredPreflight);
    }
    Plan::Answer(Answer::Full(Box::new(FullAnswer::RefusedPreflight {
        denial,
    })))
}

/// The denial as the log and the response's extensions have it: with what the request says, and
/// with what its text needs to name the fix.
fn with_context(rules: &Rules, head: &Head<'_>, denial: Denial) -> Denial {
    let denial = denial.with_origin(sent_origin(head.headers));
    // A reason or a hint of the policy's own is more precise than what the layer can find.
    if denial.hint().is_some() || denial.own_reason().is_some() {
        return denial;
    }
    let is_closed = rules.by_method && rules.properties.reach() == Reach::Nobody;
    let is_looked_up = !rules.properties.listings().is_empty();
    match denial.kind() {
        // An identity provider that posts a form back is denied too, often with the origin `null`.
        // Listing its origin would be the wrong fix: no page reads the answer to a navigation.
        DenialKind::OriginNotAllowed | DenialKind::OpaqueOrigin | DenialKind::NoPolicy
            if is_navigation(head.headers) =>
        {
            denial.with_hint(Hint::Navigation)
        }
        DenialKind::OriginNotAllowed if is_closed => denial.with_hint(Hint::Closed),
        DenialKind::OriginNotAllowed | DenialKind::MalformedOrigin if is_looked_up => {
            denial.with_hint(Hint::LookedUpIn(rules.properties.listings().clone()))
        }
        _ => denial,
    }
}

/// <https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-mode-header>
fn is_navigation(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-mode")
        .is_some_and(|mode| mode == "navigate")
}

fn sent_origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(ORIGIN)
}
