//! Requests, patterns and configurations from the field, each played through the complete layer.
//!
//! A row that this crate answers differently on purpose is listed with our answer and the reason, and
//! the test fails when the row is no longer different, or different in another way.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};

use tower_cors::{
    ConfigErrors, CorsLayer, Origin,
    config::CorsConfig,
    error::{ConfigError, HeaderNameErrorReason, HeaderSetting, MethodErrorReason},
    origin::OriginPattern,
};

/// A row whose expectation is not ours: its name, how we answer differently, and why.
type Exception = (&'static str, &'static str, &'static str);

const REQUEST_EXCEPTIONS: [Exception; 1] = [(
    "acrm-026",
    r#"the configuration does not build: allow_methods: "patch": methods are case-sensitive: did you mean "PATCH"?"#,
    "the configuration lists patch, which is refused with the right spelling",
)];

const PATTERN_EXCEPTIONS: [Exception; 2] = [
    (
        "ftp://foo:21",
        "is no pattern: no page has an origin with this scheme, so the entry would match nothing",
        NO_PAGE,
    ),
    (
        "https://foo*.example.com",
        "is a pattern",
        "a wildcard within the first label, below a domain of one's own",
    ),
];

// `+` stands before an error that only we have, `-` before one that is missing.
const CONFIG_EXCEPTIONS: [Exception; 14] = [
    (
        "browser-normalized methods",
        r#"+unacceptable_method "Get" methods are case-sensitive: did you mean "GET"?
+unacceptable_method "Head" methods are case-sensitive: did you mean "HEAD"?
+unacceptable_method "Post" methods are case-sensitive: did you mean "POST"?
+unacceptable_method "gET" methods are case-sensitive: did you mean "GET"?
+unacceptable_method "get" methods are case-sensitive: did you mean "GET"?
+unacceptable_method "hEAD" methods are case-sensitive: did you mean "HEAD"?
+unacceptable_method "head" methods are case-sensitive: did you mean "HEAD"?
+unacceptable_method "pOST" methods are case-sensitive: did you mean "POST"?
+unacceptable_method "post" methods are case-sensitive: did you mean "POST"?"#,
        METHOD_CASE,
    ),
    (
        "method Post",
        r#"+unacceptable_method "Post" methods are case-sensitive: did you mean "POST"?"#,
        METHOD_CASE,
    ),
    (
        "method patch",
        r#"+unacceptable_method "patch" methods are case-sensitive: did you mean "PATCH"?"#,
        METHOD_CASE,
    ),
    (
        "method delete",
        r#"+unacceptable_method "delete" methods are case-sensitive: did you mean "DELETE"?"#,
        METHOD_CASE,
    ),
    (
        "method Delete",
        r#"+unacceptable_method "Delete" methods are case-sensitive: did you mean "DELETE"?"#,
        METHOD_CASE,
    ),
    (
        "method query",
        r#"+unacceptable_method "query" methods are case-sensitive: did you mean "QUERY"?"#,
        METHOD_CASE,
    ),
    (
        "method Query",
        r#"+unacceptable_method "Query" methods are case-sensitive: did you mean "QUERY"?"#,
        METHOD_CASE,
    ),
    (
        "duplicates everywhere",
        r#"+unacceptable_method "put" methods are case-sensitive: did you mean "PUT"?"#,
        METHOD_CASE,
    ),
    (
        "origin 'moz-extension://0f5c8a7e-1b2c-4d3e-8f90-123456789abc' credentialed=False \
         tolerate_insecure=False tolerate_public_suffix=False",
        r#"-unacceptable_origin_pattern "moz-extension://0f5c8a7e-1b2c-4d3e-8f90-123456789abc"  invalid"#,
        "Firefox sends such origins for its extensions",
    ),
    (
        "origin 'https://*.kawasaki.jp' credentialed=True tolerate_insecure=False \
         tolerate_public_suffix=False",
        r#"+incompatible_origin_pattern "https://*.kawasaki.jp"  psl"#,
        "the base is above public suffixes, so that strangers own names below it",
    ),
    (
        "origin 'chrome-extension://abcdefghijklmnopabcdefghijklmnop' credentialed=True \
         tolerate_insecure=False tolerate_public_suffix=False",
        r#"-incompatible_origin_pattern "chrome-extension://abcdefghijklmnopabcdefghijklmnop"  insecure"#,
        "the pages of an extension are loaded from the machine itself",
    ),
    (
        "origin 'wss://example.com' credentialed=True tolerate_insecure=False \
         tolerate_public_suffix=False",
        r#"-incompatible_origin_pattern "wss://example.com"  insecure
+unacceptable_origin_pattern "wss://example.com"  prohibited"#,
        NO_PAGE,
    ),
    (
        "response header bad/odd '**'",
        r#"+unacceptable_header_name "**" response prohibited"#,
        STAR_IN_A_NAME,
    ),
    (
        "response header bad/odd 'a*'",
        r#"+unacceptable_header_name "a*" response prohibited"#,
        STAR_IN_A_NAME,
    ),
];

const NO_PAGE: &str = "no page has an origin with this scheme, so that the entry could never match";

const STAR_IN_A_NAME: &str = "people mean a wildcard by it, and a name it would match nothing";

const METHOD_CASE: &str = "a method in the wrong case is refused with the right spelling";

/// What went wrong must be the exceptions, each with the difference that is listed for it.
fn assert_only_exceptions(mut failures: BTreeMap<String, String>, exceptions: &[Exception]) {
    for (id, ours, reason) in exceptions {
        let failure = failures.remove(*id);
        assert_eq!(failure.as_deref(), Some(*ours), "{id}: {reason}");
    }
    let unexpected: Vec<_> = failures
        .iter()
        .map(|(id, failure)| format!("{id}: {failure}"))
        .collect();
    assert!(unexpected.is_empty(), "\n{}", unexpected.join("\n"));
}

/// A file that is cut short, or has a name twice, would test less than it seems.
fn assert_distinct<'a>(names: impl Iterator<Item = &'a String>, expected: usize) {
    let names: Vec<_> = names.collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!((names.len(), distinct.len()), (expected, expected));
}

