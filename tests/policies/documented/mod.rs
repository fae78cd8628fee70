//! Every policy that README, guide, rustdoc and examples show is played against the same hostile
//! origins, and lets none in that it does not name. People copy what is shown.

mod census;
mod hostile;
mod played;
mod readme;
mod security;
mod text;

use std::convert::Infallible;

use axum::body::Body;
use http::{
    HeaderValue, Request, Response,
    header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderName, ORIGIN,
    },
};
use tower::{ServiceExt, util::BoxCloneService};

use self::{
    hostile::{is_meant, resembling, sample},
    text::Shown,
};

type Service = BoxCloneService<Request<Body>, Response<Body>, Infallible>;

/// A policy as documentation shows it.
struct Documented {
    shown: Shown,
    service: Service,
    /// The entries that its text names.
    names: &'static [&'static str],
    path: &'static str,
    host: &'static str,
    headers: Vec<(HeaderName, HeaderValue)>,
    method: &'static str,
    /// Whether its text says that preflights of any origin pass.
    passes_any_preflight: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Actual,
    Preflight,
}

impl Documented {
    fn request(&self, kind: Kind, origin: &str) -> Request<Body> {
        let builder = Request::builder()
            .uri(self.path)
            .header(HOST, self.host)
            .header(ORIGIN, origin);
        let mut request = match kind {
            Kind::Actual => builder.method(self.method),
            Kind::Preflight => builder
                .method("OPTIONS")
                .header(ACCESS_CONTROL_REQUEST_METHOD, self.method),
        }
        .body(Body::empty())
        .unwrap();
        // Preflights carry no headers of the request that they announce.
        if kind == Kind::Actual {
            request.headers_mut().extend(self.headers.clone());
        }
        request
    }

    async fn lets_in(&self, kind: Kind, origin: &str) -> bool {
        let request = self.request(kind, origin);
        let response = self.service.clone().oneshot(request).await.unwrap();
        let allowed = response.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN);
        allowed.is_some_and(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes())
    }

    async fn play(&self) {
        let whose = || format!("{}: {}", self.shown.file, self.shown.code);
        for kind in [Kind::Actual, Kind::Preflight] {
            if kind == Kind::Preflight && self.passes_any_preflight {
                continue;
            }
            for name in self.names {
                let named = sample(name);
                assert!(
                    self.lets_in(kind, &named).await,
                    "{kind:?} {named:?}: {}",
                    whose()
                );
            }
            for origin in self.names.iter().copied().flat_map(resembling) {
                if !self.names.iter().any(|name| is_meant(name, &origin)) {
                    let lets_in = self.lets_in(kind, &origin).await;
                    assert!(!lets_in, "{kind:?} {origin:?}: {}", whose());
                }
            }
        }
    }
}

#[tokio::test]
async fn no_documented_policy_lets_in_an_origin_that_it_does_not_name() {
    for documented in played::all() {
        documented.play().await;
    }
}

/// The policies that documentation warns of: each lets somebody in, so the origins above are hostile
/// enough to tell.
#[tokio::test]
async fn the_comparisons_that_the_guide_warns_of_are_found_out() {
    for careless in played::warned_of() {
        let mut lets_in = false;
        for origin in careless.names.iter().copied().flat_map(resembling) {
            if !careless.names.iter().any(|name| is_meant(name, &origin)) {
                lets_in |= careless.lets_in(Kind::Actual, &origin).await;
            }
        }
        assert!(lets_in, "{}", careless.shown.code);
    }
}
