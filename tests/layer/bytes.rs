//! Whatever bytes come, the complete layer does not panic, and grants to nobody whom a naive
//! model, which knows only texts, would not grant to.

use std::{
    cell::Cell,
    convert::Infallible,
    future::{Ready, ready},
    rc::Rc,
};

use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version, header};
use proptest::{collection::vec, prelude::*, sample::select};
use tower::{Layer, ServiceExt, service_fn};

use tower_cors::{Any, CorsLayer, CorsLayerBuilder, Denial, DeniedRequests};

/// A configuration, and what it says in words that the model understands.
struct Config {
    name: &'static str,
    layer: CorsLayer,
    origins: &'static [&'static str],
    credentials: bool,
    refuses: bool,
}

const LIST: &[&str] = &[
    "https://a.example",
    "http://localhost:3000",
    "http://127.0.0.1:8080",
    "http://[::1]:3000",
    "capacitor://localhost",
];

const PATTERNS: &[&str] = &[
    "https://a.example",
    "https://*.b.example",
    "https://*.c.example:8443",
    "http://localhost:*",
    "https://*.d.example:*",
];

fn configs() -> Vec<Config> {
    let with = |name, origins, credentials, refuses, builder: CorsLayerBuilder| {
        let builder = if refuses {
            builder.denied_requests(DeniedRequests::Refuse)
        } else {
            builder
        };
        Config {
            name,
            layer: builder.allow_credentials(credentials).build().unwrap(),
            origins,
            credentials,
            refuses,
        }
    };
    let list = || CorsLayer::builder().allow_origins(LIST);
    let patterns = || CorsLayer::builder().allow_origins(PATTERNS);
    vec![
        with("list", LIST, false, false, list().allow_methods(["PUT"])),
        with("patterns", PATTERNS, true, false, patterns()),
        with("any", &["*"], false, false, {
            let any = CorsLayer::builder().allow_origins(Any).allow_methods(Any);
            any.allow_headers(Any).expose_headers(Any)
        }),
        with("credentials and any header", PATTERNS, true, false, {
            patterns().allow_methods(Any).allow_headers(Any)
        }),
        with("refuse", LIST, false, true, list().allow_headers(["x-ok"])),
        with("refuse with patterns", PATTERNS, true, true, patterns()),
    ]
}

/// The bytes of a request and of the inner service's answer.
#[derive(Clone, Debug, Default)]
struct Bytes {
    method: Vec<u8>,
    authority: Option<&'static str>,
    request: Vec<(HeaderName, Vec<u8>)>,
    inner: Vec<(HeaderName, Vec<u8>)>,
}

impl Bytes {
    fn is(&self, name: &HeaderName) -> Vec<&[u8]> {
        self.request
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, value)| &**value)
            .collect()
    }

    fn request(&self) -> Option<Request<()>> {
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(&self.method).ok()?;
        if let Some(authority) = self.authority {
            *request.version_mut() = Version::HTTP_2;
            *request.uri_mut() = format!("https://{authority}/x?y").parse().ok()?;
        }
        *request.headers_mut() = header_map(&self.request)?;
        Some(request)
    }
}

/// `None` when a value can be no header's, so that no server would hand it on.
fn header_map(lines: &[(HeaderName, Vec<u8>)]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(name.clone(), HeaderValue::from_bytes(value).ok()?);
    }
    Some(map)
}

/// Plays the bytes through every configuration; whether they made a request at all.
fn check(configs: &[Config], bytes: &Bytes) -> bool {
    let (Some(_), Some(inner)) = (bytes.request(), header_map(&bytes.inner)) else {
        return false;
    };
    for config in configs {
        let called = Rc::new(Cell::new(false));
        let service = service_fn(|_: Request<()>| -> Ready<Result<_, Infallible>> {
            called.set(true);
            let mut response = Response::new(());
            *response.headers_mut() = inner.clone();
            ready(Ok(response))
        });
        let response = config
            .layer
            .layer(service)
            .oneshot(bytes.request().unwrap())
            .now_or_never()
            .expect("nothing waits")
            .unwrap_or_else(|never| match never {});
        check_answer(config, bytes, &response, called.get());
    }
    true
}

