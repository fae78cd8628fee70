//! What is remembered about tokens stays within its bound. A process of its own, because memory is
//! the process's.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and its figures are for the reader"
)]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use serde_json::{Value, json};
use tower_cors::token::{
    TokenVerifier,
    verify::{
        FetchFuture, TokenRequest, VerifyError,
        introspection::{IntrospectionClient, IntrospectionRequest, IntrospectionVerifier},
    },
};

/// One after the other, or one would measure the other.
#[tokio::test]
async fn memory_is_bounded() {
    garbage_tokens_take_no_more_than_the_bound().await;
    good_tokens_with_many_claims_take_no_more_than_the_bound().await;
}

/// An issuer in memory, which says no to everything.
#[derive(Clone, Debug, Default)]
struct SaysNo(Arc<AtomicUsize>);

impl IntrospectionClient for SaysNo {
    fn introspect(&self, _: IntrospectionRequest) -> FetchFuture {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(Bytes::from_static(br#"{"active": false}"#)) })
    }
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes * 1024
}

async fn garbage_tokens_take_no_more_than_the_bound() {
    const BOUND: u64 = 4 * 1024 * 1024;
    // Without the variable, twelve times as many as find room.
    let garbage: u32 = std::env::var("GARBAGE_TOKENS").map_or(200_000, |n| n.parse().unwrap());
    let issuer = SaysNo::default();
    let verifier = IntrospectionVerifier::builder(issuer.clone())
        // More than by default: what is measured is the memory.
        .max_refused_per_second(u32::MAX)
        .max_cache_bytes(BOUND)
        .build()
        .unwrap();
    let request = http::Request::new(());
    let request = TokenRequest::from(&request);
    let before = resident_bytes();
    let mut most = 0;
    for n in 0..garbage {
        let result = verifier.verify(&format!("garbage-{n:08}"), &request).await;
        assert!(matches!(result, Err(VerifyError::Revoked)));
        if n % 10_000 == 0 {
            most = most.max(verifier.cached_bytes());
        }
    }
    let grown = resident_bytes().saturating_sub(before);
    println!(
        "{garbage} garbage tokens: {} remembered, at most {most} bytes of {BOUND}; the process \
         grew by {grown} bytes",
        verifier.cached_tokens(),
    );
    assert_eq!(issuer.0.load(Ordering::Relaxed), garbage as usize);
    assert!(most <= BOUND && verifier.cached_bytes() <= BOUND);
    assert!(verifier.cached_tokens() > 1000, "something is remembered");
    assert!(grown < 2 * BOUND, "{grown}");
}

/// An issuer in memory, which says yes and much else.
#[derive(Clone, Debug)]
struct SaysMuch(Bytes);

impl IntrospectionClient for SaysMuch {
    fn introspect(&self, _: IntrospectionRequest) -> FetchFuture {
        let body = self.0.clone();
        Box::pin(async { Ok(body) })
    }
}

async fn good_tokens_with_many_claims_take_no_more_than_the_bound() {
    const BOUND: u64 = 16 * 1024 * 1024;
    let scopes: Vec<Value> = (0..200).map(|n| json!(format!("s{n}"))).collect();
    let body = json!({"active": true, "scopes": scopes}).to_string();
    let verifier = IntrospectionVerifier::builder(SaysMuch(body.into()))
        .max_cache_bytes(BOUND)
        .build()
        .unwrap();
    let request = http::Request::new(());
    let request = TokenRequest::from(&request);
    let before = resident_bytes();
    for n in 0..6_000 {
        assert!(
            verifier
                .verify(&format!("good-{n}"), &request)
                .await
                .is_ok()
        );
    }
    let grown = resident_bytes().saturating_sub(before);
    let bytes = verifier.cached_bytes();
    println!(
        "{} good tokens remembered, {bytes} bytes of {BOUND}; the process grew by {grown} bytes",
        verifier.cached_tokens(),
    );
    assert!(bytes <= BOUND);
    assert!(verifier.cached_tokens() > 100, "something is remembered");
    assert!(grown < 2 * BOUND, "{grown}");
}
