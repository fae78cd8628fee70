use http::{HeaderMap, HeaderName, header::ACCESS_CONTROL_EXPOSE_HEADERS};

use super::{fetch::Fetch, header_list::tokens, tables::is_forbidden_response_header};

impl Fetch {
    /// The headers of the answer that the page can read ([Fetch, CORS filtered response]).
    ///
    /// [Fetch, CORS filtered response]: https://fetch.spec.whatwg.org/#concept-filtered-response-cors
    pub fn readable_headers(&self, headers: &HeaderMap) -> HeaderMap {
        // https://fetch.spec.whatwg.org/#main-fetch: a list with a bad element exposes nothing.
        let exposed = tokens(headers, &ACCESS_CONTROL_EXPOSE_HEADERS).unwrap_or_default();
        let all = !self.includes_credentials() && exposed.contains(&"*");
        let is_exposed = |name: &HeaderName| {
            let name = name.as_str();
            !is_forbidden_response_header(name)
                && (all
                    || exposed
                        .iter()
                        .any(|exposed| exposed.eq_ignore_ascii_case(name)))
        };
        let lines = headers.iter();
        lines
            .filter(|(name, _)| is_safelisted(name) || is_exposed(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

/// <https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name>
fn is_safelisted(name: &HeaderName) -> bool {
    const NAMES: [&str; 7] = [
        "cache-control",
        "content-language",
        "content-length",
        "content-type",
        "expires",
        "last-modified",
        "pragma",
    ];
    NAMES.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, Uri};

    use super::super::fetch::Credentials;
    use crate::origin::Origin;

    use super::*;

    fn readable(mode: Credentials, expose: &[&'static str]) -> Vec<String> {
        let mut headers: HeaderMap = ["content-type", "x-a", "x-b", "set-cookie", "*"]
            .into_iter()
            .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1")))
            .collect();
        for line in expose {
            headers.append(
                ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(line),
            );
        }
        let page: Origin = "https://a.example".parse().unwrap();
        let fetch = Fetch::new(page, Method::GET, Uri::from_static("/")).credentials(mode);
        let readable = fetch.readable_headers(&headers);
        readable
            .keys()
            .map(|name| name.as_str().to_owned())
            .collect()
    }

    #[test]
    fn what_the_page_sees() {
        use Credentials::{Include, Omit};
        for (mode, expose, expected) in [
            (Omit, &[][..], &["content-type"][..]),
            (Omit, &["X-A"], &["content-type", "x-a"]),
            (Omit, &["x-a", "x-b"], &["content-type", "x-a", "x-b"]),
            (Omit, &["x-a, set-cookie"], &["content-type", "x-a"]),
            (Omit, &["x-a, b c"], &["content-type"]),
            (
                Omit,
                &["*"],
                &[
                    "content-type",
                    "x-a",
                    "x-b",
                    "*",
                    "access-control-expose-headers",
                ],
            ),
            (Include, &["*"], &["content-type", "*"]),
            (Include, &["x-a"], &["content-type", "x-a"]),
        ] {
            assert_eq!(readable(mode, expose), expected, "{mode:?} {expose:?}");
        }
    }
}