fn check_answer(config: &Config, bytes: &Bytes, response: &Response<()>, called: bool) {
    let context = || format!("{}: {bytes:?}: {response:?}", config.name);
    let headers = response.headers();
    let lines = |name: &HeaderName| -> Vec<&[u8]> {
        let lines = headers.get_all(name).iter();
        lines.map(HeaderValue::as_bytes).collect()
    };
    let origins = bytes.is(&header::ORIGIN);
    let is_any = config.origins == ["*"];
    let is_cors = !origins.is_empty();
    let is_preflight = is_cors
        && bytes.method == b"OPTIONS"
        && !bytes.is(&header::ACCESS_CONTROL_REQUEST_METHOD).is_empty();
    let is_listed = match origins[..] {
        [origin] if !is_any => config.origins.iter().any(|entry| admits(entry, origin)),
        _ => false,
    };

    let allowed = lines(&header::ACCESS_CONTROL_ALLOW_ORIGIN);
    match allowed[..] {
        [] => {
            let left = headers
                .keys()
                .find(|name| name.as_str().starts_with("access-control-"));
            let is_bare = left.is_none() || !is_cors;
            assert!(is_bare, "a refusal is bare: {}", context());
            let is_due = is_cors && !is_preflight && (is_any || is_listed);
            assert!(!is_due, "a listed origin is granted: {}", context());
        }
        [value] if !is_cors && !is_any => {
            let of_inner = bytes.inner.iter().any(|(_, inner)| inner == value);
            assert!(of_inner, "nothing is invented: {}", context());
        }
        [b"*"] => assert!(is_any, "only for any origin: {}", context()),
        [value] => {
            assert_eq!(origins, [value], "{}", context());
            assert!(is_listed, "only for listed origins: {}", context());
        }
        _ => assert!(!is_cors, "one origin at most: {}", context()),
    }
    if is_cors || is_any {
        let credentials = lines(&header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
        let expected: &[&[u8]] = if config.credentials && !allowed.is_empty() {
            &[b"true"]
        } else {
            &[]
        };
        assert_eq!(credentials, expected, "{}", context());
    }
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS) && is_cors {
        let star = headers.iter().find(|(name, value)| {
            name.as_str().starts_with("access-control-")
                && value
                    .as_bytes()
                    .split(|b| *b == b',')
                    .any(|item| item == b"*")
        });
        assert_eq!(star, None, "no * with credentials: {}", context());
    }
    if let Some(denial) = response.extensions().get::<Denial>() {
        let text = format!("{denial} {denial:?}");
        let breaks_a_log = text.contains(|c: char| c.is_control() || !c.is_ascii());
        assert!(!breaks_a_log, "{text:?}: {}", context());
    }
    assert!(!(is_preflight && called), "{}", context());
    if config.refuses && is_cors && !is_preflight && !is_listed {
        let sites = bytes.is(&HeaderName::from_static("sec-fetch-site"));
        let is_foreign = sites.contains(&&b"cross-site"[..]) || sites.contains(&&b"same-site"[..]);
        assert!(!(is_foreign && called), "refused: {}", context());
    }
    check_vary(config, bytes, headers, called, context);
}

