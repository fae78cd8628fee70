//! `Sec-Fetch-Site`: how the page and the URL are related.

use url::{Host, Url};

use crate::page::{Origin, registrable_domain};

/// From the closest to the most distant, as redirects only ever lead further away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Site {
    SameOrigin,
    SameSite,
    CrossSite,
}

impl Site {
    pub(crate) fn of(origin: &Origin, url: &Url) -> Self {
        if origin.is_of(url) {
            Self::SameOrigin
        } else if is_same_site(origin, url) {
            Self::SameSite
        } else {
            Self::CrossSite
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SameOrigin => "same-origin",
            Self::SameSite => "same-site",
            Self::CrossSite => "cross-site",
        }
    }
}

/// <https://html.spec.whatwg.org/multipage/browsers.html#same-site>; `ws` counts as `http`.
pub(crate) fn is_same_site(origin: &Origin, url: &Url) -> bool {
    let Some(page) = origin.url() else {
        return false;
    };
    let is_secure = |url: &Url| matches!(url.scheme(), "https" | "wss");
    if is_secure(page) != is_secure(url) {
        return false;
    }
    match (registrable(page), registrable(url)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => page.host() == url.host(),
        _ => false,
    }
}

/// The registrable domain of the URL's host; addresses and single labels have none.
pub(crate) fn registrable(url: &Url) -> Option<&str> {
    match url.host()? {
        Host::Domain(name) => registrable_domain(name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites() {
        for (origin, url, expected) in [
            (
                "https://app.example.com",
                "https://app.example.com/x",
                Site::SameOrigin,
            ),
            (
                "https://app.example.com",
                "wss://app.example.com/x",
                Site::SameSite,
            ),
            (
                "https://app.example.com",
                "https://api.example.com",
                Site::SameSite,
            ),
            (
                "https://app.example.com",
                "http://api.example.com",
                Site::CrossSite,
            ),
            (
                "https://a.github.io",
                "https://b.github.io",
                Site::CrossSite,
            ),
            (
                "http://localhost:3000",
                "http://localhost:8080",
                Site::SameSite,
            ),
            (
                "https://app.example.com",
                "http://127.0.0.1:8080",
                Site::CrossSite,
            ),
            ("null", "http://127.0.0.1:8080", Site::CrossSite),
        ] {
            let origin = Origin::parse(origin).unwrap();
            assert_eq!(
                Site::of(&origin, &Url::parse(url).unwrap()),
                expected,
                "{url}"
            );
        }
    }
}
