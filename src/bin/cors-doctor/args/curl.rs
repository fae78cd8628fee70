//! A request out of a "copy as cURL" text.

use hyper::body::Bytes;

use super::shell::words;

/// What the text says, without what browsers add themselves.
#[derive(Debug, Default)]
pub(super) struct Curl {
    pub(super) url: Option<String>,
    pub(super) method: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) origin: Option<String>,
    pub(super) cookies: Option<String>,
    pub(super) body: Option<Bytes>,
    pub(super) insecure: bool,
}

/// Reads the command.
///
/// # Errors
///
/// It is none of curl's, or has an option that a page's request cannot have.
pub(super) fn parse(text: &str) -> Result<Curl, String> {
    let words = words(text).map_err(|error| format!("--curl: {error}"))?;
    let mut words = words.into_iter().flat_map(apart);
    let program = words.next().unwrap_or_default();
    if !matches!(
        program.rsplit(['/', '\\']).next(),
        Some("curl" | "curl.exe")
    ) {
        return Err("--curl: the text does not begin with curl".into());
    }
    let mut curl = Curl::default();
    let mut is_get = false;
    while let Some(word) = words.next() {
        let (option, attached) = split(&word);
        let mut value = || match &attached {
            Some(value) => Ok(value.clone()),
            None => words
                .next()
                .ok_or_else(|| format!("--curl: {option} has no value")),
        };
        match option.as_str() {
            "-X" | "--request" => curl.method = Some(value()?),
            "-H" | "--header" => curl.header(&value()?),
            "-d" | "--data" | "--data-ascii" | "--data-binary" => {
                let data = data(&value()?)?;
                curl.add(&data);
            }
            "--data-raw" => {
                let data = value()?;
                curl.add(data.as_bytes());
            }
            "--data-urlencode" => {
                let data = urlencoded(&value()?);
                curl.add(data.as_bytes());
            }
            "--json" => {
                let data = data(&value()?)?;
                curl.add(&data);
                curl.header("Content-Type: application/json");
                curl.header("Accept: application/json");
            }
            "-b" | "--cookie" => {
                let cookies = value()?;
                // Without a `=` it is a file of curl's, which no browser copies.
                if cookies.contains('=') {
                    curl.cookies = Some(cookies);
                }
            }
            "-u" | "--user" => {
                let encoded = base64(value()?.as_bytes());
                curl.header(&format!("Authorization: Basic {encoded}"));
            }
            "-k" | "--insecure" => curl.insecure = true,
            "-I" | "--head" => curl.method = Some("HEAD".into()),
            "-G" | "--get" => is_get = true,
            "--url" => curl.url = Some(value()?),
            // What changes nothing about the request.
            "-A" | "--user-agent" | "-e" | "--referer" | "-o" | "--output" | "-m"
            | "--max-time" | "--connect-timeout" | "-x" | "--proxy" | "-U" | "--proxy-user"
            | "-w" | "--write-out" => {
                value()?;
            }
            "-s" | "--silent" | "-S" | "--show-error" | "-v" | "--verbose" | "-i" | "--include"
            | "-L" | "--location" | "--compressed" | "-g" | "--globoff" | "--http1.1"
            | "--http2" | "-f" | "--fail" | "-N" | "--no-buffer" | "-O" => {}
            // An attached value may be a secret, so only the option is named.
            other if other.starts_with('-') && other.len() > 1 => {
                return Err(format!("--curl: {other} is not understood"));
            }
            _ => curl.url = Some(word),
        }
    }
    if is_get {
        curl.move_body_to_query();
    }
    drop_disabled_cache(&mut curl.headers);
    let Some(url) = &curl.url else {
        return Err("--curl: there is no URL in it".into());
    };
    drop_of_handshake(is_websocket(url), &mut curl.headers);
    Ok(curl)
}