fn check_vary(
    config: &Config,
    bytes: &Bytes,
    headers: &HeaderMap,
    called: bool,
    context: impl Fn() -> String,
) {
    let lines = |headers: &[&[u8]]| -> Vec<Vec<u8>> {
        let elements = headers.iter().flat_map(|line| line.split(|b| *b == b','));
        elements
            .map(|element| element.trim_ascii().to_ascii_lowercase())
            .collect()
    };
    let sent: Vec<&[u8]> = headers
        .get_all(header::VARY)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let inner: Vec<&[u8]> = if called {
        bytes
            .inner
            .iter()
            .filter(|(name, _)| name == header::VARY)
            .map(|(_, value)| &**value)
            .collect()
    } else {
        Vec::new()
    };
    assert!(sent.starts_with(&inner), "none is lost: {}", context());
    let members = lines(&sent);
    let has = |member: &[u8]| members.iter().filter(|m| *m == member).count();
    if config.origins != ["*"] {
        let says_origin = has(b"origin") > 0 || has(b"*") > 0;
        assert!(says_origin, "the answer varies: {}", context());
        let had = lines(&inner).iter().filter(|m| *m == b"origin").count();
        assert!(has(b"origin") <= had.max(1), "once: {}", context());
    }
}

/// The naive model: an entry and an origin as texts.
fn admits(entry: &str, origin: &[u8]) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else {
        return false;
    };
    if !entry.contains('*') {
        return entry == origin;
    }
    let (scheme, rest) = entry.split_once("://").unwrap();
    let Some(authority) = origin.strip_prefix(&format!("{scheme}://")) else {
        return false;
    };
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let (base, wanted) = rest.split_once(':').unwrap_or((rest, ""));
    let has_port = authority.contains(':');
    let port_fits = match wanted {
        "*" => !has_port || is_port(port, scheme),
        wanted => has_port != wanted.is_empty() && port == wanted,
    };
    let host_fits = match base.strip_prefix('*') {
        Some(dot_and_base) => host
            .strip_suffix(dot_and_base)
            .is_some_and(|labels| are_labels(labels) && host.len() <= 253),
        None => host == base,
    };
    host_fits && port_fits
}

fn is_port(port: &str, scheme: &str) -> bool {
    let default = if scheme == "http" { 80 } else { 443 };
    let number: Option<u16> = port.parse().ok();
    // The round trip excludes leading zeros and signs.
    number.is_some_and(|n| n != 0 && n != default && n.to_string() == port)
}

fn are_labels(labels: &str) -> bool {
    let is_label = |label: &str| {
        let may_stand = |c: char| {
            let is_forbidden = "#%/:<>?@[\\]^|".contains(c);
            c.is_ascii_graphic() && !c.is_ascii_uppercase() && !is_forbidden
        };
        (1..=63).contains(&label.len()) && label.chars().all(may_stand)
    };
    labels.split('.').all(is_label)
}

#[test]
fn the_model_knows_what_it_admits() {
    for (entry, origin, expected) in [
        ("https://a.example", "https://a.example", true),
        ("https://a.example", "https://a.example.", false),
        ("https://*.b.example", "https://x.b.example", true),
        ("https://*.b.example", "https://x.y.b.example", true),
        ("https://*.b.example", "https://b.example", false),
        ("https://*.b.example", "https://.b.example", false),
        ("https://*.b.example", "https://xb.example", false),
        ("https://*.b.example", "https://e/x.b.example", false),
        ("https://*.b.example", "https://x.b.example:1", false),
        ("https://*.b.example", "https://x.b.example:", false),
        ("https://*.c.example:8443", "https://x.c.example:8443", true),
        ("http://localhost:*", "http://localhost", true),
        ("http://localhost:*", "http://localhost:65535", true),
        ("http://localhost:*", "http://localhost:80", false),
        ("http://localhost:*", "http://localhost:0", false),
        ("http://localhost:*", "http://localhost:+1", false),
        ("http://localhost:*", "http://localhost:", false),
    ] {
        assert_eq!(
            admits(entry, origin.as_bytes()),
            expected,
            "{entry} {origin}"
        );
    }
}

const HEADERS: [HeaderName; 6] = [
    header::ORIGIN,
    header::ACCESS_CONTROL_REQUEST_METHOD,
    header::ACCESS_CONTROL_REQUEST_HEADERS,
    header::HOST,
    HeaderName::from_static("sec-fetch-site"),
    header::VARY,
];

