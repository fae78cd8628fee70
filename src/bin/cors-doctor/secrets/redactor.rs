use http::HeaderName;
use url::Url;

use super::{
    escape::escape,
    names::{is_secret, is_subprotocol},
    users::without_users,
    words::{has_word, hidden, without_words},
};

/// Hides secrets, and escapes characters that a terminal acts on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redactor {
    shows: bool,
    /// Values that must not turn up anywhere else either, the longest first.
    known: Vec<String>,
    /// Short secrets. Other text may contain them by accident, so only whole words count, and only
    /// in headers and bodies.
    short: Vec<String>,
    /// Short secrets that a server echoes in a header. The doctor's sentences may quote that
    /// header.
    echoed: Vec<String>,
}

impl Redactor {
    /// The shortest secret that is also hidden within words, in bytes.
    const MIN_LEN: usize = 6;

    pub(crate) fn new(shows: bool) -> Self {
        Self {
            shows,
            ..Self::default()
        }
    }

    /// Remembers the secrets in a header, so that a server that echoes them does not give them
    /// away.
    ///
    /// `public` has the texts that are printed anyway, such as the URL's path and the origin.
    pub(crate) fn learn(&mut self, name: &str, value: &str, public: &[&str]) {
        let value_of = |pair: &'_ str| match pair.split_once('=') {
            Some((_, value)) => value.to_owned(),
            // A cookie without a name.
            None => pair.to_owned(),
        };
        let parts: Vec<String> = match name {
            "cookie" => value.split(';').map(value_of).collect(),
            "set-cookie" => value.split(';').take(1).map(value_of).collect(),
            SUBPROTOCOLS => {
                let elements = value.split(',').map(|element| element.trim().to_owned());
                elements.filter(|name| !is_subprotocol(name)).collect()
            }
            name if is_secret(name) => std::iter::once(value)
                .chain(value.split_whitespace().skip(1))
                .map(str::to_owned)
                .collect(),
            _ => return,
        };
        for part in parts {
            self.remember(part.trim().trim_matches('"'), public);
        }
    }

    /// Remembers one secret by itself.
    pub(crate) fn remember(&mut self, secret: &str, public: &[&str]) {
        if self.shows || secret.is_empty() {
            return;
        }
        // Sentences quote values as Rust does, bodies as JSON does; URLs are percent-encoded.
        let quoted = format!("{secret:?}").trim_matches('"').to_owned();
        let encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for form in [secret.to_owned(), quoted, encoded] {
            self.remember_form(form, public);
        }
    }

    fn remember_form(&mut self, form: String, public: &[&str]) {
        /// Common values of CORS headers. A cookie with the same value is not recognisable by it.
        const WORDS: [&str; 10] = [
            "*", "true", "false", "null", "GET", "HEAD", "POST", "PUT", "PATCH", "none",
        ];
        let is_short = form.len() < Self::MIN_LEN;
        let is_public = if is_short {
            let mut public = public.iter();
            WORDS.contains(&form.as_str()) || public.any(|text| has_word(text, &form))
        } else {
            public.iter().any(|text| text.contains(&form))
        };
        let list = if is_short {
            &mut self.short
        } else {
            &mut self.known
        };
        if !is_public && !list.contains(&form) {
            list.push(form);
            list.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// Looks for short secrets in a header of an answer, which sentences may quote.
    pub(crate) fn heed(&mut self, name: &str, value: &str) {
        if is_secret(name) {
            return;
        }
        let echoed = self.short.iter().filter(|short| has_word(value, short));
        let new: Vec<String> = echoed
            .filter(|short| !self.echoed.contains(short))
            .cloned()
            .collect();
        self.echoed.extend(new);
    }

    /// A header's value: hidden where the name says so, else like any text.
    pub(crate) fn header(&self, name: &HeaderName, value: &str) -> String {
        if self.shows {
            return self.text(value);
        }
        if is_secret(name.as_str()) {
            return hidden(value);
        }
        if name == SUBPROTOCOLS {
            let elements = value.split(',').map(str::trim).map(|element| {
                if is_subprotocol(element) {
                    element.to_owned()
                } else {
                    hidden(element)
                }
            });
            return elements.collect::<Vec<_>>().join(", ");
        }
        let words = without_words(&self.without_secrets(value), &self.short);
        escape(&words, false)
    }

    /// The first `max` bytes of a body. `ended` says whether all of the body is here.
    pub(crate) fn body(&self, body: &[u8], ended: bool, max: usize) -> String {
        let text = String::from_utf8_lossy(body);
        let mut text = without_words(&self.without_secrets(&text), &self.short);
        if !ended {
            self.hide_beginning(&mut text);
        }
        // Cut last: a secret that is cut in two would not be recognised.
        while text.len() > max {
            text.pop();
        }
        escape(&text, true)
    }

    /// Text of the network's: one line without control characters, known secrets left out.
    pub(crate) fn text(&self, text: &str) -> String {
        let words = without_words(&self.without_secrets(text), &self.echoed);
        escape(&words, false)
    }

    /// Text of several lines: known secrets left out.
    pub(crate) fn lines(&self, text: &str) -> String {
        let words = without_words(&self.without_secrets(text), &self.echoed);
        escape(&words, true)
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

    /// Hides the beginning of a secret at the end of a body that was not read to its end.
    fn hide_beginning(&self, text: &mut String) {
        /// The shortest part that is hidden, in bytes.
        const MIN_PART: usize = 3;
        let longest = self.known.iter().filter_map(|secret| {
            let lengths = (MIN_PART..secret.len()).rev();
            let mut parts = lengths.filter_map(|len| secret.get(..len));
            parts.find(|part| text.ends_with(part)).map(str::len)
        });
        if let Some(len) = longest.max() {
            let part = text.split_off(text.len() - len);
            text.push_str(&hidden(&part));
        }
    }
}

const SUBPROTOCOLS: &str = "sec-websocket-protocol";

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
    fn short_secrets_are_whole_words_of_what_a_server_sends() {
        let mut redactor = Redactor::new(false);
        redactor.learn(
            "cookie",
            "a=1; t=tok; seen=true; bare",
            &["https://b.example"],
        );
        redactor.learn("set-cookie", "nameless; Path=/", &[]);
        let echo = HeaderName::from_static("x-echo");
        for (sent, shown) in [
            ("tok", "<hidden, 3 bytes>"),
            ("a=1;t=tok", "a=<hidden, 1 bytes>;t=<hidden, 3 bytes>"),
            ("token 12", "token 12"),
            ("bare true", "<hidden, 4 bytes> true"),
            ("nameless", "<hidden, 8 bytes>"),
        ] {
            assert_eq!(redactor.header(&echo, sent), shown);
            assert_eq!(redactor.body(sent.as_bytes(), true, 200), shown);
        }
        // The doctor's own words stay, unless a header echoes the secret.
        assert_eq!(redactor.lines("a tok"), "a tok");
        redactor.heed("x-echo", "tok");
        assert_eq!(redactor.lines("a tok"), "a <hidden, 3 bytes>");
    }

    #[test]
    fn no_part_of_a_secret_is_left() {
        let mut redactor = Redactor::new(false);
        redactor.learn("authorization", "Bearer s3cr3t-t0k3n", &[]);
        let body = format!("{}s3cr3t-t0k3n", "x".repeat(190));
        let shown = redactor.body(body.as_bytes(), true, 200);
        assert!(!shown.contains("s3c"), "{shown}");
        assert_eq!(shown.len(), 200);
        // The rest of the secret may be in the part that was not read.
        assert_eq!(
            redactor.body(b"x s3cr3t", false, 200),
            "x <hidden, 6 bytes>"
        );
        assert_eq!(redactor.body(b"x s3cr3t", true, 200), "x s3cr3t");
        assert_eq!(redactor.body("\u{e9}\u{e9}".as_bytes(), true, 3), "\u{e9}");
    }

    #[test]
    fn other_spellings_of_a_secret_are_known() {
        let mut redactor = Redactor::new(false);
        redactor.learn("x-api-key", "a\"b\\c d/e", &[]);
        for echo in [
            format!("the value {:?} is no origin", "a\"b\\c d/e"),
            "/?key=a%22b%5Cc+d%2Fe".to_owned(),
        ] {
            assert!(redactor.lines(&echo).contains("<hidden"), "{echo}");
        }
    }

    #[test]
    fn subprotocols_have_known_names_or_are_tokens() {
        let mut redactor = Redactor::new(false);
        let name = HeaderName::from_static(SUBPROTOCOLS);
        redactor.learn(SUBPROTOCOLS, "graphql-ws, s3cr3t-t0k3n", &[]);
        assert_eq!(
            redactor.header(&name, "graphql-ws, s3cr3t-t0k3n"),
            "graphql-ws, <hidden, 12 bytes>"
        );
        assert_eq!(redactor.text("s3cr3t-t0k3n"), "<hidden, 12 bytes>");
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
