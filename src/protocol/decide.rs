//! From what is known of a request, and what the policy says of it, to what is done about it.
//!
//! Nothing else makes a [`Plan`], and without one no header is written.

use http::{HeaderMap, HeaderValue, header::ORIGIN};

use super::{
    grpc::GrpcRequest,
    plan::{ANY, Allowed, Answer, Edit, Forward, Lists, Plan, Refused, allowed_origin},
    rules::{Rules, ToAll},
};
use crate::{
    fetch::Line,
    lists::{AllowHeaders, AllowMethods, MaxAge},
    origin::{LookUp, RequestOrigin},
    policy::{Denial, DenialKind, DeniedRequests, Grant, Terms, Verdict},
    request::{
        CorsRequest, Head, Preflight, RequestKind, SentOrigin, announced_method, classify,
        is_same_origin,
    },
};

/// Decides about a request, and asks for a verdict where that matters.
///
/// # Errors
///
/// What `judge` has instead of a verdict.
#[inline(always)]
pub(crate) fn decide<W>(
    head: &Head<'_>,
    rules: &Rules,
    judge: impl FnOnce(&CorsRequest<'_>) -> Result<Verdict, W>,
) -> Result<Plan, W> {
    // Nobody has to be asked if the answer is the same for every origin.
    if let Some(to_all) = &rules.to_all {
        return Ok(for_all_origins(rules, head, to_all));
    }
    match classify(head) {
        // https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches: Vary also without an
        // Origin, or a cache would serve this answer to origins that need the headers.
        RequestKind::NotCors => Ok(Plan::Forward(Forward::new(Edit::VaryOnly))),
        RequestKind::Actual(origin) => actual(rules, head, origin, judge),
        RequestKind::Preflight { origin, method } => preflight(rules, head, origin, method, judge),
    }
}

/// Only a preflight needs to have an origin.
#[inline(always)]
fn for_all_origins(rules: &Rules, head: &Head<'_>, to_all: &ToAll) -> Plan {
    let origin = match to_all {
        ToAll::Star => None,
        ToAll::Origin(origin) => Some(origin),
    };
    match announced_method(head) {
        Some(method) if head.headers.contains_key(ORIGIN) => {
            match Preflight::parse(method, head.headers) {
                Ok(preflight) => {
                    let grant = if origin.is_some() {
                        Grant::new()
                    } else {
                        Grant::any_origin()
                    };
                    grant_preflight(rules, head, origin.cloned(), grant, &preflight)
                }
                Err(malformed) => deny_preflight(rules, head, malformed.into()),
            }
        }
        Some(_) | None => Plan::Forward(Forward::new(Edit::Grant(Allowed::on_own_terms(
            rules, origin,
        )))),
    }
}

#[inline(always)]
fn actual<W>(
    rules: &Rules,
    head: &Head<'_>,
    origin: SentOrigin<'_>,
    judge: impl FnOnce(&CorsRequest<'_>) -> Result<Verdict, W>,
) -> Result<Plan, W> {
    let origin = match Sender::new(origin, rules) {
        Ok(Sender::Listed(origin)) => {
            let allowed = Allowed::on_own_terms(rules, Some(origin));
            return Ok(Plan::Forward(Forward::new(Edit::Grant(allowed))));
        }
        Ok(Sender::Unknown(origin)) => origin,
        Err(denial) => return Ok(deny_actual(rules, head, denial)),
    };
    Ok(match judge(&CorsRequest::new(*head, &origin, None))? {
        Verdict::Allow(grant) => grant_actual(rules, Some(origin.into_header_value()), grant),
        Verdict::Deny(denial) => deny_actual(rules, head, denial),
        Verdict::Abstain => deny_actual(rules, head, Denial::new(DenialKind::NoPolicy)),
    })
}

#[inline(always)]
fn preflight<W>(
    rules: &Rules,
    head: &Head<'_>,
    origin: SentOrigin<'_>,
    method: Line<'_>,
    judge: impl FnOnce(&CorsRequest<'_>) -> Result<Verdict, W>,
) -> Result<Plan, W> {
    // What is wrong first is what is told.
    let sender = match Sender::new(origin, rules) {
        Ok(sender) => sender,
        Err(denial) => return Ok(deny_preflight(rules, head, denial)),
    };
    let preflight = match Preflight::parse(method, head.headers) {
        Ok(preflight) => preflight,
        Err(malformed) => return Ok(deny_preflight(rules, head, malformed.into())),
    };
    let origin = match sender {
        Sender::Listed(origin) => {
            let origin = Some(origin.clone());
            return Ok(grant_preflight(
                rules,
                head,
                origin,
                Grant::new(),
                &preflight,
            ));
        }
        Sender::Unknown(origin) => origin,
    };
    Ok(
        match judge(&CorsRequest::new(*head, &origin, Some(&preflight)))? {
            Verdict::Allow(grant) => {
                let origin = Some(origin.into_header_value());
                grant_preflight(rules, head, origin, grant, &preflight)
            }
            Verdict::Deny(denial) => deny_preflight(rules, head, denial),
            Verdict::Abstain => deny_preflight(rules, head, Denial::new(DenialKind::NoPolicy)),
        },
    )
}

/// Where a request comes from.
enum Sender<'a> {
    /// One that a plain list matches.
    Listed(&'a HeaderValue),
    /// Some origin.
    Unknown(RequestOrigin),
}

impl<'a> Sender<'a> {
    /// A plain list need not parse what it holds, nor what it could not match anyway; which buys a
    /// quarter of all that the layer adds.
    #[inline(always)]
    fn new(origin: SentOrigin<'a>, rules: &Rules) -> Result<Self, Denial> {
        if let Some(list) = &rules.plain_list {
            let value = origin.single()?;
            match list.look_up(value.as_bytes()) {
                LookUp::Listed => return Ok(Self::Listed(value)),
                // A record says what is wrong, and so has to know.
                LookUp::NotListed if !rules.wants_denials() => {
                    return Err(Denial::new(DenialKind::OriginNotAllowed));
                }
                LookUp::NotListed | LookUp::Unclear => {}
            }
        }
        Ok(Self::Unknown(origin.parse()?))
    }
}

/// <https://fetch.spec.whatwg.org/#http-responses>: the origin, credentials, exposed headers; on
/// whatever status the inner service answers with.
#[inline(always)]
fn grant_actual(rules: &Rules, origin: Option<HeaderValue>, mut grant: Grant) -> Plan {
    let attachment = grant.take_attachment();
    Plan::Forward(Forward {
        edit: Edit::Grant(Allowed::new(rules, origin, &grant)),
        attachment,
        denial: None,
    })
}

/// <https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches>: no header is the refusal; a 403
/// is permitted as an explicit sign.
fn deny_actual(rules: &Rules, head: &Head<'_>, denial: Denial) -> Plan {
    // A policy that has not answered in time is no reason to call the service.
    let is_late = denial.kind() == DenialKind::VerdictTimeout;
    // If nobody listens for denials, skip computing whether this is one.
    if rules.denied_requests == DeniedRequests::Forward && !rules.wants_denials() && !is_late {
        return Plan::Forward(Forward::new(Edit::RemoveCorsHeaders));
    }
    // https://fetch.spec.whatwg.org/#origin-header: browsers send it with every request whose
    // method is neither GET nor HEAD, to the own origin too. Nothing is denied to the own pages,
    // so there is nothing to tell either.
    if is_same_origin(head) {
        return Plan::Forward(Forward::new(Edit::RemoveCorsHeaders));
    }
    if rules.denied_requests == DeniedRequests::Refuse || is_late {
        let readable = denial.is_readable().then(|| sent_origin(head.headers));
        Plan::Answer(Answer::Refusal {
            to: match GrpcRequest::from_headers(head.headers) {
                Some(grpc) => Refused::GrpcRequest(grpc),
                None => Refused::Request,
            },
            readable: readable.flatten().cloned(),
            record: record(rules, head, &denial),
            denial,
        })
    } else {
        Plan::Forward(Forward {
            edit: Edit::RemoveCorsHeaders,
            attachment: None,
            denial: record(rules, head, &denial),
        })
    }
}

/// <https://fetch.spec.whatwg.org/#cors-preflight-fetch>: the whole lists, not only what was asked
/// for, and also where what was asked for is not among them: the browser then names it.
fn grant_preflight(
    rules: &Rules,
    head: &Head<'_>,
    origin: Option<HeaderValue>,
    grant: Grant,
    preflight: &Preflight<'_>,
) -> Plan {
    // What `build` checks of the layer, a grant must not undo.
    let grant = if rules.properties.has_broad_preflight() {
        grant.for_broad_preflight()
    } else {
        grant
    };
    let (origin, credentials) = allowed_origin(rules, origin, &grant);
    let terms = grant.own_terms();
    let methods = terms.and_then(Terms::own_methods).unwrap_or(&rules.methods);
    let headers = terms.and_then(Terms::own_headers).unwrap_or(&rules.headers);
    let denial = rules
        .wants_denials()
        .then(|| shortfall(preflight, methods, headers))
        .flatten()
        .and_then(|denial| record(rules, head, &denial));
    let is_own = terms.is_none()
        && grant.max_age_cap().is_none()
        && credentials == rules.credentials
        && rules.prepared.has_preflight();
    Plan::Answer(if is_own {
        Answer::Prepared { origin, denial }
    } else {
        Answer::Preflight {
            origin: origin.unwrap_or(ANY),
            credentials,
            lists: Box::new(Lists {
                methods: methods.value(credentials, preflight.method()),
                headers: headers.value(credentials, preflight.headers()),
                max_age: MaxAge::capped(rules.max_age.as_ref(), grant.max_age_cap()),
            }),
            denial,
        }
    })
}

/// The most header names that a denial lists.
const MAX_NAMED: usize = 12;

/// What the preflight asks for and does not get: the method, or else every header name, so that
/// nobody has to find them one by one.
fn shortfall(
    preflight: &Preflight<'_>,
    methods: &AllowMethods,
    headers: &AllowHeaders,
) -> Option<Denial> {
    let method = preflight.method();
    if !methods.allows(method) {
        // https://fetch.spec.whatwg.org/#concept-method-normalize: six methods are put into upper
        // case by the browser, `patch` is not among them.
        let denial = match methods.in_another_case(method) {
            Some(listed) => DenialKind::MethodCase.because(format!("the list has {listed:?}")),
            None => DenialKind::MethodNotAllowed.into(),
        };
        return Some(denial.about(method.as_str()));
    }
    let mut refused = headers.refused(preflight.headers());
    let mut names = refused.next()?.to_owned();
    for name in refused.by_ref().take(MAX_NAMED - 1) {
        names.push(',');
        names.push_str(name);
    }
    let more = refused.count();
    let denial = Denial::new(DenialKind::HeaderNotAllowed).about(&names);
    Some(if more > 0 {
        denial.reason(format!("and {more} more"))
    } else {
        denial
    })
}

/// <https://fetch.spec.whatwg.org/#http-responses>: not an ok status, and none of the headers.
fn deny_preflight(rules: &Rules, head: &Head<'_>, denial: Denial) -> Plan {
    Plan::Answer(Answer::Refusal {
        to: Refused::Preflight,
        readable: None,
        record: record(rules, head, &denial),
        denial,
    })
}

/// The denial as it is recorded, if it is.
fn record(rules: &Rules, head: &Head<'_>, denial: &Denial) -> Option<Denial> {
    if !rules.wants_denials() {
        return None;
    }
    let mut denial = denial.clone().with_origin(sent_origin(head.headers));
    // Nobody should be told to list the origin of an identity provider that posts a form back.
    if is_navigation(head.headers) && denial.kind() == DenialKind::OriginNotAllowed {
        denial = denial.reason(
            "this is a navigation or a form, whose answer no page reads: leave the route out of the \
             layer, or give its method MethodRule::none()",
        );
    }
    Some(denial)
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
