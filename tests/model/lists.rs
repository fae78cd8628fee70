//! Methods and names of headers: in configurations, and in the lists of a preflight.

/// What a list setting says: anything, or these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub any: bool,
    pub listed: Vec<String>,
}

impl Names {
    pub fn of(listed: &[&str]) -> Self {
        let any = listed.contains(&"*");
        let listed = listed.iter().filter(|name| **name != "*");
        Self {
            any,
            listed: listed.map(|&name| name.to_owned()).collect(),
        }
    }

    /// As a configuration writes it.
    pub fn written(&self) -> Vec<String> {
        let star = self.any.then(|| "*".to_owned());
        star.into_iter()
            .chain(self.listed.iter().cloned())
            .collect()
    }

    /// The names of headers as they are sent: lower case, sorted, each once.
    pub fn headers(&self) -> Vec<String> {
        let mut names: Vec<String> = self.listed.iter().map(|n| n.to_ascii_lowercase()).collect();
        names.sort();
        names.dedup();
        names
    }

    pub fn allows_method(&self, method: &str) -> bool {
        self.any || is_safelisted_method(method) || self.listed.iter().any(|m| m == method)
    }

    /// <https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name>
    pub fn allows_header(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        self.headers().contains(&name) || (self.any && name != "authorization")
    }
}

pub fn is_safelisted_method(method: &str) -> bool {
    ["GET", "HEAD", "POST"].contains(&method)
}

/// <https://fetch.spec.whatwg.org/#forbidden-method>
pub fn is_forbidden_method(method: &str) -> bool {
    let forbidden = ["CONNECT", "TRACE", "TRACK"];
    forbidden.contains(&method.to_ascii_uppercase().as_str())
}

/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>
pub fn is_token(text: &str) -> bool {
    let is_tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(is_tchar)
}

/// The elements of a comma-separated list, without the white space around them.
pub fn elements(line: &str) -> Vec<&str> {
    line.split(',')
        .map(|e| e.trim_matches([' ', '\t']))
        .collect()
}

/// The requested header names of a preflight, from all lines. `None` if they are no list of tokens,
/// or beyond the bounds: 16 lines, 1024 bytes, 16 empty elements.
pub fn requested_headers(lines: &[&[u8]]) -> Option<Vec<String>> {
    let len: usize = lines.iter().map(|line| line.len()).sum();
    if lines.len() > 16 || len > 1024 {
        return None;
    }
    let (mut names, mut empty) = (Vec::new(), 0);
    for line in lines {
        let line = std::str::from_utf8(line).ok()?;
        let elements = elements(line);
        let last = elements.len() - 1;
        for (i, name) in elements.into_iter().enumerate() {
            if name.is_empty() {
                // What follows the last comma is no element.
                empty += usize::from(i < last);
            } else if is_token(name) {
                names.push(name.to_owned());
            } else {
                return None;
            }
        }
    }
    (empty <= 16).then_some(names)
}

/// The method of a preflight: `None` unless there is one line with a token that pages may send.
pub fn requested_method(lines: &[&[u8]]) -> Option<String> {
    let [line] = lines else {
        return None;
    };
    let method = std::str::from_utf8(line).ok()?;
    let is_fine = is_token(method) && method.len() <= 128 && !is_forbidden_method(method);
    is_fine.then(|| method.to_owned())
}
