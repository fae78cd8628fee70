use http::{HeaderMap, HeaderName, HeaderValue};

use super::{address::Address, page::Page, page_request::Mode, site::Site};

/// Adds the headers of [Fetch Metadata](https://www.w3.org/TR/fetch-metadata/), which a browser
/// sends to servers whose answers nobody on the network can write.
pub(super) fn insert(headers: &mut HeaderMap, page: &Page, urls: &[Address], mode: Mode) {
    if !urls.last().is_some_and(Address::is_trustworthy) {
        return;
    }
    let (mode, dest) = match mode {
        Mode::Cors => ("cors", "empty"),
        Mode::NoCors => ("no-cors", "empty"),
        Mode::Navigate => ("navigate", "document"),
    };
    for (name, value) in [
        ("sec-fetch-site", site(page, urls)),
        ("sec-fetch-mode", mode),
        ("sec-fetch-dest", dest),
    ] {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>: the farthest of all URLs.
fn site(page: &Page, urls: &[Address]) -> &'static str {
    let Some(own) = page.address() else {
        return "cross-site";
    };
    if urls.iter().all(|url| url.is_same_origin(own)) {
        "same-origin"
    } else if urls.iter().all(|url| Site::of(url) == Site::of(own)) {
        "same-site"
    } else {
        "cross-site"
    }
}
