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
pub(crate) fn edit(edit: &mut Edit, rules: &Rules, headers: &mut HeaderMap) {
    let found = Found::among(headers);
    match edit {
        Edit::Grant(allowed) => grant(allowed, &rules.expose, &found, headers),
        Edit::VaryOnly => {}
        Edit::RemoveCorsHeaders => {
            strip(&found, headers);
        }
        Edit::Full(edit) => match &mut edit.allowed {
            Some(allowed) => {
                let own = edit.terms.as_ref().and_then(Terms::own_expose);
                grant(allowed, own.unwrap_or(&rules.expose), &found, headers);
            }
            None => {
                strip(&found, headers);
            }
        },
    }
    rules.prepared.vary.merge_beside(found.vary, headers);
    if rules.properties.caching().private_responses {
        cache_control::keep_out_of_shared_caches(headers);
    }
}

/// What of an answer is not a header.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) status: StatusCode,
    /// The denial to record beside the answer.
    pub(crate) record: Option<Denial>,
}

impl Written {
    fn new(status: StatusCode) -> Self {
        Self {
            status,
            record: None,
        }
    }

    fn recording(status: StatusCode, denial: Denial) -> Self {
        Self {
            status,
            record: Some(denial),
        }
    }
}

/// Writes the headers of an answer of the layer into an empty map.
#[inline(always)]
pub(crate) fn answer(answer: Answer, rules: &Rules, headers: &mut HeaderMap) -> Written {
    let prepared = &rules.prepared;
    match answer {
        Answer::Prepared { origin, max_age } => {
            *headers = prepared.preflight(origin);
            if let Some(max_age) = max_age {
                Prepared::cap(headers, max_age);
            }
            Written::new(rules.preflight_status)
        }
        Answer::Echo(echo) => {
            *headers = prepared.echo(echo);
            Written::new(rules.preflight_status)
        }
        Answer::RefusedPreflight => {
            *headers = prepared.refused_preflight.clone();
            Written::new(REFUSED_PREFLIGHT)
        }
        Answer::Full(answer) => full_answer(*answer, rules, headers),
    }
}

/// All preflight refusals look alike. No page can read them, so a reason would only help someone who
/// probes.
const REFUSED_PREFLIGHT: StatusCode = StatusCode::FORBIDDEN;

#[inline(never)]
fn full_answer(answer: FullAnswer, rules: &Rules, headers: &mut HeaderMap) -> Written {
    let prepared = &rules.prepared;
    match answer {
        FullAnswer::Preflight {
            allowed,
            lists,
            denial,
        } => {
            *headers = preflight_headers(
                allowed.origin.unwrap_or(ANY),
                allowed.credentials,
                lists,
                &prepared.preflight_vary,
                prepared.no_store,
            );
            Written {
                status: rules.preflight_status,
                record: denial,
            }
        }
        FullAnswer::RefusedPreflight { denial } => {
            *headers = prepared.refused_preflight.clone();
            Written::recording(REFUSED_PREFLIGHT, denial)
        }
        FullAnswer::Refusal {
            to,
            readable,
            denial,
        } => {
            let (status, of_refusal) = refusal(to, &denial, readable, rules);
            *headers = of_refusal;
            Written::recording(status, denial)
        }
    }
}

/// <https://fetch.spec.whatwg.org/#http-responses>
#[inline(always)]
fn grant(allowed: &mut Allowed, expose: &ExposeHeaders, found: &Found, headers: &mut HeaderMap) {
    // Most services set no header of the protocol, and most layers expose none.
    if found.protocol || !expose.is_empty() {
        strip_and_expose(expose, allowed.credentials, found, headers);
    }
    if allowed.credentials {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
    let origin = allowed.origin.take().unwrap_or(ANY);
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
}

/// Removes the inner service's headers of the protocol, and exposes the layer's names and the
/// service's.
#[inline(never)]
fn strip_and_expose(
    expose: &ExposeHeaders,
    credentials: bool,
    found: &Found,
    headers: &mut HeaderMap,
) {
    let own = expose.value(credentials);
    let exposed = match strip(found, headers) {
        None => own,
        Some(of_service) => merged_names(own, &of_service),
    };
    if let Some(names) = exposed {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
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
            if *name == VARY {
                found.vary = true;
            } else if is_of_the_protocol(name) {
                found.protocol = true;
            }
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
