//! Where an error usually comes from.

/// The usual source of an answer that no CORS layer has seen.
pub(super) fn source(status: u16, is_preflight: bool, is_grpc: bool) -> &'static str {
    match status {
        400 if is_grpc => "GrpcWebLayer outside the CORS layer takes a preflight for a bad request",
        400 => "a check of the request, of a header that a preflight does not have",
        401 | 407 => "an authentication",
        403 if is_preflight => "a proxy, a firewall, or a check of the origin",
        403 => "a CSRF protection, an authorization or a firewall",
        405 => "a router that has no such method",
        408 | 504 => "a timeout (TimeoutLayer, or a proxy's)",
        413 => "a body limit (RequestBodyLimitLayer, or a proxy's)",
        415 => "a check of the content type, which a preflight does not have",
        429 => "a rate limit",
        500 => "a panic (CatchPanicLayer), or a middleware that sets the headers on success only",
        503 => "load shedding, or maintenance",
        _ => "a layer or a proxy outside the CORS layer",
    }
}
