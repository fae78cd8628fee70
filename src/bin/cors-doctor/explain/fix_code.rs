//! Code to paste, made for the request that failed.

use super::Context;

impl Context<'_> {
    /// A layer of this crate that allows what the page asks for.
    pub(super) fn layer(&self) -> String {
        self.layer_with(&[self.case.origin()])
    }

    pub(super) fn layer_with(&self, origins: &[&str]) -> String {
        let mut code = format!(
            "let cors = CorsLayer::builder()\n    .allow_origins([{}])\n",
            quoted(origins.iter().copied())
        );
        let request = &self.case.request;
        if request.credentials {
            code.push_str("    .allow_credentials(true)\n");
        }
        let is_insecure = origins.iter().any(|o| o.starts_with("http://")) && request.credentials;
        if is_insecure && !self.is_local_page() {
            code.push_str("    // better: serve the page by https\n");
            code.push_str("    .dangerously_allow_insecure_origins()\n");
        }
        if !matches!(request.method.as_str(), "GET" | "HEAD" | "POST") {
            code.push_str(&format!("    .allow_methods([{:?}])\n", request.method));
        }
        let announced = self.case.announced();
        if !announced.is_empty() {
            let names = quoted(announced.iter().map(String::as_str));
            code.push_str(&format!("    .allow_headers([{names}])\n"));
        }
        code.push_str("    .build()?;");
        code
    }

    /// The layer, and where it belongs.
    pub(super) fn layer_around(&self) -> String {
        format!(
            "{}\n\nlet app = Router::new()\n    .route(\"{}\", …) // all routes and the fallback \
             first\n    .layer(cors);",
            self.layer(),
            self.case.url.path()
        )
    }

    /// The layer in front of a gRPC service.
    pub(super) fn layer_around_grpc(&self) -> String {
        let expose = "    .expose_headers([\"grpc-status\", \"grpc-message\", \
                      \"grpc-status-details-bin\"])\n    .build()?;";
        let layer = self.layer().replace("    .build()?;", expose);
        format!(
            "{layer}\n\nServer::builder()\n    .accept_http1(true)\n    .layer(cors) // outside\n    \
             .layer(GrpcWebLayer::new()) // inside\n    .add_service(service)"
        )
    }

    pub(super) fn setting(&self, call: &str) -> String {
        format!(
            "CorsLayer::builder()\n    .allow_origins([{:?}])\n    {call}\n    .build()?",
            self.case.origin()
        )
    }

    pub(super) fn tower_http_origins(&self) -> String {
        format!(
            "CorsLayer::new().allow_origin(AllowOrigin::list([\n    {:?}.parse()?,\n]))",
            self.case.origin()
        )
    }

    fn is_local_page(&self) -> bool {
        self.case
            .page
            .origin
            .url()
            .is_some_and(crate::net::is_loopback_host)
    }
}

pub(super) fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts
        .map(|text| format!("{text:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}
