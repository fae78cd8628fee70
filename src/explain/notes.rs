//! What is right here and may still go wrong elsewhere.

use http::header::{CONTENT_TYPE, ORIGIN};

use crate::{lists::ExposeHeaders, protocol::Rules, request::Head};

/// What to look at beside the decision. `is_allowed` says that a browser lets the page read.
pub(super) fn notes(head: &Head<'_>, rules: &Rules, is_allowed: bool) -> Vec<&'static str> {
    let mut notes = Vec::new();
    let content_type = head.headers.get(CONTENT_TYPE);
    let content_type = content_type.map_or(b"" as &[u8], |value| value.as_bytes());
    let is_from_page = head.headers.contains_key(ORIGIN);
    if content_type.starts_with(b"application/grpc-web") {
        if is_from_page && !exposes_grpc_status(&rules.expose) {
            notes.push(
                "pages read the status of a gRPC-Web call that fails at once from headers: call \
                 expose_headers([\"grpc-status\", \"grpc-message\"])",
            );
        }
    } else if is_from_page && content_type.starts_with(b"application/grpc") {
        // https://docs.rs/tonic-web: it translates before the inner service sees the request.
        notes.push(
            "no page sends application/grpc: GrpcWebLayer stands outside this layer and has \
             translated the request, so its own answers have no CORS headers: add the CORS layer \
             outside of it",
        );
    }
    if is_allowed {
        notes.push(
            "if the browser still misses a header, something between it and this layer removes or \
             replaces it: look at proxies, caches and outer layers",
        );
    }
    notes
}

fn exposes_grpc_status(expose: &ExposeHeaders) -> bool {
    let value = expose.value(false);
    let value = value.as_ref().and_then(|value| value.to_str().ok());
    let names = value.into_iter().flat_map(|value| value.split(','));
    names
        .map(str::trim)
        .any(|name| name == "*" || name == "grpc-status")
}
