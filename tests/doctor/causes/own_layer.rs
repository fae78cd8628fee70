//! Servers of this crate.

use axum::{Router, routing::get as route};
use tower_cors::{
    Any, CorsLayer, CorsLayerBuilder, CorsRequest, Denial, DenialKind, DeniedRequests, Grant,
    OriginPolicy, VerdictFuture, policy::PolicyProperties, preflight::Optimistic,
};

use crate::support::table::{from, get, play, put};

fn served(cors: CorsLayerBuilder) -> Router {
    Router::new()
        .route("/items", route(async || "[]").put(async || "{}"))
        .layer(cors.build().unwrap())
}

fn listed(origins: &[&'static str]) -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(origins.to_vec())
        .allow_methods(["PUT"])
        .allow_headers(["content-type", "authorization"])
}

/// A token that says which page may use it, and that no preflight carries.
#[derive(Debug)]
struct Token;

impl OriginPolicy for Token {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let is_good = request
            .headers()
            .get("authorization")
            .is_some_and(|value| value == "Bearer of-the-app");
        VerdictFuture::ready(if is_good {
            tower_cors::Verdict::from(Grant::new())
        } else {
            Denial::new(DenialKind::OriginNotAllowed).into()
        })
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new().reads([http::header::AUTHORIZATION])
    }
}

#[tokio::test]
async fn lists() {
    const PAGE: &str = "https://app.example.com";
    play(vec![
        get("listed", served(listed(&[PAGE]))).verdict("readable"),
        put("listed, with a preflight", served(listed(&[PAGE]))).verdict("readable"),
        get("a pattern", served(listed(&["https://*.example.com"]))).verdict("readable"),
        get("anybody", served(CorsLayer::builder().allow_origins(Any))).verdict("readable"),
        get(
            "with credentials",
            served(listed(&[PAGE]).allow_credentials(true)),
        )
        .args(&["--credentials"])
        .verdict("readable"),
        put("another", served(listed(&["https://admin.example.com"]))).ours(
            "origin-not-listed",
            &["https://app.example.com", "allow_origins"],
        ),
        put(
            "another scheme",
            served(listed(&["http://app.example.com"])),
        )
        .ours("origin-scheme", &["https://app.example.com"]),
        get(
            "refused",
            served(
                listed(&["https://www.app.example.com"]).denied_requests(DeniedRequests::Refuse),
            ),
        )
        .ours("origin-www", &["https://app.example.com"]),
        from(
            "a pattern without its base",
            "https://example.com",
            served(listed(&["https://*.example.com"])),
        )
        .ours("origin-subdomain", &["https://example.com"]),
        get("a method", served(listed(&[PAGE])))
            .args(&["-X", "DELETE"])
            .verdict("preflight-failed")
            .ours("method-not-allowed", &["DELETE"]),
        from("a frame", "null", served(listed(&[PAGE]))).cause("origin-null", &["null", "sandbox"]),
    ])
    .await;
}

#[tokio::test]
async fn tokens() {
    let with_token = |name, router, token| get(name, router).args(&["-H", token]);
    let optimistic = || {
        served(
            CorsLayer::builder()
                .origin_policy(Token.with_preflight(Optimistic::new()))
                .denied_requests(DeniedRequests::Refuse)
                .allow_methods(["PUT"])
                .allow_headers(["authorization"]),
        )
    };
    let alone = || {
        served(
            CorsLayer::builder()
                .origin_policy(Token)
                .allow_headers(["authorization"]),
        )
    };
    play(vec![
        with_token("accepted", optimistic(), "Authorization: Bearer of-the-app")
            .verdict("readable"),
        with_token(
            "another page's",
            optimistic(),
            "Authorization: Bearer of-the-shop",
        )
        .ours("token-refused", &["token", "https://app.example.com"]),
        with_token(
            "nobody answers preflights",
            alone(),
            "Authorization: Bearer of-the-app",
        )
        .verdict("preflight-failed")
        .ours("token-refused", &["token", "with_preflight"]),
    ])
    .await;
}
