use std::fmt;

use http::{Extensions, HeaderMap, Method, Request, Uri, request::Parts};

/// The request that a token came with, without its body.
///
/// A [`TokenVerifier`](super::TokenVerifier) needs it where the token alone does not decide: for
/// tokens that are bound to a key of their sender, or where each host has an issuer of its own.
///
/// In a preflight the method is `OPTIONS`, and there are neither credentials nor proofs.
///
/// ```
/// use http::{Request, header};
/// use tower_cors::token::verify::TokenRequest;
///
/// let request = Request::get("/orders").header(header::HOST, "a.example").body(())?;
/// let view = TokenRequest::from(&request);
/// assert_eq!(view.uri().path(), "/orders");
/// assert_eq!(view.headers()[header::HOST], "a.example");
///
/// // A future must own what it needs.
/// let owned = view.to_owned_request();
/// drop(request);
/// assert_eq!(owned.view().method(), "GET");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct TokenRequest<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &'a Extensions,
}

impl<'a> TokenRequest<'a> {
    /// A view of these parts.
    pub fn new(
        method: &'a Method,
        uri: &'a Uri,
        headers: &'a HeaderMap,
        extensions: &'a Extensions,
    ) -> Self {
        Self {
            method,
            uri,
            headers,
            extensions,
        }
    }

    /// The method: `OPTIONS` in a preflight.
    pub fn method(&self) -> &'a Method {
        self.method
    }

    /// The target. It has scheme and authority in HTTP/2, and usually neither in HTTP/1.1.
    pub fn uri(&self) -> &'a Uri {
        self.uri
    }

    /// The headers.
    pub fn headers(&self) -> &'a HeaderMap {
        self.headers
    }

    /// What outer layers and the server have left, such as a client certificate.
    pub fn extensions(&self) -> &'a Extensions {
        self.extensions
    }

    /// A copy that a future can keep.
    pub fn to_owned_request(&self) -> OwnedTokenRequest {
        OwnedTokenRequest {
            method: self.method.clone(),
            uri: self.uri.clone(),
            headers: self.headers.clone(),
            extensions: self.extensions.clone(),
        }
    }
}

impl<'a, B> From<&'a Request<B>> for TokenRequest<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

impl<'a> From<&'a Parts> for TokenRequest<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            uri: &parts.uri,
            headers: &parts.headers,
            extensions: &parts.extensions,
        }
    }
}

/// URL, headers and extensions may hold tokens: they are not printed.
impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("method", self.method)
            .finish_non_exhaustive()
    }
}

/// What a future keeps of a [`TokenRequest`].
#[derive(Clone)]
pub struct OwnedTokenRequest {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    extensions: Extensions,
}

impl OwnedTokenRequest {
    /// The request as it was.
    pub fn view(&self) -> TokenRequest<'_> {
        TokenRequest::new(&self.method, &self.uri, &self.headers, &self.extensions)
    }
}

impl fmt::Debug for OwnedTokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request<()> {
        Request::post("/?access_token=secret")
            .header(http::header::AUTHORIZATION, "Bearer secret")
            .extension("a client certificate")
            .body(())
            .unwrap()
    }

    #[test]
    fn a_view_shows_what_is_there() {
        let request = request();
        let owned = TokenRequest::from(&request).to_owned_request();
        let (parts, ()) = request.clone().into_parts();
        for view in [
            TokenRequest::from(&request),
            TokenRequest::from(&parts),
            owned.view(),
        ] {
            assert_eq!(view.method(), Method::POST);
            assert_eq!(view.uri(), request.uri());
            assert_eq!(view.headers(), request.headers());
            let certificate = view.extensions().get::<&str>();
            assert_eq!(certificate, Some(&"a client certificate"));
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let request = request();
        let view = TokenRequest::from(&request);
        let expected = "TokenRequest { method: POST, .. }";
        assert_eq!(format!("{view:?}"), expected);
        assert_eq!(format!("{:?}", view.to_owned_request()), expected);
    }
}
