//! Tokens that are minted, verified, revoked, and expire by the clock of JavaScript.

use std::time::Duration;

use http::{HeaderValue, Request, header};
use tower_cors::{
    CorsLayer, OriginPolicy,
    preflight::IssuedIndex,
    token::{
        TokenOrigins,
        claim::{OriginsClaim, OriginsFormat},
        issue::{AllowedOrigins, IssueRules, Revocable, SigningKey, TokenMinter, TokenOrder},
        source::TokenSource,
        verify::{
            dpop::Dpop,
            jwt::{JwtAlgorithm, JwtVerifier},
        },
    },
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{
    Failure,
    played::{get, play_on, preflight},
    text,
};

/// The example key of RFC 8037: it protects nothing.
const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
     MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
     -----END PRIVATE KEY-----\n";

/// The issuer's key, for tokens that JavaScript signs.
#[wasm_bindgen]
pub fn private_key() -> String {
    PRIVATE_KEY.to_owned()
}

/// Who issues tokens, and the API that takes them.
#[wasm_bindgen]
pub struct Issuer {
    minter: TokenMinter,
    index: IssuedIndex,
    layer: CorsLayer,
    bound: CorsLayer,
}

#[wasm_bindgen]
impl Issuer {
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Issuer, String> {
        Self::build().map_err(|error| error.to_string())
    }

    fn build() -> Result<Self, Failure> {
        let key = SigningKey::from_pem(PRIVATE_KEY.as_bytes(), JwtAlgorithm::EdDsa, "2026-11")?;
        let verifier = JwtVerifier::builder()
            .key(key.to_public())
            .issuer("https://id.example")
            .audience("chat")
            .build()?;
        let index = IssuedIndex::new(100);
        let minter = TokenMinter::builder(key, "https://id.example", "chat")
            .lifetime(Duration::from_secs(600))
            .index(index.clone())
            .build()?;
        let proven = Dpop::builder(verifier.clone())
            .public_url("https://api.example/")
            .build()?;
        let bound = TokenOrigins::builder()
            .verifier(proven)
            .source(TokenSource::header(header::AUTHORIZATION).scheme("DPoP"))
            .claim(OriginsClaim::delimited("ao", ';'))
            .build()?;
        let tokens = TokenOrigins::builder()
            .verifier(Revocable::new(verifier, index.clone()))
            .source(TokenSource::bearer())
            .claim(OriginsClaim::delimited("ao", ';'))
            .build()?;
        let layer = CorsLayer::builder()
            .origin_policy(tokens.with_preflight(index.clone()))
            .allow_headers([header::AUTHORIZATION])
            .build()?;
        Ok(Self {
            minter,
            index,
            layer,
            bound: CorsLayer::builder().origin_policy(bound).build()?,
        })
    }

    /// A token for pages of `https://app.example`, that lives for ten minutes.
    pub fn mint(&self) -> String {
        text(self.minted())
    }

    fn minted(&self) -> Result<String, Failure> {
        let rules = IssueRules::new();
        let origins = AllowedOrigins::parse_request(
            "https://app.example",
            OriginsFormat::Delimited(';'),
            &rules,
        )?;
        let order = TokenOrder::new(origins).claim("sid", "7");
        Ok(self.minter.mint(&order)?.as_str().to_owned())
    }

    pub fn revoke(&self) -> String {
        text(match self.index.revoke_session("7") {
            Ok(()) => Ok("revoked".to_owned()),
            Err(error) => Err(error.into()),
        })
    }

    pub fn preflight(&self, origin: &str) -> String {
        let request = preflight(origin, "GET", "authorization");
        text(request.and_then(|request| play_on("preflight", &self.layer, request)))
    }

    pub fn call(&self, origin: &str, token: &str) -> String {
        let request = authorized(origin, &format!("Bearer {token}"));
        text(request.and_then(|request| play_on("request", &self.layer, request)))
    }

    /// A call with a token that is bound to a key, and a proof by that key.
    pub fn call_bound(&self, origin: &str, token: &str, proof: &str) -> String {
        text(self.called_bound(origin, token, proof))
    }

    fn called_bound(&self, origin: &str, token: &str, proof: &str) -> Result<String, Failure> {
        let mut request = authorized(origin, &format!("DPoP {token}"))?;
        request
            .headers_mut()
            .insert("dpop", HeaderValue::from_str(proof)?);
        play_on("request", &self.bound, request)
    }
}

fn authorized(origin: &str, credentials: &str) -> Result<Request<String>, Failure> {
    let mut request = get(origin)?;
    let credentials = HeaderValue::from_str(credentials)?;
    request
        .headers_mut()
        .insert(header::AUTHORIZATION, credentials);
    Ok(request)
}
