//! The issuing side: what may be asked for, what is minted, and that readers take it.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, Request, Response, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{
    CorsLayer, Denial, DenialKind, Origin, OriginPolicy, OriginSet,
    origin::OriginPattern,
    preflight::{IssuedIndex, RegisterError},
    time::Clock,
    token::{
        TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{EntryErrorKind, FormatError, ListRules, OriginsClaim, OriginsFormat},
        issue::{
            AllowedOrigins, IssueRules, MintError, MintedToken, MinterConfigError,
            RequestedEntryErrorKind as Kind, RequestedOriginsError, Revocable, SigningKey,
            TokenMinter, TokenMinterBuilder, TokenOrder,
        },
        source::TokenSource,
        verify::{
            TokenRequest, VerifyFuture,
            jwt::{JwtAlgorithm, JwtVerifier},
        },
    },
};

const SEMICOLONS: OriginsFormat = OriginsFormat::Delimited(';');
const PAGE: &str = "https://contoso.com";
const OTHER: &str = "https://litware.com";
const EVIL: &str = "https://evil.example";

const RSA: &str = include_str!("../data/rsa.pem");
const P_256: &str = include_str!("../data/p-256.pem");
const P_384: &str = include_str!("../data/p-384.pem");
const ED25519: &str = include_str!("../data/ed25519.pem");

// --- What may be asked for ---

fn parse(text: &str) -> Result<AllowedOrigins, RequestedOriginsError> {
    AllowedOrigins::parse_request(text, SEMICOLONS, &IssueRules::new())
}

fn texts(origins: &AllowedOrigins) -> Vec<&str> {
    origins.iter().map(OriginPattern::as_str).collect()
}

/// The mistakes, as entry and kind.
fn mistakes(text: &str) -> Vec<(usize, Kind)> {
    let error = parse(text).expect_err(text);
    error.entries().iter().map(|e| (e.index, e.kind)).collect()
}

#[test]
fn a_list_becomes_canonical_in_the_order_asked_for_each_once() {
    for (text, expected) in [
        (
            "https://contoso.com;https://litware.com",
            &[PAGE, OTHER][..],
        ),
        ("https://litware.com;https://contoso.com", &[OTHER, PAGE]),
        (
            " https://contoso.com ;\thttps://litware.com",
            &[PAGE, OTHER],
        ),
        (
            "https://contoso.com;HTTPS://CONTOSO.com:443;https://contoso.com",
            &[PAGE],
        ),
        (
            "https://xn--bcher-kva.example",
            &["https://xn--bcher-kva.example"],
        ),
        (
            "https://[2001:DB8::1]:8443",
            &["https://[2001:db8::1]:8443"],
        ),
    ] {
        assert_eq!(texts(&parse(text).unwrap()), expected, "{text}");
    }
}

#[test]
fn each_wrong_entry_is_reported() {
    use EntryErrorKind as E;

    for (text, expected) in [
        ("", &[(0, Kind::Entry(E::Empty))][..]),
        (
            ";",
            &[(0, Kind::Entry(E::Empty)), (1, Kind::Entry(E::Empty))],
        ),
        (
            "https://a.example;;https://b.example;",
            &[(1, Kind::Entry(E::Empty)), (3, Kind::Entry(E::Empty))],
        ),
        (
            "https://a.example;javascript:1;null;*",
            &[
                (1, Kind::Entry(E::Syntax)),
                (2, Kind::Entry(E::Null)),
                (3, Kind::Entry(E::Special)),
            ],
        ),
        (
            "https://*.a.example;https://a.example:*",
            &[(0, Kind::Entry(E::Wildcard)), (1, Kind::Entry(E::Wildcard))],
        ),
        ("contoso.com", &[(0, Kind::Entry(E::NoScheme))]),
        (
            "https://contoso.com/",
            &[(0, Kind::Entry(E::TrailingSlash))],
        ),
        ("capacitor://localhost", &[(0, Kind::Entry(E::Scheme))]),
    ] {
        assert_eq!(mistakes(text), expected, "{text:?}");
    }
    assert_eq!(
        parse("https://a.example;http://b.example;https://bücher.example")
            .unwrap_err()
            .to_string(),
        "entry 1: plain http is not allowed: use https\n\
         entry 2: write internationalised names in their ASCII form, which begins with xn--"
    );
}

