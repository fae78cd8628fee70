//! The check of where requests come from: which ones pass, ready and waiting, with the complete
//! answer.

use std::{sync::Arc, time::Duration};

use http::Request;
use tower_cors::{
    Any, ConfigErrors, CorsLayer, CorsRequest, DenialKind, Grant, Origin, OriginPolicy, OriginSet,
    Verdict, VerdictFuture,
    fetch_metadata::{CrossSiteDenial, CrossSiteDenialKind as Kind, FetchMetadataLayer},
    policy::{PolicyProperties, async_policy_fn},
    policy_fn,
};

use crate::support::{
    beside::{forwarded, play, refused},
    service::{LISTED, STRANGER, Waiting},
};

const VARY: &str = "vary: sec-fetch-site,sec-fetch-mode,sec-fetch-dest,origin";

type Lines<'a> = &'a [(&'a str, &'a str)];

fn request(method: &str, headers: Lines<'_>) -> Request<()> {
    let mut request = Request::builder()
        .method(method)
        .uri("/transfer?token=secret");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

/// The same trusted origin by a list, by a policy that is ready, and by one that waits.
fn trusting_listed() -> [FetchMetadataLayer; 3] {
    let set = Arc::new(OriginSet::parse([LISTED]).unwrap());
    let builder = FetchMetadataLayer::builder;
    [
        builder().allow_origins([LISTED]),
        builder().origin_policy(Arc::clone(&set)),
        builder().origin_policy(Waiting(set)),
    ]
    .map(|builder| builder.build().unwrap())
}

/// All of them must agree, and the whole answer is held against the denial.
#[track_caller]
fn judged(layers: &[FetchMetadataLayer], request: &Request<()>) -> Option<Kind> {
    let mut kinds = layers.iter().map(|layer| {
        let inner = [("x-inner", "called")];
        let (answer, denial) = play::<_, CrossSiteDenial>(layer, request, &inner);
        let expected = match &denial {
            None => forwarded(&[VARY, "x-inner: called"]),
            Some(denial) => refused(denial.status().as_u16(), &["cache-control: no-store", VARY]),
        };
        assert_eq!(answer, expected);
        denial.map(|denial| denial.kind())
    });
    let first = kinds.next().unwrap();
    for other in kinds {
        assert_eq!(first, other, "a policy that waits changes nothing");
    }
    first
}

const OWN_HOST: (&str, &str) = ("host", "bank.example");
const OWN: (&str, &str) = ("origin", "https://bank.example");
const CROSS: (&str, &str) = ("sec-fetch-site", "cross-site");
const NAVIGATE: (&str, &str) = ("sec-fetch-mode", "navigate");
const DOCUMENT: (&str, &str) = ("sec-fetch-dest", "document");
const EVIL: (&str, &str) = ("origin", STRANGER);
const TRUSTED: (&str, &str) = ("origin", LISTED);

#[test]
fn the_browser_says_where_it_comes_from() {
    let layers = trusting_listed();
    let same_origin = ("sec-fetch-site", "same-origin");
    let same_site = ("sec-fetch-site", "same-site");
    let frame = ("sec-fetch-dest", "iframe");
    let socket = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-fetch-mode", "websocket"),
    ];
    let [connection, upgrade, websocket] = socket;
    let rows: &[(&str, &str, Lines<'_>, Option<Kind>)] = &[
        ("own form", "POST", &[same_origin, OWN], None),
        ("own image", "GET", &[same_origin], None),
        (
            "own socket",
            "GET",
            &[same_origin, connection, upgrade, websocket, OWN],
            None,
        ),
        (
            "address bar",
            "GET",
            &[("sec-fetch-site", "none"), NAVIGATE, DOCUMENT],
            None,
        ),
        ("a link", "GET", &[CROSS, NAVIGATE, DOCUMENT], None),
        (
            "a link, asked for its head",
            "HEAD",
            &[CROSS, NAVIGATE, DOCUMENT],
            None,
        ),
        (
            "a link of a subdomain",
            "GET",
            &[same_site, NAVIGATE, DOCUMENT],
            None,
        ),
        (
            "a form",
            "POST",
            &[CROSS, NAVIGATE, DOCUMENT, EVIL],
            Some(Kind::NotTrusted),
        ),
        (
            "a form of a sandbox",
            "POST",
            &[CROSS, NAVIGATE, DOCUMENT, ("origin", "null")],
            Some(Kind::OpaqueOrigin),
        ),
        (
            "a form of a subdomain",
            "POST",
            &[
                same_site,
                NAVIGATE,
                DOCUMENT,
                ("origin", "https://x.bank.example"),
            ],
            Some(Kind::NotTrusted),
        ),
        (
            "a form of a trusted page",
            "POST",
            &[CROSS, NAVIGATE, DOCUMENT, TRUSTED],
            None,
        ),
        (
            "a socket",
            "GET",
            &[CROSS, connection, upgrade, websocket, EVIL],
            Some(Kind::NotTrusted),
        ),
        (
            "a socket of a trusted page",
            "GET",
            &[CROSS, connection, upgrade, websocket, TRUSTED],
            None,
        ),
        (
            "a socket over HTTP/2",
            "CONNECT",
            &[CROSS, websocket, EVIL],
            Some(Kind::NotTrusted),
        ),
        (
            "a frame",
            "GET",
            &[CROSS, NAVIGATE, frame],
            Some(Kind::NoOrigin),
        ),
        (
            "an image",
            "GET",
            &[
                CROSS,
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "image"),
            ],
            Some(Kind::NoOrigin),
        ),
        (
            "a script",
            "GET",
            &[
                CROSS,
                ("sec-fetch-mode", "no-cors"),
                ("sec-fetch-dest", "script"),
            ],
            Some(Kind::NoOrigin),
        ),
        (
            "fetch()",
            "GET",
            &[CROSS, ("sec-fetch-mode", "cors"), EVIL],
            Some(Kind::NotTrusted),
        ),
        (
            "fetch() of a trusted page",
            "DELETE",
            &[CROSS, ("sec-fetch-mode", "cors"), TRUSTED],
            None,
        ),
        (
            "navigation without a destination",
            "GET",
            &[CROSS, NAVIGATE],
            Some(Kind::NoOrigin),
        ),
        (
            "a destination without navigation",
            "GET",
            &[CROSS, DOCUMENT],
            Some(Kind::NoOrigin),
        ),
        (
            "two modes",
            "GET",
            &[CROSS, NAVIGATE, NAVIGATE, DOCUMENT],
            Some(Kind::NoOrigin),
        ),
        // Of all lines, the worst one counts.
        (
            "two sites",
            "POST",
            &[same_origin, CROSS, OWN],
            Some(Kind::NotTrusted),
        ),
        (
            "an unknown site",
            "POST",
            &[("sec-fetch-site", "Same-Origin"), OWN],
            Some(Kind::NotTrusted),
        ),
        ("no origin at all", "POST", &[CROSS], Some(Kind::NoOrigin)),
        (
            "two origins",
            "POST",
            &[CROSS, TRUSTED, EVIL],
            Some(Kind::MalformedOrigin),
        ),
        (
            "no origin in the line",
            "POST",
            &[CROSS, ("origin", "bank.example")],
            Some(Kind::MalformedOrigin),
        ),
        // The browser's word counts, though the authorities are equal.
        (
            "a rebound or downgraded page",
            "POST",
            &[CROSS, OWN_HOST, OWN],
            Some(Kind::NotTrusted),
        ),
    ];
    for (what, method, headers, expected) in rows {
        assert_eq!(
            judged(&layers, &request(method, headers)),
            *expected,
            "{what}"
        );
    }
}

