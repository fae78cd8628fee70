//! The protocols that clients in pages speak. Each needs other methods and headers, so each has a
//! layer of its own.

pub(crate) mod connect;
pub(crate) mod graphql;
pub(crate) mod grpc;
pub(crate) mod mcp;

use axum::Router;
use tower_cors::ConfigErrors;

/// All of them on one port, for the pages of these origins.
pub(crate) fn router(origins: &[String]) -> Result<Router, ConfigErrors> {
    Ok(Router::new()
        .merge(grpc::router().layer(grpc::cors(origins).build()?))
        // The paths of its calls are those of gRPC.
        .nest(
            "/connect",
            connect::router().layer(connect::cors(origins).build()?),
        )
        .merge(mcp::router().layer(mcp::cors(origins).build()?))
        .merge(graphql::router().layer(graphql::cors(origins).build()?)))
}
