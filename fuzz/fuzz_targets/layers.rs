//! Any query string where a token may be: no panic, and a token only of allowed length.
#![no_main]

use std::{
    convert::Infallible,
    pin::pin,
    task::{Context, Waker},
};

use http::{Request, Response, Uri, header::ORIGIN};
use libfuzzer_sys::fuzz_target;
use tower::{Layer, Service, service_fn};
use tower_cors::{
    CorsLayer,
    token::{
        TokenOrigins, TokenVerifier,
        claim::OriginsClaim,
        source::TokenSource,
        verify::{TokenRequest, VerifyError, VerifyFuture},
    },
};

#[derive(Debug)]
struct Refuses;

impl TokenVerifier for Refuses {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        assert!(token.len() <= 8192);
        VerifyFuture::ready(Err(VerifyError::NotAuthentic("nothing is")))
    }
}

fuzz_target!(|query: &[u8]| {
    let uri = [b"/discover?anonymousContext=", query].concat();
    let Ok(uri) = Uri::try_from(uri) else {
        return;
    };
    let policy = TokenOrigins::builder()
        .verifier(Refuses)
        .source(
            TokenSource::query("anonymousContext")
                .up_to_layers(2)
                .prefix("psat="),
        )
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .expect("a configuration without mistakes");
    let layer = CorsLayer::builder()
        .origin_policy(policy)
        .build()
        .expect("no mistakes");
    let inner = service_fn(|_| async { Ok::<_, Infallible>(Response::new(())) });
    let mut request = Request::builder()
        .header(ORIGIN, "https://a.example")
        .body(())
        .expect("well-formed");
    *request.uri_mut() = uri;
    let mut service = layer.layer(inner);
    let _ = pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop()));
});