#[test]
fn t10_nothing_slips_into_a_list() {
    for text in [
        "https://a.example,https://evil.example",
        "https://a.example https://evil.example",
        "https://a.example%3bhttps://evil.example",
        "https://a.example%3Bhttps://evil.example",
        "https://a.example；https://evil.example",
        "https://a.example\u{37e}https://evil.example",
        "https://a.example\r\nhttps://evil.example",
        "https://a.example\nhttps://evil.example",
        "https://a.example\0",
        "https://a.example\u{202e}",
        "https://a.example\u{200b}",
        "https://cont\u{43e}so.com",
        "https://contoso。com",
        "https://a.example/;p=1",
        "https://a.example\\@evil.example",
        "https://user@evil.example",
        "https://a.example#;https://b.example",
        "\u{feff}https://a.example",
    ] {
        assert!(!mistakes(text).is_empty(), "{text:?}");
    }
    // In the array no element is split.
    let array =
        |text| AllowedOrigins::parse_request(text, OriginsFormat::Array, &IssueRules::new());
    assert!(array(r#"["https://a.example;https://evil.example"]"#).is_err());
    assert_eq!(texts(&array(r#"["https://contoso.com"]"#).unwrap()), [PAGE]);
    for text in [
        "",
        "{}",
        "null",
        "[1]",
        "[null]",
        "[[\"https://a.example\"]]",
        "[",
        "\"x\"",
        "[] x",
    ] {
        assert_eq!(array(text), Err(RequestedOriginsError::Shape), "{text}");
    }
    assert_eq!(
        array("[]").unwrap_err().to_string(),
        "entry 0: there is nothing"
    );
}

#[test]
fn t10_a_registry_caps_what_may_be_asked_for() {
    let registered = OriginSet::parse([PAGE, "https://*.contoso.com"]).unwrap();
    let rules = IssueRules::new().only(registered);
    let parse = |text| AllowedOrigins::parse_request(text, SEMICOLONS, &rules);
    assert!(parse("https://contoso.com:443;https://a.contoso.com").is_ok());
    assert_eq!(
        parse("https://contoso.com;https://litware.com")
            .unwrap_err()
            .to_string(),
        "entry 1: the origin is not registered for whom the token is issued"
    );
    let wild = IssueRules::new()
        .entries(ListRules::new().wildcards())
        .only_if(|_| true);
    assert!(
        AllowedOrigins::parse_request("https://*.contoso.com", SEMICOLONS, &wild).is_err(),
        "the registry may have less than a wildcard matches"
    );
}

#[test]
fn t14_lists_are_bounded() {
    let list = |n: usize| {
        let entries: Vec<String> = (0..n).map(|i| format!("https://a{i}.example")).collect();
        entries.join(";")
    };
    assert_eq!(parse(&list(64)).unwrap().iter().len(), 64);
    let error = parse(&list(65)).unwrap_err();
    assert_eq!(error, RequestedOriginsError::TooMany { limit: 64 });
    assert_eq!(error.to_string(), "the list has at most 64 entries");
    let few = IssueRules::new().max_entries(1);
    assert_eq!(
        AllowedOrigins::parse_request(&list(2), SEMICOLONS, &few),
        Err(RequestedOriginsError::TooMany { limit: 1 })
    );
    let many = IssueRules::new().max_entries(1000);
    assert!(AllowedOrigins::parse_request(&list(65), SEMICOLONS, &many).is_err());
    let error = parse(&"x".repeat(IssueRules::MAX_LIST_LEN + 1)).unwrap_err();
    assert_eq!(error.to_string(), "the list is at most 8192 bytes long");
    let endless = std::iter::repeat(PAGE);
    assert!(AllowedOrigins::from_entries(endless, &IssueRules::new()).is_err());
}

#[test]
fn t16_plain_http_needs_a_door() {
    let insecure = [(0, Kind::Entry(EntryErrorKind::Insecure))];
    assert_eq!(mistakes("http://contoso.com"), insecure);
    assert_eq!(mistakes("http://localhost:3000"), insecure);
    let loopback = IssueRules::new().entries(ListRules::new().http_loopback());
    let parse = |text| AllowedOrigins::parse_request(text, SEMICOLONS, &loopback);
    assert!(parse("http://localhost:3000;http://127.0.0.1").is_ok());
    assert!(parse("http://contoso.com").is_err());
}

#[test]
fn a_format_has_room_or_says_so() {
    let two = parse("https://contoso.com;https://litware.com").unwrap();
    assert_eq!(
        two.to_claim(SEMICOLONS),
        Ok(json!("https://contoso.com;https://litware.com"))
    );
    assert_eq!(two.to_claim(OriginsFormat::Array), Ok(json!([PAGE, OTHER])));
    assert_eq!(
        two.to_claim(OriginsFormat::Single),
        Err(FormatError::Several(2))
    );
    assert_eq!(
        parse(PAGE).unwrap().to_claim(OriginsFormat::Single),
        Ok(json!(PAGE))
    );
    for delimiter in [
        '|', '\t', '\n', '.', ':', '/', '-', 'a', '0', '%', '*', '[', 'é',
    ] {
        let format = OriginsFormat::Delimited(delimiter);
        assert_eq!(two.to_claim(format), Err(FormatError::Delimiter(delimiter)));
        assert_eq!(
            AllowedOrigins::parse_request(PAGE, format, &IssueRules::new()),
            Err(RequestedOriginsError::Format(FormatError::Delimiter(
                delimiter
            )))
        );
    }
}

/// ConfigList in all spellings that are let in, and some that are not.
fn entry() -> impl Strategy<Value = String> {
    let host = prop_oneof![
        "[a-wyzA-WYZ][a-z0-9-]{0,8}[a-z]\\.(example|com)\\.?",
        Just("[2001:DB8:0:0::1]".to_owned()),
        Just("192.0.2.1".to_owned()),
        Just("localhost".to_owned()),
    ];
    let scheme = prop_oneof![
        Just("https"),
        Just("HTTPS"),
        Just("http"),
        Just("capacitor")
    ];
    let port = prop_oneof![Just(""), Just(":443"), Just(":8443"), Just(":80")];
    let star = prop_oneof![4 => Just(""), 1 => Just("*.")];
    (scheme, star, host, port)
        .prop_map(|(scheme, star, host, port)| format!("{scheme}://{star}{host}{port}"))
}

fn generous() -> IssueRules {
    let entries = ListRules::new()
        .dangerously_allow_http()
        .scheme("capacitor")
        .wildcards();
    IssueRules::new().entries(entries)
}

fn formats() -> impl Strategy<Value = OriginsFormat> {
    prop_oneof![
        proptest::sample::select(vec![';', ',', ' ']).prop_map(OriginsFormat::Delimited),
        Just(OriginsFormat::Array),
    ]
}

/// A claim as a request would have it.
fn as_request(claim: &Value) -> String {
    match claim {
        Value::String(text) => text.clone(),
        array => array.to_string(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(1000)
    })]

    #[test]
    fn parse_undoes_format(
        entries in proptest::collection::vec(entry(), 1..8),
        format in formats(),
    ) {
        let rules = generous();
        if let Ok(list) = AllowedOrigins::from_entries(entries.iter().map(String::as_str), &rules) {
            let claim = list.to_claim(format).unwrap();
            let again = AllowedOrigins::parse_request(&as_request(&claim), format, &rules);
            prop_assert_eq!(again, Ok(list));
        }
    }

    #[test]
    fn no_text_panics_and_what_is_taken_is_canonical(text in "\\PC*", format in formats()) {
        if let Ok(list) = AllowedOrigins::parse_request(&text, format, &generous()) {
            for pattern in list.iter() {
                prop_assert!(pattern.as_str().parse::<OriginPattern>().is_ok());
            }
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), format in formats()) {
        let text = String::from_utf8_lossy(&bytes);
        let _ = AllowedOrigins::parse_request(&text, format, &generous());
        let near = format!("https://contoso.com{text}");
        let _ = AllowedOrigins::parse_request(&near, format, &generous());
    }
}

// --- Minting ---

const NOW: u64 = 1_800_000_000;

#[derive(Debug)]
struct Stopped(SystemTime);

impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        self.0
    }
}

fn key(algorithm: JwtAlgorithm) -> SigningKey {
    let pem = match algorithm.name() {
        "ES256" => P_256,
        "ES384" => P_384,
        "EdDSA" => ED25519,
        _ => RSA,
    };
    SigningKey::from_pem(pem.as_bytes(), algorithm, "2026-11").unwrap()
}

fn builder() -> TokenMinterBuilder {
    TokenMinter::builder(key(JwtAlgorithm::EdDsa), "https://id.example", "chat").prefix("psat=")
}

fn order() -> TokenOrder {
    TokenOrder::new(parse("https://contoso.com;https://litware.com").unwrap())
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Header and claims, without a check of anything.
fn decoded(token: &MintedToken) -> (Value, Value) {
    let mut parts = token.jwt().split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

#[test]
fn a_token_says_everything_that_it_should() {
    let key = key(JwtAlgorithm::Rs256).x5t("NSI_kW85rqLLCtU15uigCh1NV_c");
    let minter = TokenMinter::builder(key, "https://id.example", "chat")
        .clock(Stopped(at(NOW)))
        .build()
        .unwrap();
    let token = minter.mint(&order().claim("asi", "session-7")).unwrap();
    let (header, claims) = decoded(&token);
    assert_eq!(
        header,
        json!({
            "typ": "JWT", "alg": "RS256", "kid": "2026-11", "x5t": "NSI_kW85rqLLCtU15uigCh1NV_c",
        })
    );
    assert_eq!(
        claims,
        json!({
            "iss": "https://id.example", "aud": "chat", "nbf": NOW, "iat": NOW, "exp": NOW + 3600,
            "jti": token.id(), "ao": "https://contoso.com;https://litware.com", "asi": "session-7",
        })
    );
    assert_eq!(token.expires_at(), at(NOW + 3600));
    assert_eq!(token.as_str(), token.jwt());
    // 128 bits, another time others.
    assert_eq!(URL_SAFE_NO_PAD.decode(token.id()).unwrap().len(), 16);
    let ids: HashSet<String> = (0..100)
        .map(|_| minter.mint(&order()).unwrap().id().to_owned())
        .collect();
    assert_eq!(ids.len(), 100);
}

#[test]
fn the_claim_and_the_lifetime_are_as_configured() {
    let minter = builder()
        .claim(OriginsClaim::array("allowed-origins"))
        .lifetime(Duration::from_secs(60))
        .clock(Stopped(at(NOW)))
        .build()
        .unwrap();
    let (_, claims) = decoded(&minter.mint(&order()).unwrap());
    assert_eq!(claims["allowed-origins"], json!([PAGE, OTHER]));
    assert_eq!(claims["exp"], NOW + 60);
    let eight_hours = order().lifetime(TokenMinter::MAX_LIFETIME);
    assert_eq!(
        decoded(&minter.mint(&eight_hours).unwrap()).1["exp"],
        NOW + 8 * 3600
    );

    let most = 8 * 3600;
    for lifetime in [0, most + 1, u64::MAX] {
        let refused = minter.mint(&order().lifetime(Duration::from_secs(lifetime)));
        assert_eq!(refused.unwrap_err(), MintError::Lifetime { most });
    }
    let single = builder()
        .claim(OriginsClaim::single("azp"))
        .build()
        .unwrap();
    let refused = single.mint(&order()).unwrap_err();
    assert_eq!(refused, MintError::Format(FormatError::Several(2)));
}

#[test]
fn what_the_minter_sets_cannot_be_replaced() {
    let minter = builder().build().unwrap();
    for name in ["iss", "aud", "nbf", "iat", "exp", "jti", "ao"] {
        let refused = minter.mint(&order().claim(name, "x")).unwrap_err();
        assert_eq!(refused, MintError::ReservedClaim(name.to_owned()));
    }
    let long = order().claim("x", "y".repeat(TokenMinter::MAX_TOKEN_LEN));
    assert_eq!(minter.mint(&long).unwrap_err(), MintError::TooLong);
    let before_time = builder()
        .clock(Stopped(UNIX_EPOCH - Duration::from_secs(1)))
        .build()
        .unwrap();
    assert_eq!(before_time.mint(&order()).unwrap_err(), MintError::Clock);
}

#[test]
fn a_minter_that_could_not_work_is_not_built() {
    use MinterConfigError as E;

    let key = || key(JwtAlgorithm::EdDsa);
    let claim = |claim| builder().claim(claim).build().unwrap_err();
    assert_eq!(
        TokenMinter::builder(key(), "", "x").build().unwrap_err(),
        E::Issuer
    );
    assert_eq!(
        TokenMinter::builder(key(), "x", "").build().unwrap_err(),
        E::Audience
    );
    assert!(matches!(
        claim(OriginsClaim::delimited("ao", '.')),
        E::Claim(_)
    ));
    assert!(matches!(claim(OriginsClaim::array("exp")), E::Claim(_)));
    assert!(matches!(
        claim(OriginsClaim::array("").pointer("/a/b")),
        E::Claim(_)
    ));
    for seconds in [0, 8 * 3600 + 1] {
        let built = builder().lifetime(Duration::from_secs(seconds)).build();
        assert_eq!(built.unwrap_err(), E::Lifetime { seconds });
    }
    let from_pem = |pem: &str, algorithm| SigningKey::from_pem(pem.as_bytes(), algorithm, "k");
    assert!(from_pem("", JwtAlgorithm::Rs256).is_err());
    assert!(from_pem(RSA, JwtAlgorithm::Es256).is_err());
    assert!(from_pem(P_256, JwtAlgorithm::Es384).is_err());
    assert!(from_pem(P_384, JwtAlgorithm::Es256).is_err());
    assert!(from_pem(ED25519, JwtAlgorithm::Rs256).is_err());
    assert!(from_pem(include_str!("../data/rsa.pub.pem"), JwtAlgorithm::Rs256).is_err());
    assert!(from_pem(RSA, JwtAlgorithm::Hs256).is_err());
    assert!(SigningKey::from_pem(RSA.as_bytes(), JwtAlgorithm::Rs256, "").is_err());
}

#[test]
fn no_secret_is_printed() {
    let minter = builder().build().unwrap();
    let token = minter.mint(&order()).unwrap();
    let printed = format!("{token:?} {minter:?} {:?}", builder());
    assert!(printed.contains(token.id()));
    let signature = token.jwt().rsplit('.').next().unwrap();
    let body = ED25519.lines().nth(1).unwrap();
    for secret in [token.as_str(), token.jwt(), signature, body] {
        assert!(!printed.contains(secret));
    }
}

// --- Reading what was minted ---

fn verifier(key: &SigningKey) -> JwtVerifier {
    JwtVerifier::builder()
        .key(key.to_public())
        .issuer("https://id.example")
        .audience("chat")
        .leeway(Duration::ZERO)
        .build()
        .unwrap()
}

fn in_header(key: &SigningKey) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier(key))
        .source(TokenSource::bearer().prefix("psat="))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap()
}

fn in_url(key: &SigningKey) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier(key))
        .source(
            TokenSource::query("anonymousContext")
                .up_to_layers(2)
                .prefix("psat="),
        )
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap()
}