/// Values that have broken somebody, whole or as pieces.
const NASTY: &[&[u8]] = &[
    b"",
    b" ",
    b"\t",
    b"*",
    b",",
    b";",
    b"-",
    b".",
    b"..",
    b":",
    b"/",
    b"//",
    b"://",
    b"@",
    b"#",
    b"?",
    b"%",
    b"%00",
    b"%2e",
    b"[",
    b"]",
    b"[]",
    b"[::1]",
    b"[::1%25lo]",
    b"[::ffff:127.0.0.1]",
    b"\\",
    b"\"",
    b"'",
    b"|",
    b"^",
    b"\x80",
    b"\xe9",
    b"\xff\xfe",
    b"\xef\xbd\x81",
    b"\xe2\x80\x8b",
    b"null",
    b"NULL",
    b"undefined",
    b"true",
    b"cross-site",
    b"same-origin",
    b"none",
    b"https://",
    b"http://",
    b"HTTPS://",
    b"capacitor://",
    b"file://",
    b"blob:",
    b"a.example",
    b"A.example",
    b"evil.example",
    b".b.example",
    b"*.b.example",
    b"x.b.example",
    b".c.example",
    b".d.example",
    b"localhost",
    b"127.0.0.1",
    b"127.1",
    b"0x7f.1",
    b"xn--",
    b"xn--bcher-kva",
    b"https://a.example",
    b"https://evil.example",
    b"http://localhost:3000",
    b"http://localhost",
    b"http://[::1]:3000",
    b"https://x.b.example",
    b"https://x.c.example:8443",
    b"https://x.d.example:1",
    b":0",
    b":1",
    b":80",
    b":443",
    b":3000",
    b":8443",
    b":08443",
    b":+8443",
    b":65535",
    b":65536",
    b":73979",
    b":4294975739",
    b":18446744073709560059",
    b"GET",
    b"PUT",
    b"put",
    b"OPTIONS",
    b"TRACE",
    b"A B",
    b"x-ok",
    b"X-Ok",
    b"x-evil",
    b"authorization",
    b"x-ok,,x-ok",
    b"x-ok, x-evil",
    b"x=1",
    b"origin",
    b"accept-encoding, Origin",
    b"originx",
];

#[test]
fn nasty_values_everywhere() {
    let configs = configs();
    let long = [
        b"a".repeat(64 * 1024),
        b" ".repeat(64 * 1024),
        b",".repeat(64 * 1024),
        b"a,".repeat(32 * 1024),
        b"x.".repeat(30 * 1024),
        [b"https://".as_slice(), &b"a".repeat(8 * 1024)].concat(),
        [b"https://", &*b"x.".repeat(30 * 1024), b"b.example"].concat(),
    ];
    let values = || NASTY.iter().copied().chain(long.iter().map(Vec::as_slice));
    let mut played = 0;
    for method in ["GET", "OPTIONS", "options", "POST", "CHICKEN"] {
        for name in &HEADERS {
            for value in values() {
                let line = (name.clone(), value.to_vec());
                let mut bytes = Bytes {
                    method: method.as_bytes().to_vec(),
                    ..Bytes::default()
                };
                if *name == header::VARY {
                    bytes.inner.push(line)
                } else {
                    bytes.request.push(line)
                }
                played += usize::from(check(&configs, &bytes));
                // The same in an otherwise good preflight.
                for (name, value) in [
                    (header::ORIGIN, "https://a.example"),
                    (header::ACCESS_CONTROL_REQUEST_METHOD, "PUT"),
                ] {
                    bytes.request.push((name, value.into()));
                    played += usize::from(check(&configs, &bytes));
                }
            }
        }
    }
    assert_eq!(played, 5 * HEADERS.len() * values().count() * 3);
}

