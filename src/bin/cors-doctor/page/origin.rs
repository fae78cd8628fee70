//! [`Origin`]: a page's origin as browsers serialise it.

use std::fmt;

use url::Url;

/// An origin, or `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    text: String,
    /// The origin with a path of `/`; none for `null`.
    url: Option<Url>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginError(String);

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Origin {
    pub(crate) fn null() -> Self {
        Self {
            text: "null".into(),
            url: None,
        }
    }

    /// Reads an origin, `null`, or the URL of a page.
    ///
    /// # Errors
    ///
    /// The text has no origin.
    pub(crate) fn parse(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        if text == "null" {
            return Ok(Self::null());
        }
        let none = |why: &str| OriginError(format!("origin{}: {why}", shown(text)));
        if !text.contains("://") {
            return Err(none(
                "it has no scheme: write for example https://app.example.com",
            ));
        }
        let url = Url::parse(text).map_err(|error| none(&error.to_string()))?;
        Self::of(&url).ok_or_else(|| {
            none("pages of this scheme have no origin of their own: if yours is one, say null")
        })
    }

    /// The origin of a page at `url`.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        const WITHOUT: [&str; 4] = ["about", "data", "file", "javascript"];
        if url.scheme() == "blob" {
            // <https://url.spec.whatwg.org/#concept-url-origin>
            let inside = Url::parse(url.path()).ok()?;
            let is_web = matches!(inside.scheme(), "http" | "https");
            return is_web.then(|| Self::of(&inside)).flatten();
        }
        let scheme = match url.scheme() {
            "ws" | "wss" => return None,
            scheme if WITHOUT.contains(&scheme) => return None,
            scheme => scheme,
        };
        let host = url.host_str().filter(|host| !host.is_empty())?;
        let text = match url.port() {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        let url = Url::parse(&format!("{text}/")).ok()?;
        Some(Self {
            text,
            url: Some(url),
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn url(&self) -> Option<&Url> {
        self.url.as_ref()
    }

    pub(crate) fn is_null(&self) -> bool {
        self.url.is_none()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.as_ref().is_some_and(|url| url.scheme() == "https")
    }

    /// Whether `url` is of this origin.
    pub(crate) fn is_of(&self, url: &Url) -> bool {
        Self::of(url).is_some_and(|other| other == *self)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text in quotes, or nothing if it may contain a password.
fn shown(text: &str) -> String {
    if text.contains('@') {
        String::new()
    } else {
        format!(" {text:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_cut_and_serialised() {
        for (text, expected) in [
            ("https://app.example.com", "https://app.example.com"),
            (
                "HTTPS://App.Example.com:443/a?b#c",
                "https://app.example.com",
            ),
            ("http://localhost:3000/", "http://localhost:3000"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("http://[::1]:80/", "http://[::1]"),
            (
                "https://user:pass@app.example.com/",
                "https://app.example.com",
            ),
            (
                "chrome-extension://abcdef/page.html",
                "chrome-extension://abcdef",
            ),
            ("capacitor://localhost", "capacitor://localhost"),
            (
                "blob:https://app.example.com:8443/1b2c",
                "https://app.example.com:8443",
            ),
            ("null", "null"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn what_has_no_origin_is_a_mistake() {
        for text in [
            "",
            "app.example.com",
            "localhost:3000",
            "file:///x",
            "data:text/html,x",
            "wss://a.b",
            "blob:null/1b2c",
            "blob:file:///1b2c",
            "blob:blob:https://a.b/1b2c",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
        let error = Origin::parse("file://u:secret@h/x")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
