//! Verifiers see the request that a token came with.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{StatusCode, header};
use tower_cors::token::{
    TokenOrigins, TokenVerifier, VerifiedToken,
    claim::{Claims, OriginsClaim},
    source::TokenSource,
    verify::{TokenRequest, VerifyError, VerifyFuture},
};

use crate::support::tokens::*;

fn lists_contoso(more: &str) -> VerifiedToken {
    let claims = format!(r#"{{"origins": ["{CONTOSO}"]{more}}}"#);
    VerifiedToken::new(Claims::parse(claims.as_bytes()).unwrap())
}

fn policy(verifier: impl TokenVerifier) -> TokenOrigins {
    TokenOrigins::builder()
        .verifier(verifier)
        .source(TokenSource::bearer())
        .source(TokenSource::query("token"))
        .claim(OriginsClaim::array("origins"))
        .build()
        .unwrap()
}

fn host<'a>(request: &TokenRequest<'a>) -> &'a str {
    let host = request.headers().get(header::HOST);
    host.and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// Each host has one token of its own, which is the host's name.
#[derive(Debug)]
struct PerHost;

impl TokenVerifier for PerHost {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        VerifyFuture::ready(if token == host(request) {
            Ok(lists_contoso(""))
        } else {
            Err(VerifyError::NotAuthentic("not a token of this host"))
        })
    }

    fn cache_scope<'a>(&self, request: &TokenRequest<'a>) -> Cow<'a, str> {
        Cow::Borrowed(host(request))
    }
}

#[tokio::test]
async fn a_result_for_one_host_is_not_reused_for_another() {
    let service = service(policy(PerHost));
    let ask = |host, token| {
        let mut request = bearer(CONTOSO, token);
        let headers = request.headers_mut().unwrap();
        headers.insert(header::HOST, http::HeaderValue::from_static(host));
        service.send(request)
    };
    // Each way round: the good result is remembered first, then the refusal.
    for _ in 0..2 {
        assert_eq!(ask("a.example", "a.example").await.status, StatusCode::OK);
        let refused = ask("b.example", "a.example").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert_eq!(ask("b.example", "b.example").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_bound_token_is_refused_where_nobody_checks_the_proof() {
    let bound =
        || lists_contoso(r#", "cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#);
    let verifier = Scripted::new(move |_| Ok(bound()));
    for service in [
        service(policy(verifier.clone())),
        service(policy(Slow(verifier.clone()))),
    ] {
        for request in [
            bearer(CONTOSO, "t"),
            bearer(CONTOSO, "t"),
            get("/?token=t", CONTOSO),
            preflight("/?token=t", CONTOSO),
        ] {
            let outcome = service.send(request).await;
            assert!(outcome.status.is_client_error(), "{}", outcome.status);
            assert_eq!(outcome.inner_calls, 0);
            assert!(outcome.allowed_origin().is_none());
            let denial = outcome.denial.unwrap().to_string();
            assert!(denial.contains("cnf"), "{denial}");
            assert!(denial.contains("wrap the verifier in Dpop"), "{denial}");
        }
    }
    let parts = bearer(CONTOSO, "t").body(()).unwrap().into_parts().0;
    let error = policy(Slow(verifier))
        .authenticate(&parts)
        .await
        .unwrap_err();
    assert!(
        matches!(error, VerifyError::ProofOfPossession(_)),
        "{error}"
    );
}

/// Every token is good, for requests with the right `Proof`.
#[derive(Clone, Debug, Default)]
struct Proven {
    verified: Arc<AtomicUsize>,
    checked: Arc<AtomicUsize>,
}

impl TokenVerifier for Proven {
    fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        self.verified.fetch_add(1, Ordering::SeqCst);
        VerifyFuture::ready(Ok(lists_contoso(r#", "cnf": {}"#)))
    }

    fn check_request(
        &self,
        token: &str,
        verified: &VerifiedToken,
        request: &TokenRequest<'_>,
    ) -> Result<(), VerifyError> {
        self.checked.fetch_add(1, Ordering::SeqCst);
        assert!(verified.is_bound());
        let proof = request.headers().get("proof");
        if proof.is_some_and(|proof| proof.as_bytes() == format!("of {token}").as_bytes()) {
            Ok(())
        } else {
            Err(VerifyError::ProofOfPossession("test"))
        }
    }
}

#[tokio::test]
async fn every_request_with_a_remembered_token_is_checked_once() {
    let verifier = Proven::default();
    let at_once = service(policy(verifier.clone()));
    let waiting = service(policy(Slow(verifier.clone())));
    for (service, n) in [(at_once, 1), (waiting, 2)] {
        for (proof, status) in [
            ("of t", StatusCode::OK),
            ("of another", StatusCode::UNAUTHORIZED),
            ("of t", StatusCode::OK),
        ] {
            let before = verifier.checked.load(Ordering::SeqCst);
            let outcome = service
                .send(bearer(CONTOSO, "t").header("proof", proof))
                .await;
            assert_eq!(outcome.status, status, "{proof}");
            assert_eq!(verifier.checked.load(Ordering::SeqCst), before + 1);
        }
        assert_eq!(verifier.verified.load(Ordering::SeqCst), n, "remembered");
    }
    for tokens in [policy(verifier.clone()), policy(verifier)] {
        let parts = |proof| {
            let request = bearer(CONTOSO, "t").header("proof", proof);
            request.body(()).unwrap().into_parts().0
        };
        assert!(tokens.authenticate(&parts("of t")).await.unwrap().is_some());
        assert!(tokens.authenticate(&parts("")).await.is_err());
    }
}