#[derive(Deserialize)]
struct RequestCase {
    id: String,
    config: Value,
    request: CaseRequest,
    inner: Option<Inner>,
    must: Must,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseRequest {
    method: String,
    headers: Vec<(String, String)>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    status: u16,
    headers: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Must {
    allow: bool,
    #[serde(rename = "note")]
    _note: String,
    #[serde(default)]
    config_error: bool,
    #[serde(default)]
    informative: bool,
    #[serde(default)]
    unrepresentable: bool,
    #[serde(default)]
    header: BTreeMap<String, String>,
    #[serde(default)]
    not_header: BTreeMap<String, String>,
    #[serde(default)]
    no_header: Vec<String>,
    #[serde(default)]
    single: Vec<String>,
    #[serde(default)]
    vary: Vec<String>,
    #[serde(default)]
    no_vary: Vec<String>,
    #[serde(default)]
    vary_once: bool,
    inner_called: Option<bool>,
}

#[tokio::test]
async fn requests() {
    let cases: Vec<RequestCase> = serde_json::from_str(include_str!("../data/requests.json"))
        .expect("the file is well-formed");
    assert_distinct(cases.iter().map(|case| &case.id), 223);
    let mut failures = BTreeMap::new();
    for case in &cases {
        if let Err(failure) = play(case).await {
            failures.insert(case.id.clone(), failure);
        }
    }
    assert_only_exceptions(failures, &REQUEST_EXCEPTIONS);
}

async fn play(case: &RequestCase) -> Result<(), String> {
    let must = &case.must;
    let layer = match (build(&case.config), must.config_error) {
        (Ok(layer), false) => layer,
        (Err(_), true) => return Ok(()),
        (Ok(_), true) => return Err("the configuration builds".to_owned()),
        (Err(errors), false) => return Err(format!("the configuration does not build: {errors}")),
    };
    let headers = match header_map(&case.request.headers) {
        Some(_) if must.unrepresentable => return Err("is representable".to_owned()),
        Some(headers) => headers,
        None if must.unrepresentable => return refused_by_every_parser(case),
        None => return Err("is not representable".to_owned()),
    };
    let called = Arc::new(AtomicBool::new(false));
    let mut request = Request::new(());
    *request.method_mut() =
        Method::from_bytes(case.request.method.as_bytes()).map_err(|error| format!("{error}"))?;
    *request.headers_mut() = headers.clone();
    let is_preflight = request.method() == Method::OPTIONS
        && headers.contains_key("origin")
        && headers.contains_key("access-control-request-method");
    let response = layer
        .layer(inner(case.inner.clone(), Arc::clone(&called)))
        .oneshot(request)
        .await
        .unwrap_or_else(|never| match never {});
    let answer = Answer {
        headers: response.headers(),
        status: response.status(),
        sent: &headers,
        credentials: case.config["allow_credentials"] == true,
    };
    let called = called.load(Ordering::Relaxed);

    ensure(
        answer.allows(is_preflight) == must.allow,
        "must.allow",
        &answer,
    )?;
    if must.informative {
        let is_informed = answer.status.is_success()
            && answer.shares_with_the_origin()
            && answer.elements("access-control-allow-methods").is_some();
        ensure(is_informed, "must.informative", &answer)?;
    }
    for (name, value) in &must.header {
        let is_so = answer.lines(name) == [latin1(value)];
        ensure(is_so, &format!("must.header {name}"), &answer)?;
    }
    for (name, value) in &must.not_header {
        let is_so = !answer.lines(name).contains(&&*latin1(value));
        ensure(is_so, &format!("must.not_header {name}"), &answer)?;
    }
    for name in &must.no_header {
        let is_so = answer.lines(name).is_empty();
        ensure(is_so, &format!("must.no_header {name}"), &answer)?;
    }
    for name in &must.single {
        let is_so = answer.lines(name).len() == 1;
        ensure(is_so, &format!("must.single {name}"), &answer)?;
    }
    let vary = answer.elements("vary").unwrap_or_default();
    let count = |member: &str| {
        vary.iter()
            .filter(|m| m.eq_ignore_ascii_case(member))
            .count()
    };
    for member in &must.vary {
        ensure(count(member) > 0, &format!("must.vary {member}"), &answer)?;
    }
    for member in &must.no_vary {
        ensure(
            count(member) == 0,
            &format!("must.no_vary {member}"),
            &answer,
        )?;
    }
    if must.vary_once {
        let is_so = vary.iter().all(|member| count(member) == 1);
        ensure(is_so, "must.vary_once", &answer)?;
    }
    if let Some(expected) = must.inner_called {
        ensure(called == expected, "must.inner_called", &answer)?;
    }
    the_rules_of_every_row(case, &answer, is_preflight, called)
}

/// What holds for every row, whether it says so or not.
fn the_rules_of_every_row(
    case: &RequestCase,
    answer: &Answer<'_>,
    is_preflight: bool,
    called: bool,
) -> Result<(), String> {
    ensure(called != is_preflight, "only preflights are kept", answer)?;
    let refuses = !case.must.allow && !case.must.informative;
    let is_bare = !answer
        .headers
        .keys()
        .any(|name| name.as_str().starts_with("access-control-"));
    if refuses && case.config["allow_origins"] != "*" {
        ensure(is_bare, "a refusal is bare", answer)?;
    }
    let expected = match &case.inner {
        _ if is_preflight && refuses => 403,
        _ if is_preflight => 204,
        Some(inner) => inner.status,
        None => 200,
    };
    ensure(answer.status == expected, "the status", answer)
}

fn ensure(condition: bool, what: &str, answer: &Answer<'_>) -> Result<(), String> {
    if condition {
        Ok(())
    } else {
        Err(format!(
            "{what}: {} {:?}",
            answer.status.as_u16(),
            answer.headers
        ))
    }
}

/// The value cannot come in a header, so it must not come in any other way.
fn refused_by_every_parser(case: &RequestCase) -> Result<(), String> {
    for (_, value) in &case.request.headers {
        if value.parse::<Origin>().is_ok() || value.parse::<OriginPattern>().is_ok() {
            return Err(format!("{value:?} parses"));
        }
    }
    Ok(())
}

fn build(config: &Value) -> Result<CorsLayer, ConfigErrors> {
    let config: CorsConfig =
        serde_json::from_value(config.clone()).expect("the case has the shape of a configuration");
    CorsLayer::try_from(config)
}

fn inner(
    answer: Option<Inner>,
    called: Arc<AtomicBool>,
) -> impl tower::Service<Request<()>, Response = Response<()>, Error = Infallible, Future: Send> + Clone
{
    service_fn(move |_: Request<()>| {
        called.store(true, Ordering::Relaxed);
        let mut response = Response::new(());
        if let Some(answer) = &answer {
            *response.status_mut() = StatusCode::from_u16(answer.status).expect("a status");
            *response.headers_mut() = header_map(&answer.headers).expect("headers");
        }
        std::future::ready(Ok::<_, Infallible>(response))
    })
}

/// One byte per code point; `None` when a value cannot be a header's.
fn header_map(headers: &[(String, String)]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        map.append(name, HeaderValue::from_bytes(&latin1(value)).ok()?);
    }
    Some(map)
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(c).expect("one byte per code point"))
        .collect()
}

