//! From a plan to header lines: the only place that names the headers of the CORS protocol's
//! answers.

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, CACHE_CONTROL, VARY, WWW_AUTHENTICATE,
    },
};

use super::{
    cache_control,
    plan::{ANY, Allowed, Answer, Edit, FullAnswer, Lists, Refused},
    prepared::Prepared,
    rules::Rules,
    vary::Vary,
};
use crate::{
    fetch::{is_token, shared_value},
    lists::ExposeHeaders,
    policy::{Denial, Terms},
};

/// Edits the headers of the inner service's response, and takes the values out of the edit.
pub(crate) fn edit(edit: &mut Edit<HeaderValue>, rules: &Rules, headers: &mut HeaderMap) {
    let found = Found::among(headers);
    match edit {
        Edit::VaryOnly => {}
        Edit::RemoveCorsHeaders => {
            strip(&found, headers);
        }
        Edit::Grant(allowed) => {
            let exposed_by_service = strip(&found, headers);
            grant(allowed, &rules.expose, exposed_by_service, headers);
        }
        Edit::Full(edit) => {
            let exposed_by_service = strip(&found, headers);
            if let Some(allowed) = &mut edit.allowed {
                let own = edit.terms.as_ref().and_then(Terms::own_expose);
                let expose = own.unwrap_or(&rules.expose);
                grant(allowed, expose, exposed_by_service, headers);
            }
        }
    }
    rules.prepared.vary.merge_beside(found.vary, headers);
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

#[inline(always)]
pub(crate) fn answer(answer: Answer<HeaderValue>, rules: &Rules) -> Written {
    let prepared = &rules.prepared;
    let (status, headers) = match answer {
        Answer::Prepared(origin) => (rules.preflight_status, prepared.preflight(origin)),
        Answer::Echo(echo) => (rules.preflight_status, prepared.echo(echo)),
        Answer::RefusedPreflight => refused_preflight(prepared),
        Answer::Full(answer) => return full_answer(*answer, rules),
    };
    Written {
        status,
        headers,
        record: None,
    }
}

fn full_answer(answer: FullAnswer, rules: &Rules) -> Written {
    match answer {
        FullAnswer::Preflight {
            allowed,
            lists,
            denial,
        } => Written {
            status: rules.preflight_status,
            headers: preflight_headers(
                allowed.origin.unwrap_or(ANY),
                allowed.credentials,
                lists,
                &rules.prepared.preflight_vary,
                rules.prepared.no_store,
            ),
            record: denial,
        },
        FullAnswer::RefusedPreflight { denial } => {
            let (status, headers) = refused_preflight(&rules.prepared);
            Written {
                status,
                headers,
                record: Some(denial),
            }
        }
        FullAnswer::Refusal {
            to,
            readable,
            denial,
        } => {
            let (status, headers) = refusal(to, &denial, readable, rules);
            Written {
                status,
                headers,
                record: Some(denial),
            }
        }
    }
}

/// <https://fetch.spec.whatwg.org/#http-responses>
#[inline(always)]
fn grant(
    allowed: &mut Allowed<HeaderValue>,
    expose: &ExposeHeaders,
    exposed_by_service: Option<String>,
    headers: &mut HeaderMap,
) {
    if allowed.credentials {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
    let exposed = expose.value(allowed.credentials);
    let exposed = match exposed_by_service {
        None => exposed,
        Some(names) => merged_names(exposed, &names),
    };
    if let Some(names) = exposed {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
    let origin = allowed.origin.take().unwrap_or(ANY);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
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
            Refused::Request => "www-authenticate",
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

/// All preflight refusals look alike. No page can read them, so a reason would only help someone who
/// probes.
#[inline(always)]
fn refused_preflight(prepared: &Prepared) -> (StatusCode, HeaderMap) {
    (StatusCode::FORBIDDEN, prepared.refused_preflight.clone())
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

/// The result of one pass over the names in the inner service's response.
///
/// For the usual number of headers, a pass costs less than hashing one name that is absent.
struct Found {
    vary: bool,
    /// Any `Access-Control-*` header.
    protocol: bool,
}

impl Found {
    #[inline(always)]
    fn among(headers: &HeaderMap) -> Self {
        let mut found = Self {
            vary: false,
            protocol: false,
        };
        for name in headers.keys() {
            found.vary |= *name == VARY;
            found.protocol |= is_of_the_protocol(name);
        }
        found
    }
}

/// Removes every `Access-Control-*` header, also ones that this crate does not know: they could
/// grant something. Returns the names that the inner service exposes.
#[inline(always)]
fn strip(found: &Found, headers: &mut HeaderMap) -> Option<String> {
    if found.protocol {
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
