//! `Sec-Fetch-Site`: how the page and the URL are related.

use url::{Host, Url};

use crate::page::{Origin, registrable_domain};

/// From the closest to the most distant, as redirects only ever lead further away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Site {
    Own,
    Same,
    Cross,
}

impl Site {
    pub(crate) fn of(origin: &Origin, url: &Url) -> Self {
        if origin.is_of(url) {
            Self::Own
        } else if is_same_site(origin, url) {
            Self::Same
        } else {
            Self::Cross
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Own => "same-origin",
            Self::Same => "same-site",
            Self::Cross => "cross-site",
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
                Site::Own,
            ),
            (
                "https://app.example.com",
                "wss://app.example.com/x",
                Site::Same,
            ),
            (
                "https://app.example.com",
                "https://api.example.com",
                Site::Same,
            ),
            (
                "https://app.example.com",
                "http://api.example.com",
                Site::Cross,
            ),
            ("https://a.github.io", "https://b.github.io", Site::Cross),
            ("http://localhost:3000", "http://localhost:8080", Site::Same),
            (
                "https://app.example.com",
                "http://127.0.0.1:8080",
                Site::Cross,
            ),
            ("null", "http://127.0.0.1:8080", Site::Cross),
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
