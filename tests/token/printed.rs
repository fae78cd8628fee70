//! What `Debug` shows: how things are configured, and nothing of what they hold.

use std::{
    fmt::Debug,
    time::{Duration, SystemTime},
};

use tower_cors::{
    OriginSet,
    preflight::{Issued, IssuedIndex, UnionIndex, UrlKey},
    token::{
        VerifiedToken,
        claim::Claims,
        issue::IssueRules,
        verify::{
            dpop::Dpop,
            issuers::{Issuer, Issuers},
        },
    },
};

use crate::support::tokens::{CONTOSO, verifier};

#[test]
fn configurations_are_printed_and_contents_are_not() {
    let issuer = || Issuer::new("https://id.example", verifier());
    let claims = Claims::parse(br#"{"email": "a@b.example"}"#).unwrap();
    let token = VerifiedToken::new(claims).expires_at(SystemTime::UNIX_EPOCH);
    let only = OriginSet::parse([CONTOSO]).unwrap();
    let dpop = Dpop::builder(verifier()).public_url("https://api.example");
    let origins = || [CONTOSO.parse().unwrap()];
    let union = UnionIndex::new(10);
    union.set("tenant-7", [CONTOSO.parse().unwrap()]).unwrap();
    let index = IssuedIndex::new(10);
    let expiry = SystemTime::now() + Duration::from_secs(60);
    let issued = Issued::new("token-7", origins(), expiry).session("session-7");
    index.register(&issued).unwrap();
    for (thing, begins, shows) in [
        (
            &issuer() as &dyn Debug,
            r#"Issuer { names: ["https://id.example"], .. }"#,
            "",
        ),
        (
            &Issuers::builder().issuer(issuer()).build().unwrap(),
            r#"Issuers { names: ["https://id.example"], .. }"#,
            "",
        ),
        (&token, "VerifiedToken { expires_at: Some(", "leeway: 0ns"),
        (
            &IssueRules::new().max_entries(3).only(only),
            "IssueRules { entries: ",
            "max_entries: 3, only_registered: true }",
        ),
        (
            &dpop.build().unwrap(),
            "Dpop { verifier: JwtVerifier {",
            "max_age: 60s, leeway: 5s, accepts_bearer: false }",
        ),
        (
            &UrlKey::new(|_| Some("tenant-7"), |_| None),
            "UrlKey { max_age: 60s, lookup_ttl: 5s, open_tenants: false, .. }",
            "",
        ),
        (
            &union,
            "UnionIndex { entries: 1, max_entries: 10, max_age: 60s, .. }",
            "",
        ),
        (
            &index,
            "IssuedIndex { entries: 2, limits: Limits { all: 10, each_tenant: 3 }",
            "max_age: 60s, .. }",
        ),
    ] {
        let printed = format!("{thing:?}");
        assert!(printed.starts_with(begins), "{printed}");
        assert!(printed.contains(shows), "{printed}");
        for secret in ["a@b.example", "contoso", "tenant-7", "token-7", "session-7"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