fn in_both(key: &SigningKey) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier(key))
        .source(TokenSource::bearer().prefix("psat="))
        .source(
            TokenSource::query("anonymousContext")
                .up_to_layers(2)
                .prefix("psat="),
        )
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap()
}

fn layer(policy: impl tower_cors::OriginPolicy) -> CorsLayer {
    CorsLayer::builder()
        .origin_policy(policy)
        .allow_methods([Method::PUT])
        .allow_headers([header::AUTHORIZATION])
        .max_age(Duration::from_secs(7200))
        .build()
        .unwrap()
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    status: u16,
    origin: Option<String>,
    max_age: Option<u64>,
    denial: Option<DenialKind>,
    /// The session of the token that the inner service found, if it ran.
    inner: Option<String>,
}

async fn send(layer: &CorsLayer, request: Request<()>) -> Outcome {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let inner = service_fn(move |request: Request<()>| {
        counted.fetch_add(1, Ordering::Relaxed);
        let token = request.extensions().get::<Arc<VerifiedToken>>();
        let session = token.and_then(|token| token.claims().get("asi")?.as_str());
        let mut response = Response::new(());
        let session = session.unwrap_or("none").to_owned();
        response.extensions_mut().insert(session);
        std::future::ready(Ok::<_, std::convert::Infallible>(response))
    });
    let response = layer.layer(inner).oneshot(request).await.unwrap();
    let header = |name| {
        let value = response.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let inner = response.extensions().get::<String>().cloned();
    assert_eq!(calls.load(Ordering::Relaxed), usize::from(inner.is_some()));
    Outcome {
        status: response.status().as_u16(),
        origin: header(header::ACCESS_CONTROL_ALLOW_ORIGIN),
        max_age: header(header::ACCESS_CONTROL_MAX_AGE).map(|seconds| seconds.parse().unwrap()),
        denial: response.extensions().get::<Denial>().map(Denial::kind),
        inner,
    }
}

fn preflight(uri: &str, origin: &str) -> Request<()> {
    Request::builder()
        .method(Method::OPTIONS)
        .uri(uri)
        .header(header::ORIGIN, origin)
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization")
        .body(())
        .unwrap()
}

fn actual(uri: &str, origin: &str, token: Option<&MintedToken>) -> Request<()> {
    let mut request = Request::builder()
        .method(Method::PUT)
        .uri(uri)
        .header(header::ORIGIN, origin);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.as_str()));
    }
    request.body(()).unwrap()
}

