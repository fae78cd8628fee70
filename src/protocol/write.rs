//! From a plan to header lines: the only place that names the headers of the CORS protocol's
//! answers.

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, WWW_AUTHENTICATE,
    },
};

use super::{
    cache_control,
    plan::{Allowed, Answer, Edit, Lists, Refused},
    rules::Rules,
    vary::Vary,
};
use crate::{
    fetch::{is_token, shared_value},
    policy::Denial,
};

/// Edits the headers of the inner service's response.
pub(crate) fn edit(edit: Edit, rules: &Rules, headers: &mut HeaderMap) {
    match edit {
        Edit::VaryOnly => {}
        Edit::RemoveCorsHeaders => {
            strip(headers);
        }
        Edit::Grant(allowed) => {
            let exposed_by_service = strip(headers);
            grant(allowed, rules, exposed_by_service, headers);
        }
    }
    rules.prepared.vary.merge_into(headers);
    if rules.properties.caching().private_responses {
        cache_control::keep_out_of_shared_caches(headers);
    }
}

/// An answer of the layer without its body, and the denial to record beside it.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) record: Option<Denial>,
}

pub(crate) fn answer(answer: Answer, rules: &Rules) -> Written {
    match answer {
        Answer::Prepared { origin, denial } => Written {
            status: rules.preflight_status,
            headers: rules.prepared.preflight(origin),
            record: denial,
        },
        Answer::Preflight {
            origin,
            credentials,
            lists,
            denial,
        } => Written {
            status: rules.preflight_status,
            headers: preflight_headers(
                origin,
                credentials,
                *lists,
                &rules.prepared.preflight_vary,
                rules.prepared.no_store,
            ),
            record: denial,
        },
        Answer::Refusal {
            to,
            readable,
            denial,
            record,
        } => {
            let (status, headers) = refusal(to, &denial, readable, rules);
            Written {
                status,
                headers,
                record,
            }
        }
    }
}

/// <https://fetch.spec.whatwg.org/#http-responses>
#[inline(always)]
fn grant(
    allowed: Allowed,
    rules: &Rules,
    exposed_by_service: Option<String>,
    headers: &mut HeaderMap,
) {
    if allowed.credentials() {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
    let exposed = allowed.exposed(rules);
    let exposed = match exposed_by_service {
        None => exposed,
        Some(names) => merged_names(exposed, &names),
    };
    if let Some(names) = exposed {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed.into_origin());
}

/// The layer's exposed names and then the service's, each once. A handler may expose more names
/// than the layer: it knows which headers it sets. It cannot expose `*`, which only the layer's
/// configuration can, where it is checked against credentials.
#[cold]
fn merged_names(own: Option<HeaderValue>, of_service: &str) -> Option<HeaderValue> {
    let own = own.as_ref().and_then(|own| own.to_str().ok()).unwrap_or("");
    let mut names: Vec<&str> = Vec::new();
    let of_service = of_service.split(',').filter(|name| name.trim() != "*");
    for name in own.split(',').chain(of_service).map(str::trim) {
        let is_new = !names.iter().any(|there| there.eq_ignore_ascii_case(name));
        if is_new && is_token(name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| shared_value(names.join(",")))
}

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// RFC 9111, section 5.2.2.5. `Vary` does not help if a cache ignores it, or if the verdict depends
/// on the URL alone.
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

pub(super) fn preflight_headers(
    origin: HeaderValue,
    credentials: bool,
    lists: Lists,
    vary: &Vary,
    no_store: bool,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(6 + usize::from(no_store));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if credentials {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, lists.methods);
    if let Some(names) = lists.headers {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    if let Some(max_age) = lists.max_age {
        headers.insert(ACCESS_CONTROL_MAX_AGE, max_age);
    }
    if no_store {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
    vary.merge_into(&mut headers);
    headers
}

/// A refusal says nothing about the configuration, or about which check failed.
fn refusal(
    to: Refused,
    denial: &Denial,
    readable: Option<HeaderValue>,
    rules: &Rules,
) -> (StatusCode, HeaderMap) {
    let prepared = &rules.prepared;
    let (status, mut headers) = match &to {
        // All preflight refusals look alike. No page can read them, so a reason would only help
        // someone who probes.
        Refused::Preflight => return (StatusCode::FORBIDDEN, prepared.refused_preflight.clone()),
        Refused::GrpcRequest(grpc) => (StatusCode::OK, grpc.refuse(denial.kind())),
        Refused::Request => (denial.status(), challenge(denial.status())),
    };
    if let Some(origin) = readable {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        // https://fetch.spec.whatwg.org/#concept-cors-check: a page that sends credentials reads
        // nothing without it.
        if denial.own_credentials().unwrap_or(rules.credentials) {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        // The page reads the reason in a header that is not safelisted, so it must be exposed.
        let reason = match to {
            Refused::GrpcRequest(_) => "grpc-status",
            Refused::Preflight | Refused::Request => "www-authenticate",
        };
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(reason),
        );
    }
    if prepared.no_store {
        headers.insert(CACHE_CONTROL, NO_STORE);
    }
    prepared.vary.merge_into(&mut headers);
    (status, headers)
}

/// RFC 6750, section 3.1.
fn challenge(status: StatusCode) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        headers.insert(WWW_AUTHENTICATE, challenge);
    }
    headers
}

/// Removes every `Access-Control-*` header, also ones that this crate does not know: they could
/// grant something. Returns the names that the inner service exposes.
#[inline(always)]
fn strip(headers: &mut HeaderMap) -> Option<String> {
    if headers.keys().any(is_of_the_protocol) {
        remove_those_of_the_protocol(headers)
    } else {
        None
    }
}

#[inline(always)]
fn is_of_the_protocol(name: &HeaderName) -> bool {
    name.as_str().starts_with("access-control-")
}

#[cold]
fn remove_those_of_the_protocol(headers: &mut HeaderMap) -> Option<String> {
    let lines = headers.get_all(ACCESS_CONTROL_EXPOSE_HEADERS).iter();
    let exposed: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let exposed = (!exposed.is_empty()).then(|| exposed.join(","));
    let names = headers.keys().filter(|name| is_of_the_protocol(name));
    let names: Vec<HeaderName> = names.cloned().collect();
    for name in names {
        headers.remove(name);
    }
    exposed
}
