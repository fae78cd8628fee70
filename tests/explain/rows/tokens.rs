use std::time::{Duration, SystemTime};

use tower_cors::{
    CorsLayer, CorsLayerBuilder,
    token::{
        TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{Claims, OriginsClaim},
        source::TokenSource,
        verify::{TokenRequest, VerifyError, VerifyFuture},
    },
};

use super::row;
use crate::{
    APP, get, preflight, request,
    setup::Setup::Builder,
    table::{Code, Row},
};

/// Knows tokens by their names.
#[derive(Debug)]
struct Issuer;

impl TokenVerifier for Issuer {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        let claims = match token {
            "other" => r#"{"ao": ["https://other.example"]}"#,
            "bare" => "{}",
            "text" => r#"{"ao": "https://app.example"}"#,
            "old" => r#"{"ao": ["https://other.example"]}"#,
            "down" => return VerifyFuture::ready(Err(VerifyError::Unavailable("no route".into()))),
            _ => return VerifyFuture::ready(Err(VerifyError::NotAuthentic("unknown"))),
        };
        let verified = VerifiedToken::new(Claims::parse(claims.as_bytes()).unwrap());
        let hour = Duration::from_secs(3600);
        VerifyFuture::ready(Ok(if token == "old" {
            verified.expires_at(SystemTime::now() - hour)
        } else {
            verified
        }))
    }
}

fn by_token() -> CorsLayerBuilder {
    let tokens = TokenOrigins::builder()
        .verifier(Issuer)
        .source(TokenSource::bearer())
        .claim(OriginsClaim::array("ao"))
        .build()
        .unwrap();
    CorsLayer::builder().origin_policy(tokens)
}

pub(super) fn rows() -> Vec<Row> {
    let token = |name, token, cause, fix| {
        let authorization = format!("Bearer {token}");
        let request = request("GET", &[("origin", APP), ("authorization", &authorization)]);
        row(name, Builder(by_token), request, cause, fix, Code::None)
    };
    let no_policy = "no policy had anything to say, as when a token is missing";
    vec![
        token(
            "a token for another page",
            "other",
            "the token does not allow the origin",
            "issue a token whose claim \"ao\" lists it",
        ),
        token(
            "a token without a list",
            "bare",
            "the token does not allow the origin",
            "issue a token whose claim \"ao\" lists it",
        ),
        token(
            "a list in another form",
            "text",
            "the list of origins in the token cannot be read",
            "write the claim \"ao\" as OriginsClaim expects it",
        ),
        token(
            "a forged token",
            "x",
            "the token does not verify",
            "issue a new one",
        ),
        token(
            "an expired token",
            "old",
            "the token has expired",
            "issue a new one",
        ),
        token(
            "an issuer that is down",
            "down",
            "what the policy needs to know is out of reach",
            "look at its source",
        ),
        row(
            "no token",
            Builder(by_token),
            get(APP),
            no_policy,
            "send the token, or add a fallback",
            Code::None,
        ),
        row(
            "a preflight, which has no token",
            Builder(by_token),
            preflight(APP, "PUT", ""),
            "no policy had anything to say, and a preflight carries no token",
            "say by with_preflight how preflights are answered, or add a fallback",
            Code::None,
        ),
    ]
}