impl Curl {
    /// Without a value `name:` takes a header out, and `name;` sends it empty.
    fn header(&mut self, line: &str) {
        let (name, value) = match line.split_once(':') {
            Some((name, value)) if !value.trim().is_empty() => (name.trim(), value.trim()),
            Some(_) => return,
            None => match line.trim_end().strip_suffix(';') {
                Some(name) if !name.contains(';') => (name.trim(), ""),
                _ => return,
            },
        };
        match name.to_ascii_lowercase().as_str() {
            "origin" => self.origin = Some(value.to_owned()),
            "cookie" => self.cookies = Some(value.to_owned()),
            // Whether these are the browser's own depends on what else is there.
            "pragma" | "sec-websocket-protocol" => {
                self.headers.push((name.to_owned(), value.to_owned()));
            }
            lower if is_of_the_browser(lower) => {}
            _ => self.headers.push((name.to_owned(), value.to_owned())),
        }
    }

    /// Curl joins several of them by `&`.
    fn add(&mut self, data: &[u8]) {
        let joined = match self.body.take() {
            Some(body) => [&body, &b"&"[..], data].concat(),
            None => data.to_vec(),
        };
        self.body = Some(joined.into());
    }

    fn move_body_to_query(&mut self) {
        if let (Some(url), Some(body)) = (&mut self.url, self.body.take()) {
            let separator = if url.contains('?') { '&' } else { '?' };
            *url = format!("{url}{separator}{}", String::from_utf8_lossy(&body));
        }
    }
}

/// Developer tools with a disabled cache send two headers that no page has set.
pub(super) fn drop_disabled_cache(headers: &mut Vec<(String, String)>) {
    let is = |header: &(String, String), name: &str| header.0.eq_ignore_ascii_case(name);
    if headers.iter().any(|header| is(header, "pragma")) {
        headers.retain(|header| {
            let is_disabling = is(header, "cache-control") && header.1 == "no-cache";
            !is(header, "pragma") && !is_disabling
        });
    }
}

/// Firefox sends `Accept: */*` with a handshake, where no page can set it; and the subprotocols of a
/// handshake mean nothing elsewhere.
fn drop_of_handshake(is_handshake: bool, headers: &mut Vec<(String, String)>) {
    headers.retain(|(name, value)| match name.to_ascii_lowercase().as_str() {
        "sec-websocket-protocol" => is_handshake,
        "accept" => !is_handshake || value != "*/*",
        _ => true,
    });
}

fn is_websocket(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| s.eq_ignore_ascii_case("ws") || s.eq_ignore_ascii_case("wss"))
}

/// Headers that a browser adds to requests, whatever the page does. In lower case.
pub(super) fn is_of_the_browser(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "accept-encoding",
        "accept-language",
        "access-control-request-headers",
        "access-control-request-method",
        "alt-used",
        // As older versions of Chromium copy `:authority`.
        "authority",
        "connection",
        "content-length",
        "dnt",
        "host",
        "if-modified-since",
        "if-none-match",
        "keep-alive",
        "priority",
        "proxy-connection",
        "referer",
        "te",
        "transfer-encoding",
        "upgrade",
        "upgrade-insecure-requests",
        "user-agent",
        // Chrome's own, to servers of Google.
        "x-client-data",
    ];
    NAMES.contains(&name) || name.starts_with("sec-") || name.starts_with(':')
}

/// `-sSL` in three: short options without a value may stand together.
fn apart(word: String) -> Vec<String> {
    const WITHOUT_VALUE: &str = "sSviLgfNOkIG";
    let mut rest = match word.strip_prefix('-') {
        Some(rest) if !rest.starts_with('-') => rest,
        _ => return vec![word],
    };
    let mut options = Vec::new();
    while let Some(first) = rest.chars().next().filter(|c| WITHOUT_VALUE.contains(*c)) {
        options.push(format!("-{first}"));
        rest = &rest[1..];
    }
    if !rest.is_empty() || options.is_empty() {
        options.push(format!("-{rest}"));
    }
    options
}

