//! The scenarios: a configuration, a request, and what must come of it.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Uri,
    header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
};

use super::{
    config::{Config, Origins, base, listed_origin, mixed_base},
    implementation::Implementation,
};

/// To be merged with `Origin` when it comes, because few services say so.
const COMPOSED_VARY: &str = "accept-encoding, cookie";

pub(crate) struct Scenario {
    pub(crate) id: String,
    pub(crate) what: String,
    pub(crate) config: Config,
    pub(crate) inner_vary: Option<&'static str>,
    pub(crate) head: Head,
    pub(crate) expectation: Expectation,
    /// Only this crate is measured: nobody else gets there in time.
    pub(crate) ours_alone: bool,
}

impl Scenario {
    pub(crate) fn measures(&self, implementation: Implementation) -> bool {
        let is_ours = matches!(implementation, Implementation::None | Implementation::Ours);
        is_ours || !self.ours_alone
    }

    /// Whether the inner service's `Vary` has to be merged with the layer's when it comes.
    pub(crate) fn composes_vary(&self) -> bool {
        self.inner_vary == Some(COMPOSED_VARY)
    }
}

/// A request but for its body.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
}

/// What a browser makes of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// The handler ran and there is no page that could read the answer, or none that may.
    Unreadable,
    /// The handler ran and the page can read the answer.
    Readable,
    /// The handler did not run.
    Refused,
    /// The preflight is passed.
    Passed,
    /// The preflight is not passed.
    Failed,
    /// Nobody sends such a preflight, and either answer will do.
    Whatever,
}

pub(crate) fn scenarios() -> Vec<Scenario> {
    use Expectation as E;
    use Origins::{Any, List, MixedPatterns, One, Patterns, Policy};

    let mut all = vec![
        scenario("b1", "no Origin, any origin", Any, get(None), E::Readable),
        scenario(
            "b2",
            "no Origin, list of 10",
            List(10),
            get(None),
            E::Unreadable,
        ),
        scenario(
            "c0",
            "GET, any origin",
            Any,
            get(Some(&listed_origin(0))),
            E::Readable,
        ),
        scenario(
            "c1",
            "GET, one origin",
            One,
            get(Some(&listed_origin(0))),
            E::Readable,
        ),
    ];
    for count in [1, 10, 100, 1_000, 100_000, 1_000_000] {
        let last = get(Some(&listed_origin(count - 1)));
        let miss = get(Some(&listed_origin(count)));
        let mut hit = scenario(
            &format!("d{count}h"),
            &format!("GET, list of {count}, hit"),
            List(count),
            last,
            E::Readable,
        );
        let mut miss = scenario(
            &format!("d{count}m"),
            &format!("GET, list of {count}, miss"),
            List(count),
            miss,
            E::Unreadable,
        );
        hit.ours_alone = count == 1_000_000;
        miss.ours_alone = count == 1_000_000;
        all.extend([hit, miss]);
    }
    let origin = listed_origin(9);
    let put = |names: &str| preflight(&origin, "PUT", &[names.to_owned()]);
    let usual = put("authorization,content-type,x-api-key");

    let mut e0 = scenario(
        "e0",
        "GET, list of 10, credentials, 3 exposed headers",
        List(10),
        get(Some(&origin)),
        E::Readable,
    );
    e0.config.credentials = true;
    e0.config.exposed = true;
    let f0 = scenario(
        "f0",
        "preflight, list of 10",
        List(10),
        usual.clone(),
        E::Passed,
    );
    let mut f1 = scenario(
        "f1",
        "f0 with credentials",
        List(10),
        usual.clone(),
        E::Passed,
    );
    f1.config.credentials = true;
    let mut f2 = scenario(
        "f2",
        "preflight, any origin, method, header",
        Any,
        preflight(
            &origin,
            "PUT",
            &["content-type,x-api-key,x-trace-id".to_owned()],
        ),
        E::Passed,
    );
    f2.config.any_lists = true;
    let mut f3 = scenario(
        "f3",
        "preflight, policy, credentials, any method and header",
        Policy,
        put("content-type,x-api-key,x-trace-id"),
        E::Passed,
    );
    f3.config.credentials = true;
    f3.config.any_lists = true;
    let refused = preflight(&listed_origin(10), "PUT", &["content-type".to_owned()]);
    let patch = preflight(&origin, "PATCH", &["content-type".to_owned()]);
    all.extend([
        e0,
        f0,
        f1,
        f2,
        f3,
        scenario(
            "g0",
            "preflight, origin refused",
            List(10),
            refused,
            E::Failed,
        ),
        scenario(
            "g1",
            "preflight, method not allowed",
            List(10),
            patch,
            E::Failed,
        ),
        scenario(
            "g2",
            "preflight, header not allowed",
            List(10),
            put("x-other"),
            E::Failed,
        ),
    ]);

    let unknown = |len: usize| -> String {
        let names: Vec<String> = (0..500).map(|i| format!("{i:0len$}")).collect();
        names.join(",")
    };
    let hostile =
        |id: &str, what: &str, head: Head| scenario(id, what, List(10), head, E::Whatever);
    let lines = vec!["content-type".to_owned(); 500];
    all.extend([
        hostile("h0", "preflight, 8 KiB of commas", put(&",".repeat(8192))),
        hostile("h1", "preflight, 500 unknown names", put(&unknown(12))),
        hostile(
            "h1s",
            "preflight, 500 unknown names in 4 KiB",
            put(&unknown(7)),
        ),
        hostile(
            "h2",
            "preflight, 500 times one name",
            put(&["content-type"; 500].join(",")),
        ),
        hostile(
            "h3",
            "preflight, 8 KiB of spaces",
            put(&format!("a{}b", " ".repeat(8192))),
        ),
        hostile(
            "h5",
            "preflight, 500 lines",
            preflight(&origin, "PUT", &lines),
        ),
        hostile(
            "h5s",
            "preflight, 64 lines",
            preflight(&origin, "PUT", &lines[..64]),
        ),
        hostile(
            "h7",
            "preflight, 500 names of one letter, 999 bytes",
            put(&["a"; 500].join(",")),
        ),
        hostile(
            "h8",
            "preflight, 341 names and white space, 1 KiB",
            put(&["a "; 341].join(",")),
        ),
        scenario(
            "h6",
            "GET, 8 KiB of Origin",
            List(10),
            get(Some(&format!("https://{}", "a".repeat(8192)))),
            E::Unreadable,
        ),
    ]);

    let below = |base: String| get(Some(&format!("https://app.{base}")));
    for count in [1, 100, 10_000] {
        all.extend([
            scenario(
                &format!("i{count}h"),
                &format!("GET, {count} patterns, hit"),
                Patterns(count),
                below(base(count - 1)),
                E::Readable,
            ),
            scenario(
                &format!("i{count}m"),
                &format!("GET, {count} patterns, miss"),
                Patterns(count),
                below(base(count)),
                E::Unreadable,
            ),
        ]);
    }
    all.extend([
        scenario(
            "i10000xh",
            "GET, 10000 patterns of 20 lengths, hit",
            MixedPatterns(10_000),
            below(mixed_base(9_999)),
            E::Readable,
        ),
        scenario(
            "i10000xm",
            "GET, 10000 patterns of 20 lengths, miss",
            MixedPatterns(10_000),
            below(mixed_base(10_000)),
            E::Unreadable,
        ),
    ]);
    for (id, vary) in [
        ("j0", "accept-encoding"),
        ("j1", "origin"),
        ("j2", "*"),
        ("j3", COMPOSED_VARY),
    ] {
        let mut inner_vary = scenario(
            id,
            &format!("GET, list of 10, inner Vary: {vary}"),
            List(10),
            get(Some(&origin)),
            E::Readable,
        );
        inner_vary.inner_vary = Some(vary);
        all.push(inner_vary);
    }
    let mut options = get(Some(&origin));
    options.method = Method::OPTIONS;
    all.push(scenario(
        "o0",
        "OPTIONS, no preflight",
        List(10),
        options,
        E::Readable,
    ));
    #[cfg(feature = "token")]
    all.extend(with_token());
    all
}

