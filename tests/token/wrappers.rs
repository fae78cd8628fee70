//! Verifiers around others. What the inner one says of scope, proof, epoch and revocation counts: an
//! outer one that answered for it would reuse results for another host, or miss a revocation.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use http::{Request, header};
use tower_cors::{
    revocation::Revocations,
    token::{
        TokenVerifier, VerifiedToken,
        claim::Claims,
        issue::Revocable,
        verify::{
            TokenRequest, VerifyError, VerifyFuture,
            dpop::Dpop,
            issuers::{Issuer, Issuers},
        },
    },
};

use crate::support::token_request::any_request;

const ISSUER: &str = "https://id.example";

fn verified() -> VerifiedToken {
    let claims = format!(r#"{{"iss": "{ISSUER}", "jti": "1"}}"#);
    VerifiedToken::new(Claims::parse(claims.as_bytes()).unwrap())
}

/// Has an answer of its own to everything.
#[derive(Clone, Debug, Default)]
struct Inner {
    epoch: Arc<AtomicU64>,
    is_revoked: Arc<AtomicBool>,
}

impl TokenVerifier for Inner {
    fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        VerifyFuture::ready(Ok(verified()))
    }

    fn cache_scope<'a>(&self, request: &TokenRequest<'a>) -> Cow<'a, str> {
        let host = request.headers().get(header::HOST);
        let host = host.and_then(|host| host.to_str().ok());
        Cow::Borrowed(host.unwrap_or_default())
    }

    fn check_request(
        &self,
        _: &str,
        _: &VerifiedToken,
        request: &TokenRequest<'_>,
    ) -> Result<(), VerifyError> {
        if request.headers().contains_key("proof") {
            Ok(())
        } else {
            Err(VerifyError::ProofOfPossession("test"))
        }
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    fn is_revoked(&self, _: &VerifiedToken) -> bool {
        self.is_revoked.load(Ordering::SeqCst)
    }
}

/// Says nothing but that every token is good.
#[derive(Debug)]
struct Plain;

impl TokenVerifier for Plain {
    fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        VerifyFuture::ready(Ok(verified()))
    }
}

type Wrap = fn(Inner) -> Arc<dyn TokenVerifier>;

const WRAPPERS: [(&str, Wrap); 4] = [
    ("Arc", |inner| Arc::new(Arc::new(inner))),
    ("Revocable", |inner| {
        Arc::new(Revocable::new(inner, Revocations::new(10)))
    }),
    ("Dpop", |inner| {
        let builder = Dpop::builder(inner).public_url("https://api.example");
        Arc::new(builder.dangerously_accept_bearer_tokens().build().unwrap())
    }),
    ("Issuers", |inner| {
        let issuers = Issuers::builder().issuer(Issuer::new("https://other.example", Plain));
        Arc::new(issuers.issuer(Issuer::new(ISSUER, inner)).build().unwrap())
    }),
];

fn with(name: &str, value: &str) -> Request<()> {
    Request::builder().header(name, value).body(()).unwrap()
}

#[test]
fn results_are_kept_apart_as_the_inner_verifier_says() {
    for (name, wrap) in WRAPPERS {
        let verifier = wrap(Inner::default());
        let scope = |host: &str| {
            let request = with("host", host);
            verifier
                .cache_scope(&TokenRequest::from(&request))
                .into_owned()
        };
        assert_ne!(scope("a.example"), scope("b.example"), "{name}");
        assert_ne!(scope("a.example"), scope(""), "{name}");
        assert_eq!(scope("a.example"), scope("a.example"), "{name}");
        assert_eq!(scope(""), "", "{name}");
    }
}

#[test]
fn a_request_is_checked_by_the_inner_verifier() {
    for (name, wrap) in WRAPPERS {
        let verifier = wrap(Inner::default());
        let proven = with("proof", "of possession");
        let check = |request: &TokenRequest<'_>| verifier.check_request("t", &verified(), request);
        assert!(check(&TokenRequest::from(&proven)).is_ok(), "{name}");
        assert!(check(&any_request()).is_err(), "{name}");
    }
}

#[test]
fn results_are_given_up_when_the_inner_verifier_gives_them_up() {
    for (name, wrap) in WRAPPERS {
        let inner = Inner::default();
        let verifier = wrap(inner.clone());
        let mut seen = vec![verifier.epoch()];
        for epoch in [1, 2, u64::MAX] {
            inner.epoch.store(epoch, Ordering::SeqCst);
            assert!(!seen.contains(&verifier.epoch()), "{name}, {epoch}");
            seen.push(verifier.epoch());
        }
        assert!(!verifier.is_revoked(&verified()), "{name}");
        inner.is_revoked.store(true, Ordering::SeqCst);
        assert!(verifier.is_revoked(&verified()), "{name}");
    }
}

#[test]
fn a_plain_verifier_has_one_scope_and_revokes_nothing() {
    assert_eq!(Plain.cache_scope(&any_request()), "");
    assert_eq!(Plain.epoch(), 0);
    assert!(!Plain.is_revoked(&verified()));
    assert!(
        Plain
            .check_request("t", &verified(), &any_request())
            .is_ok()
    );
}
