//! Any query string where a token may be: the verifier sees exactly the token that a naive decoder
//! finds, or none.
#![no_main]

use std::sync::{Arc, Mutex};

use http::Uri;
use libfuzzer_sys::fuzz_target;
use tower_cors::{
    CorsLayer,
    token::{
        TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{Claims, OriginsClaim},
        source::TokenSource,
        verify::{TokenRequest, VerifyFuture},
    },
};
use tower_cors_fuzz::model::{config, play};

/// Takes every token, and keeps it.
#[derive(Clone, Debug, Default)]
struct Keeps(Arc<Mutex<Vec<String>>>);

impl TokenVerifier for Keeps {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        self.0
            .lock()
            .expect("nobody panics with it")
            .push(token.to_owned());
        let claims = Claims::parse(br#"{"ao": "https://a.example"}"#).expect("claims");
        VerifyFuture::ready(Ok(VerifiedToken::new(claims)))
    }
}

fuzz_target!(|query: &[u8]| {
    let uri = [b"/discover?anonymousContext=", query].concat();
    let Ok(uri) = Uri::try_from(uri) else {
        return;
    };
    let verifier = Keeps::default();
    let source = TokenSource::query("anonymousContext")
        .up_to_layers(2)
        .prefix("psat=");
    let policy = TokenOrigins::builder()
        .verifier(verifier.clone())
        .source(source)
        .claim(OriginsClaim::single("ao"))
        .build()
        .expect("a configuration without mistakes");
    let layer = CorsLayer::builder()
        .origin_policy(policy)
        .build()
        .expect("no mistakes");
    let mut exchange = config::Exchange {
        request: config::Request::new("GET", &[("origin", "https://a.example")]),
        inner: config::Response {
            status: 200,
            headers: Vec::new(),
        },
    };
    exchange.request.uri = uri.to_string();
    let answer = play::answer(&layer, &exchange).expect("a request that can be sent");
    let expected = token(uri.query().unwrap_or_default());
    let seen = verifier.0.lock().expect("nobody panics with it");
    assert_eq!(*seen, Vec::from_iter(expected.clone()), "{uri}");
    assert_eq!(answer.is_called, expected.is_some(), "{uri}");
});

/// The token: the one parameter of that name, with one or two layers of encoding, behind `psat=`.
fn token(query: &str) -> Option<String> {
    let pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs
        .filter(|(name, _)| form_decoded(name) == b"anonymousContext")
        .map(|(_, value)| String::from_utf8_lossy(&form_decoded(value)).into_owned());
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    let found = match value.strip_prefix("psat=") {
        Some(token) => token.to_owned(),
        None => {
            let decoded = String::from_utf8(percent_decoded(value.as_bytes())).ok()?;
            decoded.strip_prefix("psat=")?.to_owned()
        }
    };
    (!found.is_empty() && found.len() <= 8192).then_some(found)
}

/// <https://url.spec.whatwg.org/#concept-urlencoded-parser>
fn form_decoded(text: &str) -> Vec<u8> {
    percent_decoded(text.replace('+', " ").as_bytes())
}

/// <https://url.spec.whatwg.org/#percent-decode>
fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let digit = |at: usize| {
        bytes
            .get(at)
            .and_then(|&byte| char::from(byte).to_digit(16))
    };
    let (mut decoded, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((16 * high + low) as u8);
                at += 3;
            }
            (byte, _, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}
