//! How a gRPC client is told that its request is refused
//! ([gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses)).

use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};

use crate::policy::DenialKind;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// The media types of requests. Clients expect the same one in the answer.
const MEDIA_TYPES: [&str; 9] = [
    "application/grpc",
    "application/grpc+proto",
    "application/grpc+json",
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web+json",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
    "application/grpc-web-text+json",
];

/// A request of a gRPC client. Such a client ignores HTTP's status, so the refusal is a 200 that
/// has `grpc-status` among its headers (a "trailers-only" response).
#[derive(Debug)]
pub(crate) struct GrpcRequest {
    media_type: &'static str,
}

impl GrpcRequest {
    /// Matches `application/grpc`, followed by `+`, `-` or parameters. The answer's media type
    /// comes from the table above: text from the client is never sent back.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        const GRPC: &[u8] = b"application/grpc";
        let value = headers.get(CONTENT_TYPE)?.as_bytes();
        let (start, rest) = value.split_at_checked(GRPC.len())?;
        let is_grpc = start.eq_ignore_ascii_case(GRPC)
            && matches!(rest.first(), None | Some(b'+' | b'-' | b';' | b' '));
        let sent = value.split(|&byte| byte == b';').next()?.trim_ascii_end();
        let subtype = sent.split(|&byte| byte == b'+').next()?;
        let named = |name: &[u8]| {
            let mut known = MEDIA_TYPES.into_iter();
            known.find(|known| known.as_bytes().eq_ignore_ascii_case(name))
        };
        is_grpc.then(|| Self {
            media_type: named(sent).or(named(subtype)).unwrap_or(MEDIA_TYPES[0]),
        })
    }

    /// The headers of the refusal.
    pub(crate) fn refuse(&self, kind: DenialKind) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(GRPC_STATUS, HeaderValue::from_static(status(kind)));
        headers
    }
}

/// <https://grpc.io/docs/guides/status-codes/>
fn status(kind: DenialKind) -> &'static str {
    match kind {
        // UNAUTHENTICATED
        DenialKind::InvalidToken | DenialKind::ExpiredToken => "16",
        // UNAVAILABLE
        DenialKind::Unavailable | DenialKind::VerdictTimeout => "14",
        // PERMISSION_DENIED
        _ => "7",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_of_grpc() {
        let answered = |value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value)]);
            GrpcRequest::from_headers(&headers).map(|request| request.media_type)
        };
        let long = format!("application/grpc+{}", "a".repeat(64));
        for (value, expected) in [
            ("application/grpc", "application/grpc"),
            ("application/grpc+proto", "application/grpc+proto"),
            ("application/grpc-web+proto", "application/grpc-web+proto"),
            ("application/grpc-web-text", "application/grpc-web-text"),
            ("application/grpc; charset=utf-8", "application/grpc"),
            (
                "application/grpc-web+json ;a=\"<b>\"",
                "application/grpc-web+json",
            ),
            ("Application/gRPC+Proto", "application/grpc+proto"),
            ("application/grpc-web+thrift", "application/grpc-web"),
            ("application/grpc-other", "application/grpc"),
            (&long, "application/grpc"),
        ] {
            assert_eq!(answered(value), Some(expected), "{value}");
        }
        for value in ["application/json", "application/grpcish", "application", ""] {
            assert_eq!(answered(value), None, "{value}");
        }
        assert!(GrpcRequest::from_headers(&HeaderMap::new()).is_none());
    }

    #[test]
    fn statuses_of_grpc() {
        for (kind, expected) in [
            (DenialKind::InvalidToken, "16"),
            (DenialKind::ExpiredToken, "16"),
            (DenialKind::Unavailable, "14"),
            (DenialKind::VerdictTimeout, "14"),
            (DenialKind::OriginNotAllowed, "7"),
            (DenialKind::OpaqueOrigin, "7"),
        ] {
            assert_eq!(status(kind), expected, "{kind:?}");
        }
    }
}
