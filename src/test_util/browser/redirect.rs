use http::{HeaderMap, Method, StatusCode, header};

use super::{address::Address, page_request::Mode};
use crate::{origin::RequestOrigin, test_util::Failure};

/// Where an answer sends the browser: `None` where it is no redirect
/// (<https://fetch.spec.whatwg.org/#concept-response-location-url>).
pub(super) fn location(
    from: &Address,
    status: StatusCode,
    headers: &HeaderMap,
) -> Option<Result<Address, Failure>> {
    // https://fetch.spec.whatwg.org/#redirect-status
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let mut lines = headers.get_all(header::LOCATION).iter();
    let line = lines.next()?;
    let text = String::from_utf8_lossy(line.as_bytes()).into_owned();
    let invalid = || Failure::InvalidRedirect(text.clone());
    Some(match lines.next() {
        Some(_) => Err(invalid()),
        None => from.join(&text).map_err(|_| invalid()),
    })
}

/// Whether the browser goes there
/// (<https://fetch.spec.whatwg.org/#concept-http-redirect-fetch>, steps 6 to 10).
pub(super) fn check(
    to: &Address,
    redirects: usize,
    origin: &RequestOrigin,
    mode: Mode,
    is_cors: bool,
) -> Result<(), Failure> {
    const MAX_REDIRECTS: usize = 20;
    if !to.is_http() {
        return Err(Failure::InvalidRedirect(to.to_string()));
    }
    if redirects >= MAX_REDIRECTS {
        return Err(Failure::TooManyRedirects);
    }
    let crosses = mode == Mode::Cors && to.origin() != *origin;
    if to.has_credentials() && (crosses || is_cors) {
        return Err(Failure::RedirectWithCredentials);
    }
    Ok(())
}

/// Whether the request becomes a `GET` without a body (step 12).
pub(super) fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        301 | 302 => *method == Method::POST,
        303 => !matches!(*method, Method::GET | Method::HEAD),
        _ => false,
    }
}

/// Whether the origin is not told any more, but `null` in its place
/// (<https://fetch.spec.whatwg.org/#concept-request-tainted-origin>).
pub(super) fn is_tainted(origin: &RequestOrigin, urls: &[Address]) -> bool {
    urls.windows(2).any(|pair| match pair {
        [before, after] => !before.is_same_origin(after) && before.origin() != *origin,
        _ => false,
    })
}