/// A token instead of a list of ten: compare with d10h and d10m.
#[cfg(feature = "token")]
fn with_token() -> [Scenario; 2] {
    let of_the_page = |id, what, origin: &str, expectation| {
        let mut head = get(Some(origin));
        head.headers
            .insert(http::header::AUTHORIZATION, super::token::credentials());
        let mut scenario = scenario(id, what, Origins::Token, head, expectation);
        scenario.ours_alone = true;
        scenario
    };
    [
        of_the_page(
            "t0",
            "GET, known token that lists ten, hit",
            &listed_origin(9),
            Expectation::Readable,
        ),
        of_the_page(
            "t1",
            "GET, known token that lists ten, miss",
            "https://app-000011.example.com",
            Expectation::Refused,
        ),
    ]
}

fn scenario(
    id: &str,
    what: &str,
    origins: Origins,
    head: Head,
    expectation: Expectation,
) -> Scenario {
    Scenario {
        id: id.to_owned(),
        what: what.to_owned(),
        config: Config::new(origins),
        inner_vary: None,
        head,
        expectation,
        ours_alone: false,
    }
}

pub(super) fn get(origin: Option<&str>) -> Head {
    let mut headers = HeaderMap::with_capacity(16);
    for (name, value) in ORDINARY {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if let Some(origin) = origin {
        headers.insert(ORIGIN, received(origin));
    }
    Head {
        method: Method::GET,
        uri: Uri::from_static("/orders"),
        headers,
    }
}

pub(super) fn preflight(origin: &str, method: &str, lines: &[String]) -> Head {
    let mut head = get(Some(origin));
    head.method = Method::OPTIONS;
    head.headers
        .insert(ACCESS_CONTROL_REQUEST_METHOD, received(method));
    for line in lines {
        head.headers
            .append(ACCESS_CONTROL_REQUEST_HEADERS, received(line));
    }
    head
}

/// A value as a server has it: a part of a buffer that is shared.
fn received(text: &str) -> HeaderValue {
    let bytes = Bytes::from(text.as_bytes().to_vec());
    drop(bytes.clone());
    HeaderValue::from_maybe_shared(bytes).unwrap()
}

const ORDINARY: [(&str, &str); 11] = [
    ("host", "api.example.com"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    ),
    ("accept", "application/json"),
    ("accept-language", "en-GB,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://app-000009.example.com/"),
    ("connection", "keep-alive"),
    ("sec-fetch-dest", "empty"),
    ("sec-fetch-mode", "cors"),
    ("sec-fetch-site", "cross-site"),
    ("priority", "u=4"),
];
