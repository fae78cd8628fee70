//! What a browser does for a page: [CORS fetches], naively.
//!
//! [CORS fetches]: https://fetch.spec.whatwg.org/#http-cors-protocol

use super::{
    config::{Answer, Request, lines},
    lists,
};

/// A request of a page to a server of another origin, in mode `cors`.
#[derive(Clone, Debug)]
pub struct Page {
    pub origin: &'static str,
    pub method: &'static str,
    pub headers: &'static [(&'static str, &'static str)],
    /// Whether the credentials mode is `include`.
    pub credentials: bool,
}

/// What the page gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request was never sent.
    PreflightFailed,
    /// The request was sent, and the page may not read the answer.
    Unreadable { is_called: bool },
    /// The page reads the answer, and of these headers, the exposed ones.
    Readable { exposed: Vec<&'static str> },
}

/// Response headers that a page asks for.
pub const ASKED: [&str; 3] = ["x-a", "etag", "x-other"];

impl Page {
    /// The names of headers that need permission
    /// (<https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names>): lower case, sorted.
    pub fn unsafe_names(&self) -> Vec<&'static str> {
        let is_unsafe = |(name, value): &&(&str, &str)| match *name {
            "accept" | "accept-language" => false,
            "content-type" => *value != "text/plain",
            _ => true,
        };
        let mut names: Vec<_> = self
            .headers
            .iter()
            .filter(is_unsafe)
            .map(|(n, _)| *n)
            .collect();
        names.sort_unstable();
        names
    }

    pub fn needs_preflight(&self) -> bool {
        !lists::is_safelisted_method(self.method) || !self.unsafe_names().is_empty()
    }

    /// <https://fetch.spec.whatwg.org/#http-network-or-cache-fetch>, by way of a preflight.
    pub fn fetch(&self, mut send: impl FnMut(&Request) -> Answer) -> Outcome {
        if self.needs_preflight() && !self.passes(&send(&self.preflight())) {
            return Outcome::PreflightFailed;
        }
        let mut headers = vec![("origin", self.origin)];
        headers.extend(self.headers);
        if self.credentials {
            headers.push(("cookie", "session=1"));
        }
        let answer = send(&Request::new(self.method, &headers));
        if self.may_share(&answer) {
            let exposed = ASKED
                .into_iter()
                .filter(|name| self.is_exposed(&answer, name));
            Outcome::Readable {
                exposed: exposed.collect(),
            }
        } else {
            let is_called = answer.is_called;
            Outcome::Unreadable { is_called }
        }
    }

    fn preflight(&self) -> Request {
        let names = self.unsafe_names().join(",");
        let mut headers = vec![
            ("origin", self.origin),
            ("access-control-request-method", self.method),
        ];
        if !names.is_empty() {
            headers.push(("access-control-request-headers", &names));
        }
        Request::new("OPTIONS", &headers)
    }

    /// <https://fetch.spec.whatwg.org/#cors-preflight-fetch>, step 7.
    fn passes(&self, answer: &Answer) -> bool {
        let is_ok = (200..300).contains(&answer.status) && self.may_share(answer);
        let methods = list(answer, "access-control-allow-methods");
        let names = list(answer, "access-control-allow-headers");
        let has = |list: &[String], name: &str| list.iter().any(|own| own == name);
        let star = |list: &[String]| !self.credentials && has(list, "*");
        // Without the header, the method that was asked for counts as allowed.
        let is_method = lists::is_safelisted_method(self.method)
            || methods.is_empty()
            || has(&methods, self.method)
            || star(&methods);
        let is_name = |name: &&str| {
            let is_listed = names.iter().any(|own| own.eq_ignore_ascii_case(name));
            is_listed || (star(&names) && *name != "authorization")
        };
        is_ok && is_method && self.unsafe_names().iter().all(is_name)
    }

    /// <https://fetch.spec.whatwg.org/#concept-cors-check>
    fn may_share(&self, answer: &Answer) -> bool {
        let origin = value(answer, "access-control-allow-origin");
        let credentials = value(answer, "access-control-allow-credentials");
        match origin.as_deref() {
            None => false,
            Some("*") if !self.credentials => true,
            Some(origin) if origin != self.origin => false,
            Some(_) => !self.credentials || credentials.as_deref() == Some("true"),
        }
    }

    fn is_exposed(&self, answer: &Answer, name: &str) -> bool {
        let names = list(answer, "access-control-expose-headers");
        let is_all = !self.credentials && names.iter().any(|own| own == "*");
        is_all || names.iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// All lines as one value: <https://fetch.spec.whatwg.org/#concept-header-list-get>.
fn value(answer: &Answer, name: &str) -> Option<String> {
    let lines = lines(&answer.headers, name);
    let lines: Vec<_> = lines
        .iter()
        .map(|line| String::from_utf8_lossy(line))
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

fn list(answer: &Answer, name: &str) -> Vec<String> {
    let value = value(answer, name).unwrap_or_default();
    let elements = lists::elements(&value)
        .into_iter()
        .filter(|e| !e.is_empty());
    elements.map(str::to_owned).collect()
}
