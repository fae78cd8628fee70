//! `unwrap`, `expect` and `main` print `Debug`: every public error shows its text there.

use std::{any::type_name, collections::BTreeSet, error::Error, fs, path::Path};

use axum::extract::FromRequestParts;
use tower_cors::{
    CorsLayer, Origin, OriginSet,
    error::{BroadPreflightReason, ConfigError, HeaderNameErrorReason, MethodErrorReason},
    host::{HostError, HostErrorReason, HostLayer},
    observe::Decision,
    origin::OriginErrorKind,
    preflight::{RegisterError, UnionIndex},
    revocation::RevocationError,
    test_util::{AllowedRequest, Browser, Failure, NetworkError, policy_conformance},
    token::{
        TokenConfigError, VerifiedToken,
        claim::{Claims, EntryErrorKind, FormatError, OriginsFormat},
        issue::{
            AllowedOrigins, IssueRules, MintError, MinterConfigError, RequestedEntryErrorKind,
            RequestedOriginsError, SignerError,
        },
        verify::{
            ClaimRuleError, FetchError, VerifyError,
            dpop::DpopConfigError,
            introspection::{IntrospectionConfigError, IntrospectionError},
            issuers::IssuersConfigError,
            jwks::{JwkSetError, JwksConfigError, RefreshError},
            jwt::{JwtConfigError, JwtKeyError, JwtKeyFault},
            reqwest::EndpointError,
        },
    },
    trusted::{
        entry::{EntryError, NameErrorReason, Version},
        registry::OriginRegistry,
        source::{InvalidRow, SourceError, SourceSnapshot},
        store::{FileError, RegistryWriter, StoreError},
    },
};

#[test]
fn the_mistakes_of_a_builder_have_a_heading() {
    let errors = CorsLayer::builder()
        .allow_origins(["https://example.com/"])
        .allow_methods(["patch"])
        .build()
        .unwrap_err();
    assert_eq!(
        format!("{errors:?}"),
        "mistakes in the configuration:\n  \
         allow_origins: \"https://example.com/\": an origin has no path, not even a trailing slash: \
         write \"https://example.com\"\n  \
         allow_methods: \"patch\": methods are case-sensitive: did you mean \"PATCH\"?"
    );
    let hosts = HostLayer::builder().allow_hosts(["*"]).build().unwrap_err();
    assert_eq!(
        format!("{hosts:?}"),
        format!("mistakes in the configuration:\n  {hosts}")
    );
}

/// The types whose text was seen to reach the terminal.
#[derive(Default)]
struct Seen(BTreeSet<String>);

impl Seen {
    fn add<E: Error>(&mut self, error: E) {
        let text = error.to_string();
        let mut whole = text.clone();
        let mut next = error.source();
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            assert!(!text.contains(&cause_text), "{text:?} repeats its cause");
            whole += &format!(": {cause_text}");
            next = cause.source();
        }
        let name = type_name::<E>().rsplit("::").next().unwrap();
        assert_eq!(format!("{error:?}"), whole, "{name}");
        self.0.insert(name.to_owned());
    }
}