fn granted(origin: &str, session: &str) -> Outcome {
    Outcome {
        status: 200,
        origin: Some(origin.to_owned()),
        max_age: None,
        denial: None,
        inner: Some(session.to_owned()),
    }
}

fn refused(status: u16, denial: DenialKind) -> Outcome {
    Outcome {
        status,
        origin: None,
        max_age: None,
        denial: Some(denial),
        inner: None,
    }
}

#[tokio::test]
async fn tokens_of_every_algorithm_are_read_again() {
    use JwtAlgorithm as A;

    for algorithm in [
        A::Rs256,
        A::Rs384,
        A::Rs512,
        A::Ps256,
        A::Ps384,
        A::Ps512,
        A::Es256,
        A::Es384,
        A::EdDsa,
    ] {
        let key = key(algorithm);
        let minter = TokenMinter::builder(key.clone(), "https://id.example", "chat")
            .prefix("psat=")
            .build()
            .unwrap();
        let token = minter.mint(&order().claim("asi", "session-7")).unwrap();
        let by_header = layer(in_header(&key));
        for page in [PAGE, OTHER] {
            let outcome = send(&by_header, actual("/", page, Some(&token))).await;
            assert_eq!(outcome, granted(page, "session-7"), "{algorithm:?}");
        }
        let outcome = send(&by_header, actual("/", EVIL, Some(&token))).await;
        assert_eq!(
            outcome,
            refused(403, DenialKind::OriginNotAllowed),
            "{algorithm:?}"
        );

        let by_url = layer(in_url(&key));
        for layers in 0..3 {
            let uri = format!(
                "/discover?anonymousContext={}",
                token.to_query_value(layers)
            );
            let outcome = send(&by_url, actual(&uri, PAGE, None)).await;
            assert_eq!(
                outcome,
                granted(PAGE, "session-7"),
                "{algorithm:?} {layers}"
            );
        }
        let thrice = format!("/discover?anonymousContext={}", token.to_query_value(3));
        let outcome = send(&by_url, actual(&thrice, PAGE, None)).await;
        assert_eq!(
            outcome,
            refused(401, DenialKind::InvalidToken),
            "{algorithm:?}"
        );
    }
}