/// Its requests have the user's cookies, wherever it is trusted without them only.
#[test]
fn who_is_trusted_without_credentials_sends_no_cookies() {
    let granted = |credentials: bool| {
        let policy = move |_: &CorsRequest<'_>| {
            VerdictFuture::from(Grant::new().allow_credentials(credentials))
        };
        let layer = FetchMetadataLayer::builder().origin_policy(policy_fn(policy));
        let waiting = Waiting(Arc::new(policy_fn(policy)));
        let waiting = FetchMetadataLayer::builder().origin_policy(waiting);
        [layer.build().unwrap(), waiting.build().unwrap()]
    };
    let cookie = ("cookie", "session=1");
    for method in ["POST", "GET"] {
        let without = request(method, &[CROSS, TRUSTED]);
        let with = request(method, &[CROSS, TRUSTED, cookie]);
        assert_eq!(judged(&granted(true), &with), None);
        assert_eq!(judged(&granted(false), &without), None);
        assert_eq!(judged(&granted(false), &with), Some(Kind::NotTrusted));
    }
}

#[test]
fn without_metadata_origin_is_held_against_host() {
    let layers = trusting_listed();
    let rows: &[(&str, &str, Lines<'_>, Option<Kind>)] = &[
        ("own form", "POST", &[OWN_HOST, OWN], None),
        (
            "own socket",
            "GET",
            &[OWN_HOST, OWN, ("upgrade", "websocket")],
            None,
        ),
        ("a link or an image", "GET", &[OWN_HOST], None),
        ("a program", "POST", &[OWN_HOST], None),
        ("a form", "POST", &[OWN_HOST, EVIL], Some(Kind::NotTrusted)),
        (
            "a form of a trusted page",
            "POST",
            &[OWN_HOST, TRUSTED],
            None,
        ),
        (
            "a socket",
            "GET",
            &[OWN_HOST, EVIL, ("upgrade", "websocket")],
            Some(Kind::NotTrusted),
        ),
        (
            "a form of a sandbox",
            "POST",
            &[OWN_HOST, ("origin", "null")],
            Some(Kind::OpaqueOrigin),
        ),
        (
            "another port",
            "POST",
            &[OWN_HOST, ("origin", "https://bank.example:8443")],
            Some(Kind::NotTrusted),
        ),
        (
            "nearly the host",
            "POST",
            &[OWN_HOST, ("origin", "https://bank.example.evil.example")],
            Some(Kind::NotTrusted),
        ),
        (
            "another client's word",
            "POST",
            &[OWN_HOST, EVIL, ("x-forwarded-host", "evil.example")],
            Some(Kind::NotTrusted),
        ),
        (
            "two hosts",
            "POST",
            &[OWN_HOST, ("host", "evil.example"), EVIL],
            Some(Kind::NotTrusted),
        ),
        (
            "two origins",
            "POST",
            &[OWN_HOST, OWN, EVIL],
            Some(Kind::MalformedOrigin),
        ),
        // Modes without a site are not what a browser sends.
        (
            "a navigation",
            "POST",
            &[OWN_HOST, EVIL, NAVIGATE, DOCUMENT],
            Some(Kind::NotTrusted),
        ),
        (
            "a safe navigation",
            "GET",
            &[OWN_HOST, EVIL, NAVIGATE, DOCUMENT],
            Some(Kind::NotTrusted),
        ),
    ];
    for (what, method, headers, expected) in rows {
        assert_eq!(
            judged(&layers, &request(method, headers)),
            *expected,
            "{what}"
        );
    }
}

#[test]
fn nobody_is_trusted_unless_named() {
    let closed = [FetchMetadataLayer::builder().build().unwrap()];
    for origin in [TRUSTED, EVIL] {
        let form = request("POST", &[CROSS, origin]);
        assert_eq!(judged(&closed, &form), Some(Kind::NotTrusted));
    }
    let null = request("POST", &[CROSS, ("origin", "null")]);
    assert_eq!(judged(&closed, &null), Some(Kind::OpaqueOrigin));
    let own = request("POST", &[("sec-fetch-site", "same-origin"), OWN]);
    assert_eq!(judged(&closed, &own), None);
}

#[test]
fn a_subdomain_passes_only_if_asked_for() {
    let layer = [FetchMetadataLayer::builder()
        .allow_same_site(true)
        .build()
        .unwrap()];
    let subdomain = ("origin", "https://x.bank.example");
    let form = request("POST", &[("sec-fetch-site", "same-site"), subdomain]);
    assert_eq!(judged(&layer, &form), None);
    let form = request("POST", &[CROSS, subdomain]);
    assert_eq!(judged(&layer, &form), Some(Kind::NotTrusted));
    let form = request("POST", &[OWN_HOST, subdomain]);
    assert_eq!(judged(&layer, &form), Some(Kind::NotTrusted));
}

#[test]
fn a_preflight_is_judged_by_the_trusted_origins() {
    let layers = trusting_listed();
    let preflight = |origin, method| {
        let announced = ("access-control-request-method", method);
        request("OPTIONS", &[CROSS, origin, announced])
    };
    assert_eq!(judged(&layers, &preflight(TRUSTED, "PUT")), None);
    let judged_stranger = judged(&layers, &preflight(EVIL, "PUT"));
    assert_eq!(judged_stranger, Some(Kind::NotTrusted));
    let malformed = judged(&layers, &preflight(TRUSTED, "P T"));
    assert_eq!(malformed, Some(Kind::MalformedOrigin));

    // The policy is asked about a preflight as one.
    let policy = OriginSet::default().with_preflight(OriginSet::parse([LISTED]).unwrap());
    let layer = [FetchMetadataLayer::builder()
        .origin_policy(policy)
        .build()
        .unwrap()];
    assert_eq!(judged(&layer, &preflight(TRUSTED, "PUT")), None);
    let form = request("PUT", &[CROSS, TRUSTED]);
    assert_eq!(judged(&layer, &form), Some(Kind::NotTrusted));
}

#[test]
fn a_policy_that_cannot_tell_refuses() {
    fn out_of_reach() -> tower_cors::Denial {
        DenialKind::Unavailable.because("no answer within 2 s")
    }
    let ready = FetchMetadataLayer::builder().origin_policy(policy_fn(|_| out_of_reach()));
    let waiting =
        FetchMetadataLayer::builder().origin_policy(async_policy_fn(async |_| -> Verdict {
            out_of_reach().into()
        }));
    let silent = FetchMetadataLayer::builder()
        .origin_policy(async_policy_fn(async |_| -> Verdict {
            std::future::pending().await
        }))
        .verdict_timeout(Duration::from_millis(1), tokio::time::sleep);
    let layers = [ready, waiting, silent].map(|builder| builder.build().unwrap());
    let form = request("POST", &[CROSS, TRUSTED]);
    assert_eq!(judged(&layers, &form), Some(Kind::Unavailable));
    let (answer, denial) = play::<_, CrossSiteDenial>(&layers[0], &form, &[]);
    assert_eq!((answer.status, answer.inner_calls), (503, 0));
    let denial = denial.unwrap();
    assert_eq!(denial.site().unwrap(), "cross-site");
    assert_eq!(denial.origin().unwrap(), LISTED);
    let by_policy = denial.policy_denial().map(|denial| denial.kind());
    assert_eq!(by_policy, Some(DenialKind::Unavailable));
    assert!(format!("{denial:?}").starts_with("CrossSiteDenial(Unavailable: what the policy"));
    assert_eq!(
        denial.to_string(),
        "what the policy needs to know is out of reach: look at its source (sec-fetch-site: \
         \"cross-site\") (origin: \"https://app.example\") (policy: what the policy needs to know is \
         out of reach: look at its source (no answer within 2 s))"
    );
    // It is not asked about the service's own pages.
    let own = request("POST", &[("sec-fetch-site", "same-origin")]);
    assert_eq!(judged(&layers, &own), None);

    let abstains = [FetchMetadataLayer::builder()
        .origin_policy(policy_fn(|_| Verdict::Abstain))
        .build()
        .unwrap()];
    assert_eq!(judged(&abstains, &form), Some(Kind::NotTrusted));
}

#[test]
fn a_cache_is_told_what_the_policy_reads() {
    #[derive(Debug)]
    struct ByTenant;
    impl OriginPolicy for ByTenant {
        fn judge(&self, request: &tower_cors::CorsRequest<'_>) -> tower_cors::VerdictFuture {
            Verdict::from(request.headers().contains_key("x-tenant")).into()
        }
        fn properties(&self) -> PolicyProperties {
            PolicyProperties::new().reads([http::HeaderName::from_static("x-tenant")])
        }
    }
    let layer = FetchMetadataLayer::builder()
        .origin_policy(ByTenant)
        .build()
        .unwrap();
    let form = request("POST", &[CROSS, EVIL, ("x-tenant", "1")]);
    let inner = [("vary", "accept-encoding")];
    let (answer, _) = play::<_, CrossSiteDenial>(&layer, &form, &inner);
    let vary = "vary: accept-encoding,sec-fetch-site,sec-fetch-mode,sec-fetch-dest,origin,x-tenant";
    assert_eq!(answer, forwarded(&[vary]));
}

/// Beside each other with the same list: CORS answers the preflight, and each refuses strangers.
#[test]
fn inside_of_cors() {
    use tower::Layer;
    let cors = CorsLayer::builder()
        .allow_origins([LISTED])
        .allow_methods(["PUT"])
        .build()
        .unwrap();
    let check = FetchMetadataLayer::builder()
        .allow_origins([LISTED])
        .build()
        .unwrap();
    let both = tower::layer::layer_fn(|inner| cors.layer(check.layer(inner)));
    let announced = ("access-control-request-method", "PUT");
    let preflight = request("OPTIONS", &[CROSS, TRUSTED, announced]);
    let (answer, _) = play::<_, CrossSiteDenial>(&both, &preflight, &[]);
    assert_eq!((answer.status, answer.inner_calls), (204, 0));
    let put = request("PUT", &[CROSS, TRUSTED]);
    let (answer, _) = play::<_, CrossSiteDenial>(&both, &put, &[]);
    assert_eq!(
        answer.headers,
        ["access-control-allow-origin: https://app.example", VARY]
    );
    assert_eq!(answer.inner_calls, 1);
    let form = request("POST", &[CROSS, EVIL, NAVIGATE, DOCUMENT]);
    let (answer, denial) = play::<_, CrossSiteDenial>(&both, &form, &[]);
    assert_eq!(answer, refused(403, &["cache-control: no-store", VARY]));
    assert_eq!(denial.unwrap().kind(), Kind::NotTrusted);
}

#[test]
fn mistakes_do_not_build() {
    let texts = |built: Result<FetchMetadataLayer, ConfigErrors>| built.unwrap_err().to_string();
    let list = |entries: &[&str]| FetchMetadataLayer::builder().allow_origins(entries);
    assert_eq!(
        texts(
            list(&[
                "null",
                "https://a.example/",
                "https://*.github.io",
                "http://a.example"
            ])
            .build()
        ),
        "allow_origins: \"null\": every sandboxed frame on any site sends null, and could send forms as \
         the signed-in user: serve the page from an origin of its own\n\
         allow_origins: \"https://a.example/\": an origin has no path, not even a trailing slash: write \
         \"https://a.example\"\n\
         allow_origins: \"https://*.github.io\": anyone can register a name below \"github.io\": write \
         the subdomain that is yours, as in \"https://your-name.github.io\", or call \
         `dangerously_allow_public_suffixes`\n\
         allow_origins: \"http://a.example\": credentials would go to an origin that is neither https \
         nor loopback: write \"https://a.example\", or pass it to `dangerously_allow_insecure_origin`"
    );
    let any = "\"*\": every site could send forms and open WebSockets as the signed-in user: list the \
               origins that may, or leave the layer out";
    assert_eq!(texts(list(&["*"]).build()), format!("allow_origins: {any}"));
    let by_policy = FetchMetadataLayer::builder().origin_policy(Any);
    assert_eq!(texts(by_policy.build()), format!("origin_policy: {any}"));
    let both = list(&[LISTED]).origin_policy(OriginSet::parse(["http://a.example"]).unwrap());
    assert_eq!(texts(both.build()).lines().count(), 2);
}

/// What lets such an entry into a CORS layer may not exist here.
#[test]
fn mistakes_name_only_settings_that_exist() {
    let builder = FetchMetadataLayer::builder;
    let file: OriginSet = ["file://".parse::<Origin>().unwrap()].into_iter().collect();
    let mut texts = Vec::new();
    for entry in [
        "null",
        "*",
        "file://",
        "file:///home/me/page.html",
        "http://a.example",
        "http://192.168.*",
        "http://192.168.0.0/16:*",
        "https://*.github.io",
        "moz-extension://*",
    ] {
        texts.push(builder().allow_origins([entry]).build().unwrap_err());
    }
    texts.push(builder().allow_origins(file.clone()).build().unwrap_err());
    texts.push(builder().origin_policy(file).build().unwrap_err());
    let any = builder().dangerously_allow_insecure_origin("*");
    texts.push(any.build().unwrap_err());
    for errors in texts {
        let text = errors.to_string();
        let named = text.split('`').skip(1).step_by(2);
        for name in named {
            let is_there = [
                "dangerously_allow_insecure_origin",
                "dangerously_allow_public_suffixes",
            ]
            .contains(&name);
            assert!(is_there, "{text}");
        }
        assert!(!text.contains("allow_origins(Any)"), "{text}");
    }
    let range = builder().allow_origins(["http://192.168.0.0/16:*"]);
    assert_eq!(
        range.build().unwrap_err().to_string(),
        "allow_origins: \"http://192.168.0.0/16:*\": a range of addresses is only for machines under \
         development, and needs a permission: pass it to `dangerously_allow_insecure_origin`"
    );
    let range = builder().dangerously_allow_insecure_origin("http://192.168.0.0/16:*");
    assert!(range.build().is_ok());
}

#[test]
fn what_is_dangerous_is_called_so() {
    let http = ("origin", "http://a.example");
    let github = ("origin", "https://someone.github.io");
    let builder = FetchMetadataLayer::builder;
    let open = builder()
        .allow_origins([http.1, "https://*.github.io"])
        .dangerously_allow_insecure_origins()
        .dangerously_allow_public_suffixes();
    let one = builder()
        .allow_origins([LISTED])
        .dangerously_allow_insecure_origin(http.1);
    let [open, one] = [open, one].map(|builder| [builder.build().unwrap()]);
    assert_eq!(judged(&open, &request("POST", &[CROSS, http])), None);
    assert_eq!(judged(&open, &request("POST", &[CROSS, github])), None);
    assert_eq!(judged(&one, &request("POST", &[CROSS, http])), None);
    assert_eq!(judged(&one, &request("POST", &[CROSS, TRUSTED])), None);
    let stranger = judged(&one, &request("POST", &[CROSS, github]));
    assert_eq!(stranger, Some(Kind::NotTrusted));
}