#[tokio::test]
async fn the_texts_reach_the_terminal() {
    let mut seen = Seen::default();

    seen.add(ConfigError::MissingOrigins);
    seen.add(MethodErrorReason::Case("PATCH"));
    seen.add(HeaderNameErrorReason::Protocol);
    seen.add(BroadPreflightReason::AnyMethod);
    seen.add(HostError::MissingHosts);
    seen.add(HostErrorReason::Scheme);
    seen.add("https://example.com/".parse::<Origin>().unwrap_err());
    seen.add(OriginErrorKind::Joined("comma"));
    let (mut parts, ()) = http::Request::new(()).into_parts();
    let unrecorded = <Decision as FromRequestParts<()>>::from_request_parts(&mut parts, &());
    seen.add(unrecorded.await.unwrap_err());

    let pattern = "https://example.com".parse().unwrap();
    seen.add(UnionIndex::new(0).set("tenant", [pattern]).unwrap_err());
    seen.add(RegisterError::Full { limit: 1 });
    seen.add(RevocationError::Id);

    seen.add(Claims::parse(b"[]").unwrap_err());
    seen.add(EntryErrorKind::NoScheme);
    seen.add(FormatError::Several(2));
    let rules = IssueRules::new();
    let requested = AllowedOrigins::parse_request("null", OriginsFormat::Single, &rules);
    let requested = requested.unwrap_err();
    seen.add(requested.entries()[0]);
    seen.add(requested);
    seen.add(RequestedOriginsError::from(FormatError::Delimiter('|')));
    seen.add(RequestedEntryErrorKind::Entry(EntryErrorKind::Null));
    seen.add(MintError::from(FormatError::Several(2)));
    seen.add(MintError::from(SignerError::new("no answer")));
    seen.add(MinterConfigError::Issuer);
    seen.add(SignerError::new("no answer"));

    seen.add(TokenConfigError::MissingVerifier);
    seen.add(ClaimRuleError::MissingAudience);
    seen.add(VerifyError::Revoked);
    seen.add(FetchError::Status(401));
    seen.add(DpopConfigError::MissingUrl);
    seen.add(IntrospectionConfigError::from(ClaimRuleError::AnyAudience));
    seen.add(IntrospectionError::Active);
    seen.add(IssuersConfigError::NoIssuer);
    seen.add(JwkSetError::NoKeys);
    seen.add(JwksConfigError::SeveralIssuers(2));
    seen.add(RefreshError::from(FetchError::Timeout));
    seen.add(JwtKeyError::Key("2026-11".to_owned(), JwtKeyFault::NotPem));
    seen.add(JwtKeyFault::NotPem);
    seen.add(JwtConfigError::from(JwtKeyError::NotASet));
    seen.add(EndpointError::Insecure);

    seen.add(EntryError::Name(NameErrorReason::Empty));
    seen.add(NameErrorReason::Empty);
    let registry = RegistryWriter::new(&OriginRegistry::new());
    registry
        .load(SourceSnapshot::new(), Version::new(2))
        .unwrap();
    let older = registry.load(SourceSnapshot::new(), Version::new(1));
    seen.add(older.unwrap_err());
    seen.add(SourceError::new("no connection"));
    seen.add(InvalidRow::new("7", EntryError::Id));
    seen.add(StoreError::Invalid(InvalidRow::new("7", EntryError::Id)));
    seen.add(FileError::Form("an entry has no name".to_owned()));

    seen.add(Failure::MissingAllowOrigin);
    seen.add(Browser::new().page("example.com").unwrap_err());
    seen.add(NetworkError::NoUrl);
    // The one with a cause that its text does not tell.
    let nowhere = reqwest::get("http://[::1").await.unwrap_err();
    seen.add(NetworkError::from(nowhere));
    let strict = OriginSet::parse(["https://example.com"]).unwrap();
    let expected = [AllowedRequest::new("https://example.org")];
    seen.add(policy_conformance(strict, expected).await.unwrap_err());

    // Its own test is above.
    seen.0.insert("BuildErrors".to_owned());
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    assert_eq!(seen.0, public_errors(&library));
}

/// What of a token an error holds stays out of its text.
#[test]
fn an_expired_token_is_not_printed() {
    let claims = Claims::parse(br#"{"email": "ann@example.com"}"#).unwrap();
    let error = VerifyError::Expired(VerifiedToken::new(claims));
    assert_eq!(format!("{error:?}"), "the token has expired");
}

/// The names of the public types below a folder that are errors.
fn public_errors(folder: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("src/bin") {
            // A program, and a crate of its own.
        } else if path.is_dir() {
            names.extend(public_errors(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            names.extend(errors_in(&fs::read_to_string(path).unwrap()));
        }
    }
    names
}

fn errors_in(source: &str) -> Vec<String> {
    let name = |text: &str| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        text.split(|c| !is_part(c)).next().unwrap().to_owned()
    };
    let derived = source.split("thiserror::Error)]").skip(1);
    let derived = derived.filter_map(|rest| {
        let is_item = |line: &&str| {
            ["pub", "enum", "struct"]
                .iter()
                .any(|it| line.starts_with(it))
        };
        let item = rest.lines().find(is_item)?;
        let item = item
            .strip_prefix("pub enum ")
            .or(item.strip_prefix("pub struct "))?;
        Some(name(item))
    });
    let by_hand = source.lines().filter(|line| line.starts_with("impl"));
    let by_hand = by_hand.filter_map(|line| line.split_once("Error for "));
    let by_hand = by_hand.filter(|(before, _)| before.ends_with([' ', ':']));
    derived.chain(by_hand.map(|(_, rest)| name(rest))).collect()
}