#[test]
fn the_href_has_two_layers_in_lower_case() {
    let token = builder().build().unwrap().mint(&order()).unwrap();
    assert!(token.as_str().starts_with("psat=eyJ"));
    assert_eq!(token.to_query_value(0), token.as_str());
    assert_eq!(token.to_query_value(1), format!("psat%3d{}", token.jwt()));
    assert_eq!(token.to_query_value(2), format!("psat%253d{}", token.jwt()));
}

#[tokio::test]
async fn a_token_for_others_is_not_taken() {
    let minted_by = |issuer: &str, audience: &str| {
        let minter = TokenMinter::builder(key(JwtAlgorithm::EdDsa), issuer, audience);
        minter
            .prefix("psat=")
            .build()
            .unwrap()
            .mint(&order())
            .unwrap()
    };
    let layer = layer(in_header(&key(JwtAlgorithm::EdDsa)));
    for token in [
        minted_by("https://id.example", "mail"),
        minted_by("https://other.example", "chat"),
    ] {
        let outcome = send(&layer, actual("/", PAGE, Some(&token))).await;
        assert_eq!(outcome, refused(401, DenialKind::InvalidToken));
    }
}

// --- Preflights of minted tokens ---

#[tokio::test]
async fn the_url_token_answers_first_and_the_index_where_there_is_none() {
    let key = key(JwtAlgorithm::EdDsa);
    let index = IssuedIndex::new(100);
    let minter = builder().index(index.clone()).build().unwrap();
    let token = minter
        .mint(&order().session("s").lifetime(Duration::from_secs(600)))
        .unwrap();
    let other = AllowedOrigins::parse_request(EVIL, SEMICOLONS, &IssueRules::new()).unwrap();
    let elsewhere = minter.mint(&TokenOrder::new(other)).unwrap();

    let layer = layer(in_both(&key).with_preflight(in_url(&key).fallback(index.clone())));
    let discover = format!("/discover?anonymousContext={}", token.to_query_value(2));

    // The token in the URL judges its preflight, for as long as it lives.
    let outcome = send(&layer, preflight(&discover, PAGE)).await;
    assert_eq!(
        (outcome.status, outcome.origin.as_deref()),
        (204, Some(PAGE))
    );
    assert!(
        outcome
            .max_age
            .is_some_and(|age| (590..=600).contains(&age)),
        "{outcome:?}"
    );
    // Another token lists this one, and yet it is not asked.
    let outcome = send(&layer, preflight(&discover, EVIL)).await;
    assert_eq!(outcome, refused(403, DenialKind::OriginNotAllowed));

    // Without one in the URL, some live token has to name the page.
    for page in [PAGE, OTHER, EVIL] {
        let outcome = send(&layer, preflight("/messages", page)).await;
        assert_eq!((outcome.status, outcome.max_age), (204, Some(60)), "{page}");
    }
    let outcome = send(&layer, preflight("/messages", "https://unknown.example")).await;
    assert_eq!(outcome, refused(403, DenialKind::OriginNotAllowed));

    // Revoked, by session or by id.
    assert!(index.revoke_session("s").unwrap());
    for page in [PAGE, OTHER] {
        let outcome = send(&layer, preflight("/messages", page)).await;
        assert_eq!(
            outcome,
            refused(403, DenialKind::OriginNotAllowed),
            "{page}"
        );
    }
    assert!(index.revoke(elsewhere.id()).unwrap());
    assert_eq!(send(&layer, preflight("/messages", EVIL)).await.status, 403);
    let again = minter.mint(&order().session("s")).unwrap_err();
    assert_eq!(again, MintError::Index(RegisterError::Revoked));
}