/// A response beside the headers that it answers, judged as the Fetch standard says and without
/// a line of the crate's own.
struct Answer<'a> {
    headers: &'a HeaderMap,
    status: StatusCode,
    sent: &'a HeaderMap,
    credentials: bool,
}

impl Answer<'_> {
    fn lines(&self, name: &str) -> Vec<&[u8]> {
        let lines = self.headers.get_all(name).iter();
        lines.map(HeaderValue::as_bytes).collect()
    }

    /// <https://fetch.spec.whatwg.org/#cors-check>
    fn shares_with_the_origin(&self) -> bool {
        let Some(origin) = self.sent.get("origin") else {
            return false;
        };
        let is_credentialed = self.lines("access-control-allow-credentials") == [b"true"];
        match self.lines("access-control-allow-origin")[..] {
            [b"*"] => !self.credentials && !is_credentialed,
            [value] => value == origin.as_bytes() && is_credentialed == self.credentials,
            _ => false,
        }
    }

    /// <https://fetch.spec.whatwg.org/#cors-preflight-fetch>
    fn allows(&self, is_preflight: bool) -> bool {
        if !self.shares_with_the_origin() {
            return false;
        }
        if !is_preflight {
            return true;
        }
        let methods = self.elements("access-control-allow-methods");
        let headers = self.elements("access-control-allow-headers");
        let (Some(methods), Some(headers)) = (methods, headers) else {
            return false;
        };
        let any = |list: &[String]| !self.credentials && list.iter().any(|item| item == "*");
        let wanted = self.sent.get("access-control-request-method");
        let method_is_allowed = wanted.is_some_and(|wanted| {
            [&b"GET"[..], b"HEAD", b"POST"].contains(&wanted.as_bytes())
                || methods.iter().any(|method| method.as_bytes() == wanted)
                || any(&methods)
        });
        let mut names = self.sent.get_all("access-control-request-headers").iter();
        let names_are_allowed = names.all(|line| {
            let Ok(line) = line.to_str() else {
                return false;
            };
            line.split(',').map(str::trim).all(|name| {
                let is_listed = headers.iter().any(|item| item.eq_ignore_ascii_case(name));
                is_listed || (any(&headers) && !name.eq_ignore_ascii_case("authorization"))
            })
        });
        self.status.is_success() && method_is_allowed && names_are_allowed
    }

    /// The elements of a list header; `None` when one is no token.
    fn elements(&self, name: &str) -> Option<Vec<String>> {
        let mut elements = Vec::new();
        for line in self.headers.get_all(name) {
            for element in line.to_str().ok()?.split(',') {
                let element = element.trim_matches([' ', '\t']);
                HeaderName::from_bytes(element.as_bytes()).ok()?;
                elements.push(element.to_owned());
            }
        }
        Some(elements)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternCase {
    pattern: String,
    valid: bool,
    reason: Option<String>,
    matches: Vec<String>,
    non_matches: Vec<String>,
}

#[test]
fn patterns() {
    let cases: Vec<PatternCase> = serde_json::from_str(include_str!("../data/patterns.json"))
        .expect("the file is well-formed");
    assert_distinct(cases.iter().map(|case| &case.pattern), 111);
    let mut failures = BTreeMap::new();
    for case in &cases {
        if let Err(failure) = check_pattern(case) {
            failures.insert(case.pattern.clone(), failure);
        }
    }
    assert_only_exceptions(failures, &PATTERN_EXCEPTIONS);
}

fn check_pattern(case: &PatternCase) -> Result<(), String> {
    let pattern: OriginPattern = match (case.pattern.parse::<OriginPattern>(), case.valid) {
        (Ok(pattern), true) => pattern,
        (Ok(_), false) => return Err("is a pattern".to_owned()),
        (Err(error), true) => return Err(format!("is no pattern: {error}")),
        (Err(error), false) => {
            let reason = reason(error.kind());
            return if case.reason.as_deref() == Some(reason) {
                Ok(())
            } else {
                Err(format!("{:?} is {reason}", error.kind()))
            };
        }
    };
    let matches = |origin: &str| {
        HeaderValue::from_bytes(&latin1(origin))
            .ok()
            .and_then(|value| Origin::from_header(&value).ok())
            .is_some_and(|origin| pattern.matches(&origin))
    };
    let layer = CorsLayer::builder()
        .allow_origins([&case.pattern])
        .build()
        .map_err(|errors| format!("does not build: {errors}"))?;
    let matching = case.matches.iter().map(|origin| (origin, true));
    let others = case.non_matches.iter().map(|origin| (origin, false));
    for (origin, expected) in matching.chain(others) {
        if matches(origin) != expected {
            return Err(format!("{origin:?}: {}", !expected));
        }
        for is_preflight in [false, true] {
            if is_allowed(&layer, origin, is_preflight) != expected {
                return Err(format!("{origin:?} in the layer: {}", !expected));
            }
        }
    }
    Ok(())
}

/// Whether a browser would let a page of the origin use the service.
fn is_allowed(layer: &CorsLayer, origin: &str, is_preflight: bool) -> bool {
    let Ok(origin) = HeaderValue::from_bytes(&latin1(origin)) else {
        return false;
    };
    let mut request = Request::new(());
    request.headers_mut().insert("origin", origin);
    if is_preflight {
        *request.method_mut() = Method::OPTIONS;
        let method = HeaderValue::from_static("GET");
        let name = "access-control-request-method";
        request.headers_mut().insert(name, method);
    }
    let sent = request.headers().clone();
    let called = Arc::new(AtomicBool::new(false));
    let service = layer.layer(inner(None, Arc::clone(&called)));
    let response = service.oneshot(request).now_or_never();
    let response = response
        .expect("a list answers at once")
        .unwrap_or_else(|never| match never {});
    let answer = Answer {
        headers: response.headers(),
        status: response.status(),
        sent: &sent,
        credentials: false,
    };
    assert_ne!(called.load(Ordering::Relaxed), is_preflight);
    answer.allows(is_preflight)
}

fn reason(kind: tower_cors::origin::OriginErrorKind) -> &'static str {
    if kind.is_well_formed() {
        "prohibited"
    } else {
        "invalid"
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigCase {
    name: String,
    config: Value,
    errors: Vec<ExpectedError>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedError {
    kind: String,
    value: Value,
    reason: Option<String>,
    header_type: Option<String>,
    // The bounds that go with a max-age, which `MaxAge` documents.
    default: Option<u32>,
    max: Option<u32>,
    disable: Option<i64>,
}

#[test]
fn configs() {
    let cases: Vec<ConfigCase> = serde_json::from_str(include_str!("../data/configs.json"))
        .expect("the file is well-formed");
    assert_distinct(cases.iter().map(|case| &case.name), 145);
    let mut joined = Vec::new();
    let mut failures = BTreeMap::new();
    for case in &cases {
        let errors = build(&case.config).err();
        if errors.iter().flatten().any(is_joined) {
            joined.push(&case.name);
        }
        let mut actual: Vec<String> = errors.iter().flatten().map(describe).collect();
        let mut expected: Vec<String> = case.errors.iter().map(describe_expected).collect();
        actual.sort();
        expected.sort();
        if actual != expected {
            failures.insert(case.name.clone(), difference(&actual, &expected));
        }
    }
    // Rows that expect "invalid" where we tell more: the entry is a list in one text.
    assert_eq!(
        joined,
        [
            r"request header bad/odd 'x\tfoo'",
            r"method bad/odd 'x\tfoo'",
            "request header bad/odd 'x;y'",
        ]
    );
    assert_only_exceptions(failures, &CONFIG_EXCEPTIONS);
}

/// The errors that one side has more often than the other, one in a line.
fn difference(ours: &[String], theirs: &[String]) -> String {
    let count = |all: &[String], one: &String| all.iter().filter(|other| *other == one).count();
    let mut lines = Vec::new();
    for (sign, these, those) in [('-', theirs, ours), ('+', ours, theirs)] {
        let more = |one: &&String| count(these, one) > count(those, one);
        lines.extend(these.iter().filter(more).map(|one| format!("{sign}{one}")));
    }
    lines.join("\n")
}

fn is_joined(error: &ConfigError) -> bool {
    matches!(
        error,
        ConfigError::Method {
            reason: MethodErrorReason::Joined(_),
            ..
        } | ConfigError::HeaderName {
            reason: HeaderNameErrorReason::Joined(_),
            ..
        }
    )
}

fn describe_expected(error: &ExpectedError) -> String {
    if error.kind == "max_age_out_of_bounds" {
        assert_eq!(error.max, Some(tower_cors::lists::MaxAge::MAX_SECS));
        assert_eq!((error.default, error.disable), (Some(5), Some(-1)));
    }
    let header_type = error.header_type.as_deref().unwrap_or_default();
    let reason = error.reason.as_deref().unwrap_or_default();
    format!("{} {} {header_type} {reason}", error.kind, error.value)
}

/// An error of ours in the words of the cases.
fn describe(error: &ConfigError) -> String {
    let line = |kind: &str, value: &str, header_type: &str, reason: &str| {
        let value = Value::from(value);
        format!("{kind} {value} {header_type} {reason}")
    };
    match error {
        ConfigError::MissingOrigins => line("unacceptable_origin_pattern", "", "", "missing"),
        ConfigError::Origin { value, error, .. } => line(
            "unacceptable_origin_pattern",
            value,
            "",
            reason(error.kind()),
        ),
        ConfigError::NullOrigin { .. } => {
            line("unacceptable_origin_pattern", "null", "", "prohibited")
        }
        ConfigError::AnyOriginWithCredentials { .. } => {
            line("incompatible_origin_pattern", "*", "", "wildcard")
        }
        ConfigError::InsecureOrigin { value, .. } => {
            line("incompatible_origin_pattern", value, "", "insecure")
        }
        ConfigError::PublicSuffix { value, .. } => {
            line("incompatible_origin_pattern", value, "", "psl")
        }
        ConfigError::Method { value, reason, .. } => {
            let reason = match reason {
                MethodErrorReason::NotAToken
                | MethodErrorReason::Joined(_)
                | MethodErrorReason::Separator(_) => "invalid",
                MethodErrorReason::Forbidden => "forbidden",
                other => return format!("unacceptable_method {value:?} {other}"),
            };
            line("unacceptable_method", value, "", reason)
        }
        ConfigError::HeaderName {
            value,
            list,
            reason,
            ..
        } => {
            let header_type = match list {
                HeaderSetting::AllowHeaders => "request",
                _ => "response",
            };
            let reason = match reason {
                HeaderNameErrorReason::NotAToken
                | HeaderNameErrorReason::Joined(_)
                | HeaderNameErrorReason::Separator(_) => "invalid",
                HeaderNameErrorReason::Forbidden => "forbidden",
                _ => "prohibited",
            };
            line("unacceptable_header_name", value, header_type, reason)
        }
        ConfigError::MaxAge { seconds } => format!("max_age_out_of_bounds {seconds}  "),
        other => format!("{other:?}"),
    }
}
