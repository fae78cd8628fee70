use axum::{
    Router,
    http::{HeaderName, Method},
};
use tower_cors::{CorsLayer, CorsLayerBuilder};

use super::{connect, graphql, grpc, mcp};

/// A server of the clients, and the layer that the guide has for it.
#[derive(Clone, Copy)]
pub(super) enum Server {
    Grpc,
    Connect,
    Mcp,
    GraphQl,
    GraphQlWithCookies,
}

impl Server {
    pub(super) fn router(self, cors: CorsLayer) -> Router {
        let router = match self {
            Self::Grpc => grpc::router(),
            Self::Connect => connect::router(),
            Self::Mcp => mcp::router(),
            Self::GraphQl | Self::GraphQlWithCookies => graphql::router(),
        };
        router.layer(cors)
    }

    pub(super) fn layer(self, origin: &str) -> CorsLayer {
        self.builder(origin).build().expect("it is the guide's")
    }

    /// As in `src/guide/deploying.md` and `src/guide/browsers.md`.
    pub(super) fn builder(self, origin: &str) -> CorsLayerBuilder {
        let name = HeaderName::from_static;
        let cors = CorsLayer::builder().allow_origins([origin]);
        match self {
            Self::Grpc => cors
                .allow_methods([Method::POST])
                .allow_headers(
                    [
                        "content-type",
                        "x-grpc-web",
                        "x-user-agent",
                        "grpc-timeout",
                        "authorization",
                    ]
                    .map(name),
                )
                .expose_headers(
                    ["grpc-status", "grpc-message", "grpc-status-details-bin"].map(name),
                ),
            Self::Connect => cors
                .allow_methods([Method::GET, Method::POST])
                .allow_headers(
                    [
                        "content-type",
                        "connect-protocol-version",
                        "connect-timeout-ms",
                        "authorization",
                    ]
                    .map(name),
                ),
            Self::Mcp => cors
                .allow_methods([Method::GET, Method::POST, Method::DELETE])
                .allow_headers(
                    [
                        "content-type",
                        "mcp-session-id",
                        "mcp-protocol-version",
                        "last-event-id",
                        "authorization",
                    ]
                    .map(name),
                )
                .expose_headers(["mcp-session-id", "www-authenticate"].map(name)),
            Self::GraphQl => cors
                .allow_methods([Method::GET, Method::POST])
                .allow_headers(["content-type", "authorization"].map(name)),
            Self::GraphQlWithCookies => Self::GraphQl.builder(origin).allow_credentials(true),
        }
    }
}