#[tokio::test]
async fn a_revoked_token_is_refused_where_it_is_presented() {
    let key = key(JwtAlgorithm::EdDsa);
    let index = IssuedIndex::new(100);
    let minter = builder().index(index.clone()).build().unwrap();
    let mint = |session: &str| {
        minter
            .mint(&order().session(session).claim("asi", session))
            .unwrap()
    };
    let (one, two, three) = (mint("s"), mint("s"), mint("t"));
    let revocable = Revocable::new(verifier(&key), index.clone()).session_claim("asi");
    let policy = TokenOrigins::builder()
        .verifier(revocable)
        .source(TokenSource::bearer().prefix("psat="))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let layer = layer(policy.with_preflight(index.clone()));
    let good = [(&one, "s"), (&two, "s"), (&three, "t")];
    for (token, session) in good {
        let outcome = send(&layer, actual("/", PAGE, Some(token))).await;
        assert_eq!(outcome, granted(PAGE, session));
    }
    let revoked = refused(401, DenialKind::InvalidToken);
    assert!(index.revoke(one.id()).unwrap());
    assert_eq!(send(&layer, actual("/", PAGE, Some(&one))).await, revoked);
    assert_eq!(
        send(&layer, actual("/", PAGE, Some(&two))).await,
        granted(PAGE, "s")
    );
    // Another replica hears of it.
    let replica = IssuedIndex::new(100);
    replica.revoke_session("s").unwrap();
    index.merge(&replica.snapshot());
    assert_eq!(send(&layer, actual("/", PAGE, Some(&two))).await, revoked);
    assert_eq!(
        send(&layer, actual("/", PAGE, Some(&three))).await,
        granted(PAGE, "t")
    );
}

