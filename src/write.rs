//! From a plan to header lines: the only place that names the headers of the CORS protocol's
//! answers.

mod private;
mod vary;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
        CACHE_CONTROL, WWW_AUTHENTICATE,
    },
};

use self::vary::Vary;
use crate::{
    decision::{Allowed, Answer, Edit, Lists, Refused},
    policy::{AnyOrigin, Denial, OriginPolicy, union_of_names},
    rules::{AllowHeaders, AllowMethods, MaxAge, Rules},
};

/// What can be written before there is a request.
#[derive(Debug)]
pub(crate) struct Prepared {
    vary: Vary,
    preflight_vary: Vary,
    /// The answer to a preflight on the layer's own terms, with a stand-in for the origin; absent
    /// where it depends on what is asked for.
    preflight: Option<HeaderMap>,
    /// The headers of a refused preflight.
    refused_preflight: HeaderMap,
    no_store: bool,
}

impl Prepared {
    pub(crate) fn new(
        policy: &dyn OriginPolicy,
        credentials: bool,
        methods: &AllowMethods,
        headers: &AllowHeaders,
        max_age: Option<&MaxAge>,
    ) -> Self {
        let vary = Vary::new(policy.varies_on().to_vec());
        let preflight_vary = match policy.properties().any_origin() {
            AnyOrigin::Always if policy.properties().is_chosen_by_method() => {
                Vary::new(vec![ACCESS_CONTROL_REQUEST_METHOD])
            }
            AnyOrigin::Always => Vary::new(Vec::new()),
            _ => Vary::new(union_of_names(
                policy.varies_on(),
                &[
                    ACCESS_CONTROL_REQUEST_METHOD,
                    ACCESS_CONTROL_REQUEST_HEADERS,
                ],
            )),
        };
        let no_store = policy.properties().has_no_store();
        let constant = || {
            let lists = Lists {
                methods: methods.constant_value(credentials)?,
                headers: headers.constant_value(credentials)?,
                max_age: MaxAge::capped(max_age, None),
            };
            Some(preflight_headers(
                HeaderValue::from_static("*"),
                credentials,
                lists,
                &preflight_vary,
                no_store,
            ))
        };
        let preflight = constant();
        let mut refused_preflight = HeaderMap::new();
        if no_store {
            refused_preflight.insert(CACHE_CONTROL, NO_STORE);
        }
        preflight_vary.merge_into(&mut refused_preflight);
        Self {
            vary,
            preflight_vary,
            preflight,
            refused_preflight,
            no_store,
        }
    }

    pub(crate) fn has_preflight(&self) -> bool {
        self.preflight.is_some()
    }

    /// The prepared answer, to this origin or to all; nothing where none is prepared.
    fn preflight(&self, origin: Option<HeaderValue>) -> HeaderMap {
        let Some(prepared) = &self.preflight else {
            return HeaderMap::new();
        };
        let mut headers = prepared.clone();
        if let Some(origin) = origin {
            // It is the first, and so found sooner than by a look-up; `insert` would even make room.
            let stand_in = headers
                .iter_mut()
                .find(|(name, _)| **name == ACCESS_CONTROL_ALLOW_ORIGIN);
            if let Some((_, value)) = stand_in {
                *value = origin;
            }
        }
        headers
    }
}

/// Edits the headers of the inner service's response.
pub(crate) fn edit(edit: Edit, rules: &Rules, headers: &mut HeaderMap) {
    match edit {
        Edit::Leave => {}
        Edit::Strip => strip(headers),
        Edit::Grant(allowed) => {
            strip(headers);
            grant(allowed, rules, headers);
        }
    }
    rules.prepared.vary.merge_into(headers);
    if rules.properties.has_private_responses() {
        private::keep_out_of_shared_caches(headers);
    }
}

/// An answer of the layer but for its body, and what is recorded beside it.
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
fn grant(allowed: Allowed, rules: &Rules, headers: &mut HeaderMap) {
    if allowed.credentials() {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
    if let Some(names) = allowed.exposed(rules) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed.into_origin());
}

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// RFC 9111, section 5.2.2.5: `Vary` does not help where a cache ignores it, or where the URL alone
/// tells requests apart.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

fn preflight_headers(
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

/// Nothing about the configuration, and nothing about which check failed.
fn refusal(
    to: Refused,
    denial: &Denial,
    readable: Option<HeaderValue>,
    rules: &Rules,
) -> (StatusCode, HeaderMap) {
    let prepared = &rules.prepared;
    let (status, mut headers) = match &to {
        // All look alike: no page reads them, and whoever probes learns nothing.
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
        // Or the page could not see what is asked of it.
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

/// Removes every header that grants something, whoever invented it.
#[inline(always)]
fn strip(headers: &mut HeaderMap) {
    if headers.keys().any(is_of_the_protocol) {
        remove_those_of_the_protocol(headers);
    }
}

#[inline(always)]
fn is_of_the_protocol(name: &HeaderName) -> bool {
    name.as_str().starts_with("access-control-")
}

#[cold]
fn remove_those_of_the_protocol(headers: &mut HeaderMap) {
    let names = headers.keys().filter(|name| is_of_the_protocol(name));
    let names: Vec<HeaderName> = names.cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// A value whose clones share its bytes from the first one on.
pub(crate) fn shared_value(text: String) -> HeaderValue {
    let bytes = Bytes::from(text);
    // The first clone turns a buffer into a shared one, which is better done here than in a
    // request.
    drop(bytes.clone());
    HeaderValue::from_maybe_shared(bytes).unwrap_or(HeaderValue::from_static(""))
}