/// `-XPUT` and `--request=PUT` in two.
fn split(word: &str) -> (String, Option<String>) {
    if word.starts_with("--") {
        if let Some((option, value)) = word.split_once('=') {
            return (option.to_owned(), Some(value.to_owned()));
        }
    } else if let Some(letter) = word.strip_prefix('-').and_then(|rest| rest.chars().next()) {
        let (short, value) = word.split_at(1 + letter.len_utf8());
        if !value.is_empty() {
            return (short.to_owned(), Some(value.to_owned()));
        }
    }
    (word.to_owned(), None)
}

fn data(text: &str) -> Result<Vec<u8>, String> {
    match text.strip_prefix('@') {
        Some(file) => std::fs::read(file).map_err(|error| format!("--curl: {file:?}: {error}")),
        None => Ok(text.as_bytes().to_vec()),
    }
}

fn urlencoded(text: &str) -> String {
    let encode = |value: &str| -> String {
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
    };
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => format!("{name}={}", encode(value)),
        Some((_, value)) => encode(value),
        None => encode(text),
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            if i <= chunk.len() {
                let index = (bits >> (18 - 6 * i) & 63) as usize;
                text.push(char::from(ALPHABET[index]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_copy_is_read() {
        let curl = parse(
            "curl 'https://api.example.com/items' \\\n  -X 'PUT' \\\n  -H 'accept: */*' \\\n  \
             -H 'authorization: Bearer x' \\\n  -b 'a=b; c=d' \\\n  \
             -H 'origin: https://app.example.com' \\\n  -H 'sec-ch-ua: \"x\"' \\\n  \
             -H 'user-agent: Mozilla' -H 'pragma: no-cache' -H 'cache-control: no-cache' \\\n  -H 'referer: https://app.example.com/' \\\n  \
             --data-raw $'{\"a\":\"\\u0041\"}' --compressed --insecure",
        )
        .unwrap();
        assert_eq!(curl.url.as_deref(), Some("https://api.example.com/items"));
        assert_eq!(curl.method.as_deref(), Some("PUT"));
        assert_eq!(curl.origin.as_deref(), Some("https://app.example.com"));
        assert_eq!(curl.cookies.as_deref(), Some("a=b; c=d"));
        assert_eq!(curl.body.as_deref(), Some(&b"{\"a\":\"A\"}"[..]));
        assert!(curl.insecure);
        let names: Vec<&str> = curl.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["accept", "authorization"]);
    }

    #[test]
    fn other_spellings_are_read() {
        let curl = parse("curl -XPOST -d a=1 -d b=2 http://a.example/ -u user:pass").unwrap();
        assert_eq!(curl.body.as_deref(), Some(&b"a=1&b=2"[..]));
        let authorization = ("Authorization".to_owned(), "Basic dXNlcjpwYXNz".to_owned());
        assert_eq!(curl.headers, [authorization]);
        let curl = parse("curl -G http://a.example/ --data-urlencode 'q=a b'").unwrap();
        assert_eq!(curl.url.as_deref(), Some("http://a.example/?q=a+b"));
        assert_eq!(curl.body, None);
    }

    #[test]
    fn mistakes_are_told() {
        for text in [
            "",
            "wget http://a/",
            "curl",
            "curl -H",
            "curl --bogus http://a/",
            "curl 'x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        // The value attached to an option may be a secret.
        for (text, option) in [
            ("curl http://a/ -Eu:s3cr3t", "-E"),
            ("curl http://a/ -Zs3cr3t", "-Z"),
            ("curl http://a/ -\u{e9}s3cr3t", "-\u{e9}"),
            ("curl http://a/ --oauth2-bearer=s3cr3t", "--oauth2-bearer"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.contains(option) && !error.contains("s3cr3t"),
                "{error}"
            );
        }
        assert!(parse("curl http://a/ -Uuser:s3cr3t -sS").is_ok());
    }
}
