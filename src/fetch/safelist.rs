use http::Method;

/// <https://fetch.spec.whatwg.org/#cors-safelisted-method>
pub(crate) fn is_safelisted(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::POST)
}
