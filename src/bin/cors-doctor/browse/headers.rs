//! The headers that a browser adds.

use http::{HeaderName, HeaderValue, header};
use url::Url;

use super::hop::Hop;
use crate::{case::Case, exchange::Sent, lab::USER_AGENT, net::is_loopback_host};

/// A preflight (<https://fetch.spec.whatwg.org/#cors-preflight-fetch>).
pub(super) fn preflight(hop: &Hop, announced: &[String]) -> Sent {
    let mut headers = vec![
        (header::ACCEPT, HeaderValue::from_static("*/*")),
        (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
    ];
    push(
        &mut headers,
        header::ACCESS_CONTROL_REQUEST_METHOD,
        &hop.method,
    );
    if !announced.is_empty() {
        push(
            &mut headers,
            header::ACCESS_CONTROL_REQUEST_HEADERS,
            &announced.join(","),
        );
    }
    push(&mut headers, header::ORIGIN, &hop.origin);
    push_metadata(&mut headers, hop);
    Sent {
        method: "OPTIONS".into(),
        url: hop.url.clone(),
        headers,
        body: None,
    }
}

/// The request itself.
pub(super) fn request(case: &Case, hop: &Hop, is_cross_origin: bool) -> Sent {
    let mut headers = hop.headers.clone();
    if !headers.iter().any(|(name, _)| name == header::ACCEPT) {
        headers.push((header::ACCEPT, HeaderValue::from_static("*/*")));
    }
    if !headers.iter().any(|(name, _)| name == header::USER_AGENT) {
        headers.push((header::USER_AGENT, HeaderValue::from_static(USER_AGENT)));
    }
    if is_cross_origin || !matches!(hop.method.as_str(), "GET" | "HEAD") {
        push(&mut headers, header::ORIGIN, &hop.origin);
    }
    push_metadata(&mut headers, hop);
    // Cookies are kept for the URL's host; its ports share them.
    let is_theirs = hop.url.host() == case.url.host();
    let goes_along = case.request.credentials || !is_cross_origin;
    if let Some(cookies) = &case.request.cookies
        && is_theirs
        && goes_along
    {
        headers.push((header::COOKIE, cookies.clone()));
    }
    Sent {
        method: hop.method.clone(),
        url: hop.url.clone(),
        headers,
        body: hop.body.clone(),
    }
}

/// A WebSocket's opening handshake (RFC 6455, section 4.1). Chromium sends no `Sec-Fetch-*` with
/// it.
///
/// `as_user` adds the page's cookies and tokens. Probes must not carry them.
pub(crate) fn handshake(case: &Case, origin: &str, as_user: bool) -> Sent {
    let mut headers = vec![
        (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
        (header::CONNECTION, HeaderValue::from_static("Upgrade")),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        ),
        // Any sixteen bytes do; nothing is ever said over the connection.
        (
            header::SEC_WEBSOCKET_KEY,
            HeaderValue::from_static("Y29ycy1kb2N0b3IgYXNrcw=="),
        ),
    ];
    push(&mut headers, header::ORIGIN, origin);
    let protocols = if as_user {
        case.request.protocols.clone()
    } else {
        case.named_protocols()
    };
    headers.extend(protocols.map(|value| (header::SEC_WEBSOCKET_PROTOCOL, value)));
    if let Some(cookies) = case.request.cookies.as_ref().filter(|_| as_user) {
        headers.push((header::COOKIE, cookies.clone()));
    }
    Sent {
        method: "GET".into(),
        url: without_user(&case.url),
        headers,
        body: None,
    }
}

fn push_metadata(headers: &mut Vec<(HeaderName, HeaderValue)>, hop: &Hop) {
    // Only where nobody on the way can read or change them (Fetch Metadata, section 2).
    if hop.url.scheme() == "https" || is_loopback_host(&hop.url) {
        for (name, value) in [
            ("sec-fetch-site", hop.site.as_str()),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-dest", "empty"),
        ] {
            headers.push((
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            ));
        }
    }
}

fn push(headers: &mut Vec<(HeaderName, HeaderValue)>, name: HeaderName, value: &str) {
    // Methods, names and origins are checked where they come in.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.push((name, value));
    }
}

fn without_user(url: &Url) -> Url {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}