/// A clock that the test sets.
#[derive(Clone, Debug)]
struct Moving(Arc<AtomicU64>);

impl Clock for Moving {
    fn now(&self) -> SystemTime {
        at(self.0.load(Ordering::SeqCst))
    }
}

/// An issuer whose clock is set, and what judges its tokens by the real time.
struct Past {
    clock: Moving,
    index: IssuedIndex,
    minter: TokenMinter,
    layer: CorsLayer,
}

impl Past {
    fn new() -> Self {
        let key = key(JwtAlgorithm::EdDsa);
        let clock = Moving(Arc::default());
        let index = IssuedIndex::with_clock(100, clock.clone());
        let minter = builder().clock(clock.clone()).index(index.clone());
        let jwt = JwtVerifier::builder()
            .key(key.to_public())
            .issuer("https://id.example")
            .audience("chat")
            .build()
            .unwrap();
        let policy = TokenOrigins::builder()
            .verifier(Revocable::new(jwt, index.clone()).session_claim("asi"))
            .source(TokenSource::bearer().prefix("psat="))
            .claim(OriginsClaim::delimited("ao", ';'))
            .build()
            .unwrap();
        Self {
            clock,
            minter: minter.build().unwrap(),
            layer: layer(policy.with_preflight(index.clone())),
            index,
        }
    }

    fn set(&self, ago: u64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.clock.0.store(now.as_secs() - ago, Ordering::SeqCst);
    }

    /// A token that has expired so long ago, minted two minutes before.
    fn mint_expired(&self, ago: u64) -> MintedToken {
        self.set(ago + 120);
        let order = order().session("s").claim("asi", "s");
        let lifetime = Duration::from_secs(120);
        self.minter.mint(&order.lifetime(lifetime)).unwrap()
    }
}

#[tokio::test]
async fn what_was_revoked_stays_so_when_it_has_expired() {
    // Within the leeway, in which it would be granted; and then, when its 401 could be read.
    for ago in [0, 10, 25, 60, 300, 600] {
        for by_session in [false, true] {
            let past = Past::new();
            let token = past.mint_expired(ago);
            if by_session {
                past.index.revoke_session("s").unwrap()
            } else {
                past.index.revoke(token.id()).unwrap()
            };
            past.set(0);
            past.index.purge();
            let outcome = send(&past.layer, actual("/", PAGE, Some(&token))).await;
            let expected = refused(401, DenialKind::InvalidToken);
            assert_eq!(outcome, expected, "{ago} {by_session}");
        }
    }
}

#[tokio::test]
async fn a_page_can_read_that_its_token_in_a_header_has_expired() {
    for (ago, status, denial) in [
        // Still good, by the leeway.
        (10, 200, None),
        (60, 401, Some(DenialKind::ExpiredToken)),
        (600, 401, Some(DenialKind::ExpiredToken)),
    ] {
        let past = Past::new();
        let token = past.mint_expired(ago);
        past.set(0);
        past.index.purge();
        let passed = send(&past.layer, preflight("/", PAGE)).await;
        let expected = (204, Some(PAGE), Some(0));
        assert_eq!(
            (passed.status, passed.origin.as_deref(), passed.max_age),
            expected,
            "{ago}"
        );
        let outcome = send(&past.layer, actual("/", PAGE, Some(&token))).await;
        assert_eq!(
            (outcome.status, outcome.origin.as_deref(), outcome.denial),
            (status, Some(PAGE), denial),
            "{ago}"
        );
        let other = send(&past.layer, preflight("/", EVIL)).await;
        assert_eq!(other, refused(403, DenialKind::OriginNotAllowed));
        // It is no live one, and not for ever.
        assert!(!past.index.contains(&PAGE.parse::<Origin>().unwrap()));
        past.clock.0.fetch_add(65 * 60, Ordering::SeqCst);
        let over = send(&past.layer, preflight("/", PAGE)).await;
        assert_eq!(over, refused(403, DenialKind::OriginNotAllowed));
        past.index.purge();
        assert!(past.index.is_empty());
    }
}

