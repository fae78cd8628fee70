//! Opaque tokens, with an issuer over real sockets.

mod exchange;
mod flights;
mod forgetting;
mod garbage;
mod memory;
mod outages;
mod settings;

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{FutureExt, future::join_all};
use http::header;
use serde_json::{Value, json};
use tower_cors::{
    time::Clock,
    token::{
        TokenOrigins, TokenVerifier,
        claim::OriginsClaim,
        verify::{
            ClaimRuleError, FetchError, FetchFuture, TokenRequest, VerifyError, VerifyFuture,
            introspection::{
                IntrospectionClient, IntrospectionConfigError, IntrospectionRequest,
                IntrospectionVerifier, IntrospectionVerifierBuilder,
            },
            reqwest::{ClientAuth, ReqwestIntrospectionClient},
        },
    },
};

use crate::support::issuer::{Answer, Issuer, TestClock, client};
use crate::support::token_request::any_request;

fn introspection(issuer: &Issuer) -> ReqwestIntrospectionClient {
    let auth = ClientAuth::basic("my api", "s3cr3t:%");
    ReqwestIntrospectionClient::new(client(), &issuer.url("/introspect"), auth).unwrap()
}

fn builder(issuer: &Issuer, clock: &TestClock) -> IntrospectionVerifierBuilder {
    IntrospectionVerifier::builder(introspection(issuer)).clock(clock.clone())
}

async fn outcome(verifier: &IntrospectionVerifier, token: &str) -> String {
    let outcome = match verifier.verify(token, &any_request()).await {
        Ok(_) => "good",
        Err(VerifyError::Revoked) => "revoked",
        Err(VerifyError::WrongIssuer(_) | VerifyError::WrongAudience(_)) => "misdirected",
        Err(VerifyError::NotYetValid) => "not yet valid",
        Err(VerifyError::Expired(_)) => "expired",
        Err(VerifyError::Malformed(_)) => "malformed",
        Err(VerifyError::Unavailable(reason)) => return reason.into_owned(),
        Err(_) => "other",
    };
    outcome.to_owned()
}

/// An issuer in memory, and what happens when it is asked.
#[derive(Clone, Debug, Default)]
struct Played {
    next: Arc<Mutex<Next>>,
    calls: Arc<AtomicUsize>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Next {
    #[default]
    Never,
    Panic,
    Unreachable,
    Says(&'static str),
    /// Says so when it is looked for the second time.
    SaysLater(&'static str),
}

const YES: &str = r#"{"active": true}"#;
const NO: &str = r#"{"active": false}"#;

impl IntrospectionClient for Played {
    fn introspect(&self, _: IntrospectionRequest) -> FetchFuture {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let next = *self.next.lock().unwrap();
        Box::pin(async move {
            match next {
                Next::Never => pending().await,
                Next::Panic => panic!("a client with a bug"),
                Next::Unreachable => Err(FetchError::Unreachable),
                Next::Says(body) => Ok(Bytes::from(body)),
                Next::SaysLater(body) => {
                    tokio::task::yield_now().await;
                    Ok(Bytes::from(body))
                }
            }
        })
    }
}

impl Played {
    fn new(next: Next) -> Self {
        let played = Self::default();
        played.set(next);
        played
    }

    fn set(&self, next: Next) {
        *self.next.lock().unwrap() = next;
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn verifier(&self, clock: &TestClock) -> IntrospectionVerifierBuilder {
        IntrospectionVerifier::builder(self.clone()).clock(clock.clone())
    }
}

/// A client that hangs up as soon as its token is asked about.
fn hang_up(verifier: &IntrospectionVerifier, token: &str) {
    assert!(
        verifier
            .verify(token, &any_request())
            .now_or_never()
            .is_none(),
        "{token}"
    );
}
