//! The cross-origin requests of a HAR file (<http://www.softwareishard.com/blog/har-12-spec/>).

use http::HeaderValue;
use hyper::body::Bytes;
use serde_json::Value;
use url::Url;

use super::{
    command::Planned,
    curl::{drop_disabled_cache, is_of_the_browser},
};
use crate::{
    fetch::{Browser, PageRequest},
    page::Origin,
};

/// Reads the file; the same request is taken once.
///
/// # Errors
///
/// It is no HAR, or has no request with an `Origin` other than its URL's.
pub(super) fn parse(bytes: &[u8], browser: Browser) -> Result<Vec<Planned>, String> {
    let har: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let entries = har["log"]["entries"]
        .as_array()
        .ok_or("it has no log.entries")?;
    let mut planned: Vec<Planned> = Vec::new();
    for entry in entries {
        let found = request(&entry["request"], browser);
        planned.extend(found.filter(|new| !planned.contains(new)));
    }
    if planned.is_empty() {
        return Err("it has no request with an Origin other than its URL's".into());
    }
    Ok(planned)
}

fn request(request: &Value, browser: Browser) -> Option<Planned> {
    let mut url = Url::parse(request["url"].as_str()?).ok()?;
    if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
        return None;
    }
    url.set_fragment(None);
    let lines: Vec<(String, String)> = request["headers"]
        .as_array()?
        .iter()
        .filter_map(|h| {
            Some((
                h["name"].as_str()?.to_owned(),
                h["value"].as_str()?.to_owned(),
            ))
        })
        .collect();
    let get = |name: &str| {
        lines
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    let origin = Origin::parse(get("origin")?).ok()?;
    let method = request["method"].as_str()?;
    // A preflight is the browser's own, and so is a WebSocket's handshake as to its headers.
    let is_preflight = method == "OPTIONS" && get("access-control-request-method").is_some();
    if is_preflight || origin.is_of(&url) {
        return None;
    }
    let is_websocket = matches!(url.scheme(), "ws" | "wss");
    let mut headers: Vec<_> = lines
        .iter()
        .filter(|(name, _)| {
            let lower = name.to_ascii_lowercase();
            let is_protocol = is_websocket && lower == "sec-websocket-protocol";
            let is_own = matches!(lower.as_str(), "origin" | "cookie");
            is_protocol || !is_own && !is_of_the_browser(&lower) && !is_websocket
        })
        .cloned()
        .collect();
    drop_disabled_cache(&mut headers);
    let body = request["postData"]["text"]
        .as_str()
        .filter(|text| !text.is_empty());
    let body = body.filter(|_| !matches!(method, "GET" | "HEAD"));
    let body = body.map(|text| Bytes::copy_from_slice(text.as_bytes()));
    let mut page_request = PageRequest::new(Some(method), &headers, body, browser).ok()?;
    page_request.cookies = get("cookie").and_then(|value| HeaderValue::try_from(value).ok());
    page_request.credentials = page_request.cookies.is_some();
    Some(Planned {
        url,
        origin: Some(origin),
        request: page_request,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(method: &str, url: &str, headers: Value) -> Value {
        json!({ "request": { "method": method, "url": url, "headers": headers } })
    }

    #[test]
    fn cross_origin_requests_are_taken_once() {
        let origin = json!({ "name": "Origin", "value": "https://app.example.com" });
        let asks = json!({ "name": "Access-Control-Request-Method", "value": "PUT" });
        let cookie = json!({ "name": "Cookie", "value": "a=b" });
        let api = "https://api.example.com/items#top";
        let har = json!({ "log": { "entries": [
            entry("GET", "https://app.example.com/", json!([])),
            entry("POST", "https://app.example.com/own", json!([origin])),
            entry("OPTIONS", api, json!([origin, asks])),
            entry("PUT", api, json!([origin, { "name": "X-Id", "value": "1" }])),
            entry("PUT", api, json!([origin, { "name": "X-Id", "value": "1" }])),
            entry("GET", api, json!([origin, cookie, { "name": "User-Agent", "value": "x" }])),
            entry("GET", "data:text/plain,x", json!([origin])),
        ] } });
        let planned = parse(har.to_string().as_bytes(), Browser::Chromium).unwrap();
        let found: Vec<(&str, &str, bool, usize)> = planned
            .iter()
            .map(|p| {
                let request = &p.request;
                (
                    request.method.as_str(),
                    p.url.as_str(),
                    request.credentials,
                    request.headers.len(),
                )
            })
            .collect();
        let url = "https://api.example.com/items";
        assert_eq!(found, [("PUT", url, false, 1), ("GET", url, true, 0)]);
    }

    #[test]
    fn other_files_are_refused() {
        for text in [
            "",
            "{}",
            r#"{"log":{"entries":[]}}"#,
            r#"{"log":{"entries":[{},7]}}"#,
        ] {
            assert!(parse(text.as_bytes(), Browser::Chromium).is_err(), "{text}");
        }
    }
}
