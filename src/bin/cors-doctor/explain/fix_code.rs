//! Code to paste, made for the request that failed.

use super::{
    Context,
    layer_code::{LayerCode, NEW_ORIGIN, is_listable},
};

impl Context<'_> {
    /// A layer of this crate that allows what the page asks for.
    pub(super) fn layer(&self) -> LayerCode {
        let request = &self.case.request;
        let layer = LayerCode::new(self.case.origin(), request.credentials);
        let layer = if matches!(request.method.as_str(), "GET" | "HEAD" | "POST") {
            layer
        } else {
            layer.method(&request.method)
        };
        layer.headers(&self.case.announced())
    }

    /// The layer in front of a gRPC service.
    pub(super) fn layer_for_grpc(&self) -> LayerCode {
        let names = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
        self.layer().expose(&names.map(str::to_owned))
    }

    /// The origin that a server has to allow, in words: a page of `null` has yet to get one.
    pub(super) fn page_origin(&self) -> &str {
        let origin = self.case.origin();
        if origin == "null" {
            "the page's new origin (it sends null now)"
        } else if is_listable(origin) {
            origin
        } else {
            "the page's new origin"
        }
    }

    /// The router that the layer belongs around.
    pub(super) fn around_routes(&self, layer: &LayerCode) -> String {
        format!(
            "{layer}\n\nlet app = Router::new()\n    .route({:?}, …) // all routes and the fallback \
             first\n    .layer(cors);",
            self.url().path()
        )
    }

    pub(super) fn tower_http_origins(&self) -> String {
        let origin = self.case.origin();
        let listed = if is_listable(origin) {
            origin
        } else {
            NEW_ORIGIN
        };
        format!("CorsLayer::new().allow_origin(AllowOrigin::list([\n    {listed:?}.parse()?,\n]))")
    }
}

/// The layer outside of the one that speaks gRPC-Web.
pub(super) fn around_grpc(layer: &LayerCode) -> String {
    format!(
        "{layer}\n\nServer::builder()\n    .accept_http1(true)\n    .layer(cors) // outside\n    \
         .layer(GrpcWebLayer::new()) // inside\n    .add_service(service)"
    )
}
