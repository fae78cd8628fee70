//! What is kept back from all output unless `--show-secrets`.

use http::HeaderName;
use url::Url;

/// Whether values of this header are secrets. `name` is in lower case.
pub(crate) fn is_secret(name: &str) -> bool {
    matches!(
        name,
        "authorization" | "proxy-authorization" | "cookie" | "set-cookie"
    ) || ["token", "key", "secret", "session"]
        .iter()
        .any(|word| name.contains(word))
}

/// Hides secrets and escapes what could speak to a terminal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    shows: bool,
    /// Values that must not turn up anywhere else either, the longest first.
    known: Vec<String>,
}

impl Redactor {
    /// The shortest value that is looked for in other texts, in bytes: shorter ones are found by
    /// accident.
    const MIN_LEN: usize = 6;

    pub(crate) fn new(shows: bool) -> Self {
        Self {
            shows,
            known: Vec::new(),
        }
    }

    /// Remembers the secrets in a header, so that a server that echoes them does not give them away.
    ///
    /// `public` is what is printed anyway, above all URL and origin.
    pub(crate) fn learn(&mut self, name: &str, value: &str, public: &[&str]) {
        if self.shows || !is_secret(name) {
            return;
        }
        let parts: Vec<&str> = match name {
            "cookie" => value
                .split(';')
                .filter_map(|pair| pair.split_once('='))
                .map(|p| p.1)
                .collect(),
            "set-cookie" => {
                let pair = value.split(';').next().unwrap_or_default();
                pair.split_once('=').map(|p| p.1).into_iter().collect()
            }
            _ => std::iter::once(value)
                .chain(value.split_whitespace().skip(1))
                .collect(),
        };
        for part in parts {
            self.remember(part.trim().trim_matches('"'), public);
        }
    }

    /// Remembers one secret by itself.
    pub(crate) fn remember(&mut self, secret: &str, public: &[&str]) {
        let is_public = public.iter().any(|text| text.contains(secret));
        let is_new = !self.known.iter().any(|known| known == secret);
        if !self.shows && secret.len() >= Self::MIN_LEN && !is_public && is_new {
            self.known.push(secret.to_owned());
            self.known
                .sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// A header's value: hidden where the name says so, else like any text.
    pub(crate) fn header(&self, name: &HeaderName, value: &str) -> String {
        if is_secret(name.as_str()) && !self.shows {
            return hidden(value);
        }
        self.text(value)
    }

    /// Text of the network's: one line without control characters, known secrets left out.
    pub(crate) fn text(&self, text: &str) -> String {
        escape(&self.without_secrets(text), false)
    }

    /// Text of several lines: known secrets left out.
    pub(crate) fn lines(&self, text: &str) -> String {
        escape(&self.without_secrets(text), true)
    }

    pub(crate) fn url(&self, url: &Url) -> String {
        if self.shows {
            return escape(url.as_str(), false);
        }
        let mut clean = url.clone();
        // Fails only for URLs without a host, which have no user either.
        let _ = clean.set_username("");
        let _ = clean.set_password(None);
        self.text(clean.as_str())
    }

    fn without_secrets(&self, text: &str) -> String {
        let mut text = if self.shows {
            text.to_owned()
        } else {
            without_users(text)
        };
        for secret in &self.known {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), &hidden(secret));
            }
        }
        text
    }
}

fn hidden(value: &str) -> String {
    format!("<hidden, {} bytes>", value.len())
}

/// The text without the user and password of URLs in it.
fn without_users(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (front, behind) = rest.split_at(at + 3);
        clean.push_str(front);
        let is_end = |c: char| c.is_whitespace() || "/?#\"'<>,;".contains(c);
        let end = behind.find(is_end).unwrap_or(behind.len());
        rest = match behind[..end].rfind('@') {
            Some(user) => &behind[user + 1..],
            None => behind,
        };
    }
    clean.push_str(rest);
    clean
}

fn escape(text: &str, keeps_lines: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // Marks that reverse the order of what is shown are no control characters.
        let misleads = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if keeps_lines && c == '\n' {
            escaped.push(c);
        } else if c.is_control() || misleads {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_by_name_and_wherever_they_turn_up() {
        let mut redactor = Redactor::new(false);
        redactor.learn("authorization", "Bearer s3cr3t-t0k3n", &[]);
        redactor.learn(
            "cookie",
            "sid=abcdefgh; theme=example",
            &["https://app.example.com"],
        );
        let header =
            |name: &'static str, value| redactor.header(&HeaderName::from_static(name), value);
        assert_eq!(
            header("authorization", "Bearer s3cr3t-t0k3n"),
            "<hidden, 19 bytes>"
        );
        assert_eq!(header("x-api-key", "abc"), "<hidden, 3 bytes>");
        assert_eq!(header("x-echo", "a s3cr3t-t0k3n"), "a <hidden, 12 bytes>");
        assert_eq!(header("x-echo", "abcdefgh"), "<hidden, 8 bytes>");
        assert_eq!(
            header("x-page", "https://app.example.com"),
            "https://app.example.com"
        );
    }

    #[test]
    fn users_and_control_characters_go() {
        let redactor = Redactor::new(false);
        let url = Url::parse("https://u:pass@a.example/x").unwrap();
        assert_eq!(redactor.url(&url), "https://a.example/x");
        let text = redactor.text("to https://u:p@a.example/ and\x1b[31m\u{202e}");
        assert_eq!(text, r"to https://a.example/ and\u{1b}[31m\u{202e}");
        let shown = Redactor::new(true);
        assert!(shown.url(&url).contains("pass"));
    }
}
