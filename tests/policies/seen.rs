//! What a policy sees of a request, and what a copy of the request has kept.

use std::convert::Infallible;

use http::{Method, Request, Response, Version, header::ACCESS_CONTROL_ALLOW_ORIGIN};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{CorsLayer, CorsRequest, Verdict, policy_fn};

/// An extension that an outer layer has added.
#[derive(Clone, Debug, PartialEq)]
struct Tenant(u32);

fn is_as_sent(request: &CorsRequest<'_>) -> bool {
    let origin = request.origin().tuple().map(|origin| origin.as_str());
    let tenant = request.extensions().get::<Tenant>();
    let announced = request.preflight().map(|preflight| preflight.method());
    (origin, tenant) == (Some("https://app.example"), Some(&Tenant(7)))
        && request.version() == Version::HTTP_2
        && request.uri() == "/list?page=2"
        && request.headers()["x-a"] == "1"
        && match *request.method() {
            Method::OPTIONS => {
                request.effective_method() == Method::PUT && announced == Some(&Method::PUT)
            }
            Method::PATCH => request.effective_method() == Method::PATCH && announced.is_none(),
            _ => false,
        }
}

#[tokio::test]
async fn a_policy_and_a_copy_see_the_request_as_it_was_sent() {
    let policy = policy_fn(|request| {
        let copy = request.to_owned_request();
        let origin = copy.origin().tuple().map(|origin| origin.as_str());
        Verdict::from(
            is_as_sent(request)
                && copy.with(is_as_sent)
                && copy.uri() == "/list?page=2"
                && copy.headers()["x-a"] == "1"
                && origin == Some("https://app.example")
                && format!("{copy:?}").starts_with("OwnedRequest { method: "),
        )
    });
    let cors = CorsLayer::builder()
        .origin_policy(policy)
        .allow_methods([Method::PUT, Method::PATCH])
        .build()
        .unwrap();
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(())));
    let service = cors.layer(inner);
    for (method, value, expected) in [
        (Method::OPTIONS, "1", true),
        (Method::PATCH, "1", true),
        (Method::PATCH, "2", false),
        (Method::PUT, "1", false),
    ] {
        let mut request = Request::builder()
            .method(method.clone())
            .version(Version::HTTP_2)
            .uri("/list?page=2")
            .header("origin", "https://app.example")
            .header("x-a", value)
            .extension(Tenant(7));
        if method == Method::OPTIONS {
            request = request.header("access-control-request-method", "PUT");
        }
        let request = request.body(()).unwrap();
        let Ok(response) = service.clone().oneshot(request).await;
        let is_allowed = response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN);
        assert_eq!(is_allowed, expected, "{method} {value}");
    }
}
