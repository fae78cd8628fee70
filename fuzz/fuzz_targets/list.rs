//! Lists in claims of any bytes: what is granted is an origin that the list spells out.
#![no_main]

use std::{
    convert::Infallible,
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{
    Request, Response,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, ORIGIN},
};
use libfuzzer_sys::fuzz_target;
use tower::{Layer, Service, service_fn};
use tower_cors::{
    CorsLayer,
    token::{
        TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{Claims, OriginsClaim},
        source::TokenSource,
        verify::{TokenRequest, VerifyFuture},
    },
};

/// Says of every token that it has these claims.
#[derive(Debug)]
struct Says(Claims);

impl TokenVerifier for Says {
    fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        VerifyFuture::ready(Ok(VerifiedToken::new(self.0.clone())))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(claims) = Claims::parse(bytes) else {
        return;
    };
    for claim in [
        OriginsClaim::delimited("ao", ';'),
        OriginsClaim::array("ao"),
    ] {
        let policy = TokenOrigins::builder()
            .verifier(Says(claims.clone()))
            .source(TokenSource::bearer())
            .claim(claim)
            .build()
            .expect("a configuration without mistakes");
        let layer = CorsLayer::builder()
            .origin_policy(policy)
            .build()
            .expect("no mistakes");
        let inner = service_fn(|_| async { Ok::<_, Infallible>(Response::new(())) });
        let request = Request::builder()
            .header(ORIGIN, "https://a.example")
            .header(AUTHORIZATION, "Bearer x")
            .body(())
            .expect("a well-formed request");
        let mut service = layer.layer(inner);
        let Poll::Ready(Ok(response)) =
            pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("the verifier is ready, and so is the inner service");
        };
        if response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
            // Escapes in the JSON may spell it too, and so may letters that IDNA folds: `ａ`.
            let is_plain = text.is_ascii() && !text.contains('\\');
            assert!(text.contains("a.example") || !is_plain, "{text}");
        }
    }
});
