//! Tokens whose issuer publishes its keys, with an issuer over real sockets.

mod choosing;
mod fetching;
mod flights;
mod outages;
mod rotation;
mod settings;

use std::{
    fmt,
    future::pending,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, future::join_all};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use proptest::prelude::*;
use serde_json::{Value, json};
use tower_cors::{
    time::Clock,
    token::{
        TokenVerifier,
        verify::{
            ClaimRuleError, FetchError, FetchFuture, KeySetFetcher, VerifyError,
            jwks::{JwksConfigError, JwksVerifier, JwksVerifierBuilder, RefreshError},
            reqwest::ReqwestKeySetFetcher,
        },
    },
};

use crate::support::issuer::{Answer, Issuer, TestClock, client};
use crate::support::token_request::any_request;

const RSA: &[u8] = include_bytes!("../../data/rsa.pem");
const OTHER_RSA: &[u8] = include_bytes!("../../data/other_rsa.pem");

/// A public key as an issuer publishes it.
fn jwk(pem: &[u8], more: Value) -> Value {
    let key = EncodingKey::from_rsa_pem(pem).unwrap();
    let mut jwk = json!(Jwk::from_encoding_key(&key, Algorithm::RS256).unwrap());
    for (name, value) in more.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

fn set(keys: &[Value]) -> Answer {
    Answer::json(json!({"keys": keys}).to_string())
}

fn old() -> Value {
    jwk(RSA, json!({"kid": "old", "use": "sig"}))
}

fn new() -> Value {
    jwk(OTHER_RSA, json!({"kid": "new", "use": "sig"}))
}

fn sign(header: Value, pem: &[u8], clock: &TestClock) -> String {
    let mut full = json!(Header::new(Algorithm::RS256));
    for (name, value) in header.as_object().unwrap() {
        full[name] = value.clone();
    }
    let header: Header = serde_json::from_value(full).unwrap();
    let claims = json!({"exp": clock.unix() + 10_000_000, "sub": "me"});
    let key = EncodingKey::from_rsa_pem(pem).unwrap();
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

fn token(kid: &str, pem: &[u8], clock: &TestClock) -> String {
    sign(json!({"kid": kid}), pem, clock)
}

/// A token that only looks like one.
fn garbage(kid: &str) -> String {
    use base64::Engine;
    let header = json!({"alg": "RS256", "kid": kid}).to_string();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
    format!("{header}.e30.AAAA")
}

fn fetcher(issuer: &Issuer) -> ReqwestKeySetFetcher {
    ReqwestKeySetFetcher::new(client(), &issuer.url("/keys")).unwrap()
}

fn builder(issuer: &Issuer, clock: &TestClock) -> JwksVerifierBuilder {
    JwksVerifier::builder(fetcher(issuer))
        .dangerously_any_audience()
        .clock(clock.clone())
}

async fn outcome(verifier: &JwksVerifier, token: &str) -> String {
    match verifier.verify(token, &any_request()).await {
        Ok(_) => "good".to_owned(),
        Err(VerifyError::NotAuthentic(reason)) => reason.to_owned(),
        Err(VerifyError::Unavailable(reason)) => reason.into_owned(),
        Err(error) => error.to_string(),
    }
}

const UNKNOWN: &str = "its key is unknown";
const DOWN: &str = "the issuer is out of reach";

/// Keys in memory, and what happens when they are asked for.
#[derive(Clone, Debug, Default)]
struct Played {
    next: Arc<Mutex<Next>>,
    calls: Arc<AtomicUsize>,
}

#[derive(Clone, Debug, Default)]
enum Next {
    #[default]
    Never,
    Panic,
    Unreachable,
    Keys(String),
}

impl KeySetFetcher for Played {
    fn fetch(&self) -> FetchFuture {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let next = self.next.lock().unwrap().clone();
        Box::pin(async move {
            match next {
                Next::Never => pending().await,
                Next::Panic => panic!("a fetcher with a bug"),
                Next::Unreachable => Err(FetchError::Unreachable),
                Next::Keys(keys) => {
                    tokio::task::yield_now().await;
                    Ok(Bytes::from(keys))
                }
            }
        })
    }
}

impl Played {
    fn set(&self, next: Next) {
        *self.next.lock().unwrap() = next;
    }

    fn keys(keys: &[Value]) -> Next {
        Next::Keys(json!({"keys": keys}).to_string())
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}
