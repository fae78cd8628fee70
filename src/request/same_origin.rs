//! Whether a request comes from the service's own pages. Browsers send `Origin` with those too, and
//! they must not be refused.

use http::{HeaderMap, HeaderName, uri::Scheme};

use super::{classify::SentOrigin, head::Head};
use crate::origin::{Origin, default_port};

/// By `Sec-Fetch-Site`, which browsers set and no page can; without it, by comparing the origin's
/// host and port with the request's, and the scheme if the request says it, as in HTTP/2.
/// `X-Forwarded-Host` is ignored, because any client can set it.
pub(crate) fn is_same_origin(head: &Head<'_>) -> bool {
    match sec_fetch_site(head.headers) {
        // https://w3c.github.io/webappsec-fetch-metadata/#sec-fetch-site-header
        Some(site) => matches!(site, b"same-origin" | b"none"),
        None => has_own_authority(head),
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The header counts only if all its lines agree. Otherwise it is treated as a value that no
/// browser sends, so that the request does not pass for a same-origin one.
fn sec_fetch_site(headers: &HeaderMap) -> Option<&[u8]> {
    let mut lines = headers.get_all(SEC_FETCH_SITE).iter();
    let first = lines.next()?.as_bytes();
    if lines.all(|line| line.as_bytes() == first) {
        Some(first)
    } else {
        Some(b"")
    }
}

fn has_own_authority(head: &Head<'_>) -> bool {
    let Some(Ok(origin)) = SentOrigin::find(head.headers).map(SentOrigin::parse) else {
        return false;
    };
    // An application's page, such as tauri://localhost, does not come from this server, even if the
    // host has the same name.
    let Some(origin) = origin
        .tuple()
        .filter(|o| matches!(o.scheme(), "http" | "https"))
    else {
        return false;
    };
    // An attacker in the network can write a page of `http:`. It must not pass for a page of the
    // same host's `https:` service. The other way round, a proxy may have removed TLS.
    if origin.scheme() == "http" && head.uri.scheme() == Some(&Scheme::HTTPS) {
        return false;
    }
    head.authority()
        .is_some_and(|authority| is_authority_of(origin, authority))
}

fn is_authority_of(origin: &Origin, authority: &str) -> bool {
    // The last colon, unless it belongs to an IPv6 address in brackets.
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let default = default_port(origin.scheme_bytes());
    let port = match port {
        // RFC 3986, section 3.2.3: digits only. `parse` alone would take a sign.
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => match port.parse::<u16>() {
            Ok(port) => Some(port),
            Err(_) => return false,
        },
        Some(_) => return false,
        None => default,
    };
    // `Host` may be in any case, and may name the default port, which an origin leaves out.
    host.eq_ignore_ascii_case(origin.host()) && port == origin.port().or(default)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn same_origin(uri: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        is_same_origin(&Head::from(&request))
    }

    #[test]
    fn what_the_browser_says_is_believed() {
        let evil = ("origin", "https://evil.example");
        for (site, expected) in [
            ("same-origin", true),
            ("none", true),
            ("same-site", false),
            ("cross-site", false),
            ("Same-Origin", false),
            ("", false),
        ] {
            assert_eq!(
                same_origin("/", &[evil, ("sec-fetch-site", site)]),
                expected,
                "{site}"
            );
        }
        // Even where the authorities are equal.
        assert!(!same_origin(
            "/",
            &[
                ("origin", "https://a.example"),
                ("host", "a.example"),
                ("sec-fetch-site", "cross-site"),
            ],
        ));
        assert!(!same_origin(
            "/",
            &[
                evil,
                ("sec-fetch-site", "same-origin"),
                ("sec-fetch-site", "cross-site")
            ],
        ));
    }

    #[test]
    fn else_the_authorities_are_compared() {
        for (origin, host, expected) in [
            ("https://a.example", "a.example", true),
            ("https://a.example", "A.example:443", true),
            ("http://a.example", "a.example", true),
            ("http://[::1]:3000", "[::1]:3000", true),
            ("http://[::1]", "[::1]", true),
            ("https://a.example", "a.example:8443", false),
            ("https://a.example:8443", "a.example", false),
            ("https://a.example", "a.example.evil.example", false),
            ("https://a.example", "a.example:x", false),
            ("https://a.example", "a.example:+443", false),
            ("https://a.example", "a.example:0443", true),
            ("null", "a.example", false),
        ] {
            let headers = [("origin", origin), ("host", host)];
            assert_eq!(same_origin("/", &headers), expected, "{origin} {host}");
        }
    }

    #[test]
    fn forwarded_hosts_and_doubtful_ones_do_not_count() {
        let origin = ("origin", "https://evil.example");
        let host = ("host", "a.example");
        for extra in [
            ("x-forwarded-host", "evil.example"),
            ("forwarded", "host=evil.example"),
            ("host", "evil.example"),
        ] {
            assert!(!same_origin("/", &[origin, host, extra]), "{extra:?}");
        }
        // Not even if one of two is the page's own: whoever routed the request may go by the other.
        for hosts in [["a.example", "b.example"], ["b.example", "a.example"]] {
            let [first, second] = hosts.map(|host| ("host", host));
            let page = ("origin", "https://a.example");
            assert!(!same_origin("/", &[page, first, second]), "{hosts:?}");
        }
        assert!(same_origin(
            "https://a.example/",
            &[("origin", "https://a.example")]
        ));
        assert!(!same_origin("/", &[("origin", "https://a.example")]));
        for (uri, origin, expected) in [
            ("https://a.example/", "http://a.example", false),
            ("https://a.example:80/", "http://a.example", false),
            ("http://a.example/", "http://a.example", true),
            // Behind a proxy that removes TLS.
            ("http://a.example/", "https://a.example", true),
        ] {
            assert_eq!(
                same_origin(uri, &[("origin", origin)]),
                expected,
                "{uri} {origin}"
            );
        }
        for origin in ["tauri://localhost", "capacitor://localhost"] {
            let headers = [("origin", origin), ("host", "localhost")];
            assert!(!same_origin("/", &headers), "{origin}");
        }
    }
}