/// Every byte at every place where a lenient parser would look away.
#[test]
fn every_byte_in_an_origin() {
    let configs = configs();
    for byte in 0..=u8::MAX {
        for (before, after) in [
            ("", "https://a.example"),
            ("https", "://a.example"),
            ("https:", "//a.example"),
            ("https://", "a.example"),
            ("https://a", "example"),
            ("https://a", ".example"),
            ("https://a.example", ""),
            ("https://a.example", "evil.example"),
            ("https://a.example", ".evil.example"),
            ("https://evil.example", ".b.example"),
            ("https://evil.example", "x.b.example"),
            ("https://x", "b.example"),
            ("https://x", "y.b.example"),
            ("https://x.b.example", ""),
            ("http://localhost:", ""),
            ("http://localhost:3000", ""),
            ("http://localhost:3", "000"),
            ("http://localhost", "3000"),
            ("http://127.0.0", "1:8080"),
            ("http://[::1", "]:3000"),
            ("http://[::1]", ":3000"),
            ("http://[:", ":1]:3000"),
            ("nul", ""),
            ("null", ""),
        ] {
            let origin = [before.as_bytes(), &[byte], after.as_bytes()].concat();
            let mut bytes = Bytes {
                method: b"GET".to_vec(),
                request: vec![(header::ORIGIN, origin)],
                ..Bytes::default()
            };
            check(&configs, &bytes);
            bytes.method = b"OPTIONS".to_vec();
            let line = (header::ACCESS_CONTROL_REQUEST_METHOD, b"PUT".to_vec());
            bytes.request.push(line);
            check(&configs, &bytes);
        }
    }
}

/// Pieces put together, or bytes without any sense.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => vec(select(NASTY), 0..5).prop_map(|pieces| pieces.concat()),
        3 => select(NASTY).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..300).prop_map(|mut bytes| {
            // What no header value has would only keep the rest from being played.
            bytes.retain(|byte| HeaderValue::from_bytes(&[*byte]).is_ok());
            bytes
        }),
        1 => vec(0x20..0x7f_u8, 0..60),
    ]
}

fn origin() -> impl Strategy<Value = Vec<u8>> {
    let text = "(https|http|capacitor)://([ax]\\.){0,3}(a|b|c|d|localhost)(\\.example)?\
                (:(1|80|443|3000|8443|65535|65536|0))?";
    prop_oneof![
        2 => value(),
        1 => text.prop_map(String::into_bytes),
        1 => select([LIST, PATTERNS].concat()).prop_map(|entry| entry.into()),
    ]
}

fn bytes() -> impl Strategy<Value = Bytes> {
    let method = prop_oneof![
        4 => Just(b"OPTIONS".to_vec()),
        2 => Just(b"GET".to_vec()),
        1 => Just(b"POST".to_vec()),
        1 => "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}".prop_map(String::into_bytes),
    ];
    let authority = select(vec![
        None,
        None,
        Some("a.example"),
        Some("evil.example:443"),
        Some("[::1]:3000"),
    ]);
    let lines = |name: HeaderName, count: std::ops::Range<usize>| vec((Just(name), value()), count);
    let [_, acrm, acrh, host, site, vary] = HEADERS;
    let request = (
        vec((Just(header::ORIGIN), origin()), 0..3),
        lines(acrm, 0..3),
        lines(acrh, 0..4),
        lines(host, 0..3),
        lines(site, 0..3),
    );
    let inner = (
        lines(vary, 0..3),
        lines(header::ACCESS_CONTROL_ALLOW_ORIGIN, 0..3),
        lines(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, 0..2),
    );
    (method, authority, request, inner).prop_map(|(method, authority, request, inner)| Bytes {
        method,
        authority,
        request: [request.0, request.1, request.2, request.3, request.4].concat(),
        inner: [inner.0, inner.1, inner.2].concat(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_bytes(bytes in bytes()) {
        prop_assert!(check(&CONFIGS.with(Rc::clone), &bytes), "every value can be sent");
    }
}

thread_local! {
    static CONFIGS: Rc<Vec<Config>> = Rc::new(configs());
}