/// Counts what it lets the inner verifier do.
#[derive(Debug)]
struct Counting(JwtVerifier, Arc<AtomicUsize>);

impl TokenVerifier for Counting {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.verify(token, request)
    }
}

#[tokio::test]
async fn a_revocation_is_heeded_at_once_and_costs_the_others_nothing() {
    let index = IssuedIndex::new(100);
    let key = key(JwtAlgorithm::EdDsa);
    let minter = builder().index(index.clone()).build().unwrap();
    let mint = || minter.mint(&order().claim("asi", "s")).unwrap();
    let (one, two) = (mint(), mint());
    let verifications = Arc::new(AtomicUsize::new(0));
    let counting = Counting(verifier(&key), Arc::clone(&verifications));
    let policy = TokenOrigins::builder()
        .verifier(Arc::new(Revocable::new(counting, index.clone())))
        .source(TokenSource::bearer().prefix("psat="))
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let layer = layer(policy.with_preflight(index.clone()));
    for _ in 0..3 {
        for token in [&one, &two] {
            let outcome = send(&layer, actual("/", PAGE, Some(token))).await;
            assert_eq!(outcome, granted(PAGE, "s"));
        }
    }
    index.revoke(one.id()).unwrap();
    for _ in 0..3 {
        let outcome = send(&layer, actual("/", PAGE, Some(&one))).await;
        assert_eq!(outcome, refused(401, DenialKind::InvalidToken));
        let outcome = send(&layer, actual("/", PAGE, Some(&two))).await;
        assert_eq!(outcome, granted(PAGE, "s"));
    }
    assert_eq!(verifications.load(Ordering::SeqCst), 2);
}

#[test]
fn a_token_that_cannot_be_registered_is_not_handed_out() {
    let index = IssuedIndex::new(3);
    let minter = builder().index(index.clone()).build().unwrap();
    minter.mint(&order()).unwrap();
    let full = minter.mint(&order()).unwrap_err();
    assert_eq!(full, MintError::Index(RegisterError::Full { limit: 3 }));
    assert_eq!(index.len(), 2);
    let rules = IssueRules::new().entries(ListRules::new().wildcards());
    let wild = AllowedOrigins::parse_request("https://*.contoso.com", SEMICOLONS, &rules).unwrap();
    assert_eq!(
        minter.mint(&TokenOrder::new(wild.clone())).unwrap_err(),
        MintError::Wildcard
    );
    assert!(
        builder()
            .build()
            .unwrap()
            .mint(&TokenOrder::new(wild))
            .is_ok()
    );
    // An order that cannot be filled leaves nothing behind.
    assert!(minter.mint(&order().claim("exp", 1)).is_err());
    assert_eq!(index.len(), 2);
    assert!(index.contains(&PAGE.parse::<Origin>().unwrap()));
}

#[tokio::test]
async fn t09_one_tokens_preflight_does_not_carry_anothers_request() {
    let key = key(JwtAlgorithm::EdDsa);
    let index = IssuedIndex::new(100);
    let minter = builder().index(index.clone()).build().unwrap();
    let one = minter.mint(&order()).unwrap();
    let other = AllowedOrigins::parse_request(EVIL, SEMICOLONS, &IssueRules::new()).unwrap();
    let other = minter.mint(&TokenOrder::new(other)).unwrap();
    let layer = layer(in_header(&key).with_preflight(index));
    // The browser keeps the answer for URL and origin, whatever token comes next.
    assert_eq!(send(&layer, preflight("/", EVIL)).await.status, 204);
    let outcome = send(&layer, actual("/", EVIL, Some(&one))).await;
    assert_eq!(outcome, refused(403, DenialKind::OriginNotAllowed));
    assert_eq!(
        send(&layer, actual("/", EVIL, Some(&other))).await,
        granted(EVIL, "none")
    );
}

#[tokio::test]
async fn t17_a_preflight_of_one_token_does_not_admit_two() {
    let key = key(JwtAlgorithm::EdDsa);
    let minter = builder().build().unwrap();
    let (one, two) = (
        minter.mint(&order()).unwrap(),
        minter.mint(&order()).unwrap(),
    );
    let layer = layer(in_both(&key));
    let uri = format!("/?anonymousContext={}", one.to_query_value(2));
    assert_eq!(send(&layer, preflight(&uri, PAGE)).await.status, 204);
    let outcome = send(&layer, actual(&uri, PAGE, Some(&two))).await;
    assert_eq!(outcome, refused(401, DenialKind::InvalidToken));
    // The same token twice is one token.
    assert_eq!(
        send(&layer, actual(&uri, PAGE, Some(&one))).await,
        granted(PAGE, "none")
    );
}
