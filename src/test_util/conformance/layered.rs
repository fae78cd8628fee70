use std::{convert::Infallible, future::ready, sync::Arc, time::Duration};

use http::{
    HeaderValue, Method, Request, Response,
    header::{ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN},
};
use tower_layer::Layer;
use tower_service::Service;

use super::{
    origins::malformed,
    subject::Subject,
    violation::{Found, Obligation},
};
use crate::{layer::CorsLayer, policy::DeniedRequests, test_util::outcome::call};

/// A layer builds with the policy, and lets in no malformed origin.
pub(super) async fn check(subject: &Subject, found: &mut Found) {
    // The settings under which every policy builds that is safe under some.
    let layer = CorsLayer::builder()
        .origin_policy(Arc::clone(&subject.policy))
        .allow_methods([Method::PUT])
        .max_age(Duration::from_secs(5))
        .denied_requests(DeniedRequests::Refuse)
        .build();
    let layer = match layer {
        Ok(layer) => layer,
        Err(errors) => {
            found.add(Obligation::WorksInALayer, errors.to_string());
            return;
        }
    };
    // The same `*` for everybody, whatever they say of themselves.
    if subject.policy.is_any() {
        return;
    }
    let mut service = layer.layer(Echo);
    for sample in &subject.samples {
        let own = sample.question.origin.clone().into_header_value();
        for text in malformed(&String::from_utf8_lossy(own.as_bytes())) {
            let Ok(value) = HeaderValue::from_str(&text) else {
                continue;
            };
            let mut request = sample.question.request();
            request.headers_mut().insert(ORIGIN, value);
            let Ok(response) = call(&mut service, request).await;
            if response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
                let shown: String = text.chars().take(100).collect();
                let text = format!("the malformed origin {shown:?} is let in");
                found.add(Obligation::WorksInALayer, text);
            }
        }
    }
}

/// An inner service without a header of its own.
#[derive(Clone, Copy)]
struct Echo;

impl Service<Request<()>> for Echo {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}
