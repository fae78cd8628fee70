/// The page's call, to another URL.
pub(super) fn call(case: &crate::case::Case, url: &str) -> String {
    if case.is_websocket() {
        return format!("new WebSocket({url:?})");
    }
    if case.request.method == "GET" {
        format!("fetch({url:?})")
    } else {
        format!("fetch({url:?}, {{ method: {:?}, … }})", case.request.method)
    }
}

/// `ws` and `wss` as the schemes that they stand for.
pub(super) fn as_web(url: &url::Url) -> url::Url {
    let mut web = url.clone();
    let scheme = url.scheme().replacen("ws", "http", 1);
    // Both are special schemes, so that one may take the other's place.
    let _ = web.set_scheme(&scheme);
    web
}
