//! Who caused a request, as the browser says.

use http::{HeaderMap, HeaderName, Method};

use crate::{
    fetch::Line,
    request::{Head, is_same_origin},
};

pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
pub(super) const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
pub(super) const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Who caused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The service's own page, or the user.
    Own,
    /// The user, who has followed a link of another page.
    Link,
    /// A page of the same site: another subdomain.
    SameSite,
    /// A page of another site, or nobody knows.
    Other,
}

impl Cause {
    /// Without `Sec-Fetch-Site` and without `Origin`, it is not a request that a page of another
    /// site can make a browser send, other than a link or a part of that page.
    pub(super) fn of(head: &Head<'_>, has_origin: bool) -> Self {
        let has_site = head.headers.contains_key(SEC_FETCH_SITE);
        if is_same_origin(head) || !has_site && !has_origin {
            Self::Own
        } else if has_site && is_link(head) {
            Self::Link
        } else if single(head.headers, &SEC_FETCH_SITE) == Some(b"same-site") {
            Self::SameSite
        } else {
            Self::Other
        }
    }
}

/// A safe request that fills a whole tab. Frames and other elements have other destinations
/// (<https://fetch.spec.whatwg.org/#concept-request-destination>).
fn is_link(head: &Head<'_>) -> bool {
    matches!(*head.method, Method::GET | Method::HEAD)
        && single(head.headers, &SEC_FETCH_MODE) == Some(b"navigate")
        && single(head.headers, &SEC_FETCH_DEST) == Some(b"document")
}

/// The value of a header that is there once.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    match Line::find(headers, name)? {
        Line::One(value) => Some(value.as_bytes()),
        Line::Several => None,
    }
}
