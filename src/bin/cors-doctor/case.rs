//! [`Case`]: one URL and all that is known about the page that asks for it.

use http::HeaderValue;
use url::Url;

use crate::{
    fetch::{Browser, PageRequest},
    page::Page,
    secrets::{is_secret, is_subprotocol},
};

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) url: Url,
    pub(crate) page: Page,
    pub(crate) request: PageRequest,
    /// Response headers that the page's script reads, in lower case.
    pub(crate) reads: Vec<String>,
    /// Whether the request may be sent whatever its method is.
    pub(crate) send: bool,
    pub(crate) browser: Browser,
    pub(crate) upstream: Option<Url>,
    pub(crate) insecure: bool,
}

impl Case {
    pub(crate) fn is_websocket(&self) -> bool {
        matches!(self.url.scheme(), "ws" | "wss")
    }

    /// The page's origin as the `Origin` header says it.
    pub(crate) fn origin(&self) -> &str {
        self.page.origin.as_str()
    }

    /// Whether the page is of the URL's own origin, so that CORS has no part in it.
    pub(crate) fn is_same_origin(&self) -> bool {
        self.page.origin.is_of(&self.url)
    }

    /// The names that a preflight announces.
    pub(crate) fn announced(&self) -> Vec<String> {
        self.request.unsafe_names(self.browser)
    }

    /// The WebSocket subprotocols with well-known names. Other elements may be tokens.
    pub(crate) fn named_protocols(&self) -> Option<HeaderValue> {
        let sent = self.request.protocols.as_ref()?.to_str().ok()?;
        let named: Vec<&str> = sent
            .split(',')
            .map(str::trim)
            .filter(|element| is_subprotocol(element))
            .collect();
        // All parts come from a valid header value, so joining them cannot fail.
        let value = HeaderValue::try_from(named.join(", ")).ok();
        value.filter(|value| !value.is_empty())
    }

    /// Whether what the page sends may tell the server who its user is.
    pub(crate) fn has_secrets(&self) -> bool {
        self.request.cookies.is_some()
            || self
                .request
                .headers
                .iter()
                .any(|(name, _)| is_secret(name.as_str()))
    }
}
