use super::address::Address;
use crate::origin::PublicSuffix;

/// A [site](https://html.spec.whatwg.org/multipage/browsers.html#sites): the scheme, and the name that
/// somebody has registered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Site {
    scheme: String,
    name: String,
}

impl Site {
    /// The layer looks into the list of public suffixes only when it is built, so nothing that is
    /// judged here was decided with it.
    pub(super) fn of(address: &Address) -> Self {
        let host = address.host();
        let registrable = PublicSuffix::of(host).registrable_domain();
        Self {
            scheme: address.scheme().to_owned(),
            name: registrable.unwrap_or(host).to_owned(),
        }
    }

    /// The site as a part of a key.
    pub(super) fn serialise(&self) -> String {
        format!("{}://{}", self.scheme, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_of_one_site() {
        let site = |url| Site::of(&Address::parse(url).unwrap());
        let is_same = |a, b| site(a) == site(b);
        assert!(is_same(
            "https://a.example.com",
            "https://example.com:8443/x"
        ));
        assert!(is_same("http://localhost:1", "http://localhost:2"));
        assert!(is_same(
            "https://a.example.co.uk",
            "https://b.example.co.uk"
        ));
        for (a, b) in [
            ("https://a.co.uk", "https://b.co.uk"),
            ("https://a.github.io", "https://b.github.io"),
            ("http://a.example", "https://a.example"),
            ("http://127.0.0.1", "http://localhost"),
            ("http://127.0.0.1", "http://127.0.0.2"),
        ] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }
}
