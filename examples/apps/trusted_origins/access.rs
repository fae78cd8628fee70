//! Who may use the admin API, and under which names its page may be opened.

use std::{hint::black_box, net::IpAddr, sync::Arc};

use axum::http::{HeaderMap, Uri, header::HOST, uri::Authority};

/// What administrators authenticate with.
#[derive(Clone)]
pub(crate) struct AdminToken(Arc<str>);

impl AdminToken {
    /// Takes a text that is allowed behind `Bearer` (RFC 6750, section 2.1). An empty one is refused: an
    /// unset variable in a command line becomes an empty text.
    pub(crate) fn new(text: &str) -> Result<Self, &'static str> {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
        match text.trim_end_matches('=') {
            "" => Err("it is empty: choose one, and see whether the variable is set"),
            stem if stem.bytes().all(is_token) => Ok(Self(text.into())),
            _ => Err("write letters, digits and -._~+/, with = at the end at most"),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares every byte, so that the time does not tell how many were right.
    pub(crate) fn is(&self, given: &str) -> bool {
        let (own, given) = (self.0.as_bytes(), given.as_bytes());
        let pairs = own.iter().zip(given);
        let difference = pairs.fold(0, |difference, (a, b)| black_box(difference | (a ^ b)));
        own.len() == given.len() && difference == 0
    }
}

/// The names under which the admin page may be opened.
///
/// A page of an attacker can have a name that leads to this machine from one moment to the next (DNS
/// rebinding). For the browser it is then of the same origin as the admin API. The request still has
/// the attacker's name in `Host`. An address cannot be bent in that way.
#[derive(Clone)]
pub(crate) struct AdminHosts(Arc<[String]>);

impl AdminHosts {
    pub(crate) fn new(names: &[String]) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase());
        Self(names.collect())
    }

    /// Whether the request is for one of these names, for an address, or for `localhost`.
    pub(crate) fn allows(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let mut lines = headers.get_all(HOST).iter();
        let line = match (lines.next(), lines.next()) {
            (line, None) => line,
            (_, Some(_)) => return false,
        };
        let line = line.map(|line| line.as_bytes());
        // With HTTP/2 it is in the URI.
        let authority = match (uri.authority(), line) {
            (Some(authority), None) => Some(authority.clone()),
            (None, Some(line)) => Authority::try_from(line).ok(),
            (Some(authority), Some(line)) if authority.as_str().as_bytes() == line => {
                Some(authority.clone())
            }
            _ => None,
        };
        authority.is_some_and(|authority| {
            let host = authority.host().to_ascii_lowercase();
            let address = host.trim_start_matches('[').trim_end_matches(']');
            let is_user_free = !authority.as_str().contains('@');
            let is_address = address.parse::<IpAddr>().is_ok();
            is_user_free && (is_address || host == "localhost" || self.0.contains(&host))
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};

    use super::*;

    #[test]
    fn a_token_is_what_can_stand_behind_bearer() {
        for token in ["demo-admin", "a+b/c==", "0"] {
            let parsed = AdminToken::new(token).unwrap();
            assert!(parsed.is(token));
            for other in ["", "0x", "demo-admim", "demo-admin2", "demo-admi"] {
                assert!(!parsed.is(other), "{token} {other}");
            }
        }
        for none in ["", "=", " ", "a b", "50%", "schlüssel", "a=b", "a\n"] {
            assert!(AdminToken::new(none).is_err(), "{none:?}");
        }
    }

    #[test]
    fn a_name_that_somebody_else_gives_to_this_machine_is_refused() {
        let hosts = AdminHosts::new(&["Admin.internal".to_owned()]);
        let allows = |host: &str| {
            let request = Request::get("/").header(HOST, host).body(()).unwrap();
            hosts.allows(request.uri(), request.headers())
        };
        for host in [
            "127.0.0.1:8080",
            "[::1]:8080",
            "10.0.0.7",
            "localhost:3000",
            "LOCALHOST",
            "admin.internal:8080",
        ] {
            assert!(allows(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "admin.internal.evil.example",
            "localhost@evil.example",
            "evil.example@localhost",
            "",
        ] {
            assert!(!allows(host), "{host}");
        }
        let none = Request::get("/").body(()).unwrap();
        assert!(!hosts.allows(none.uri(), none.headers()));
        let mut two = Request::get("/")
            .header(HOST, "localhost")
            .body(())
            .unwrap();
        let other = HeaderValue::from_static("evil.example");
        two.headers_mut().append(HOST, other);
        assert!(!hosts.allows(two.uri(), two.headers()));
        let h2 = Request::get("http://evil.example/").body(()).unwrap();
        assert!(!hosts.allows(h2.uri(), h2.headers()));
    }
}
