use std::{ffi::OsString, time::Duration};

use hyper::body::Bytes;
use lexopt::{
    Arg::{Long, Short, Value},
    ValueExt,
};

use super::{
    command::Asked,
    curl,
    help::{HELP, VERSION},
    plan::{command, read_file},
};
use crate::{fetch::Browser, net::ConnectTo};

/// The options as they are written.
#[derive(Default)]
pub(super) struct Raw {
    pub(super) urls: Vec<String>,
    pub(super) origin: Option<String>,
    pub(super) page: Option<String>,
    pub(super) method: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Bytes>,
    pub(super) credentials: bool,
    pub(super) cookies: Option<String>,
    pub(super) reads: Vec<String>,
    pub(super) preflight: bool,
    pub(super) send: bool,
    pub(super) curl: Option<String>,
    pub(super) har: Option<OsString>,
    pub(super) upstream: Option<String>,
    pub(super) connect_to: Vec<ConnectTo>,
    pub(super) cacert: Option<OsString>,
    pub(super) insecure: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) browser: Browser,
    pub(super) no_probes: bool,
    pub(super) watch: Option<Duration>,
    pub(super) json: bool,
    pub(super) strict: bool,
    pub(super) show_secrets: bool,
}

/// Reads the command line.
///
/// # Errors
///
/// It makes no sense: the text says why, without repeating secrets.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Asked, String> {
    let mut raw = Raw::default();
    if let Some(text) = read(lexopt::Parser::from_args(args), &mut raw).map_err(|e| told(&e))? {
        return Ok(Asked::Print(text.to_owned()));
    }
    let curl = match raw.curl.take() {
        Some(text) => Some(curl::parse(&text)?),
        None => None,
    };
    Ok(Asked::Examine(Box::new(command(raw, curl)?)))
}

fn read(mut parser: lexopt::Parser, raw: &mut Raw) -> Result<Option<&'static str>, lexopt::Error> {
    while let Some(arg) = parser.next()? {
        match arg {
            Value(url) => raw.urls.push(url.string()?),
            Long("origin") => raw.origin = Some(parser.value()?.string()?),
            Long("page") => raw.page = Some(parser.value()?.string()?),
            Short('X') | Long("method") => raw.method = Some(parser.value()?.string()?),
            Short('H') | Long("header") => {
                let header = parser.value()?.string()?;
                raw.headers.push(header_line(&header)?);
            }
            Short('d') | Long("body") => {
                let text = parser.value()?.string()?;
                raw.body = Some(body(&text)?);
            }
            Long("credentials") => raw.credentials = true,
            Long("cookie") => raw.cookies = Some(parser.value()?.string()?),
            Long("reads") => raw
                .reads
                .push(parser.value()?.string()?.to_ascii_lowercase()),
            Long("preflight") => raw.preflight = true,
            Long("send") => raw.send = true,
            Long("curl") => raw.curl = Some(text_or_stdin(parser.value()?.string()?)?),
            Long("har") => raw.har = Some(parser.value()?),
            Long("upstream") => raw.upstream = Some(parser.value()?.string()?),
            Long("connect-to") => {
                let text = parser.value()?.string()?;
                let rule = ConnectTo::parse(&text);
                raw.connect_to.push(rule.ok_or_else(|| {
                    format!("--connect-to {text:?}: write HOST:PORT:ADDRESS:PORT")
                })?);
            }
            Long("cacert") => raw.cacert = Some(parser.value()?),
            Short('k') | Long("insecure") => raw.insecure = true,
            Long("timeout") => {
                let text = parser.value()?.string()?;
                raw.timeout = Some(seconds("--timeout", &text)?);
            }
            Long("browser") => {
                raw.browser = match parser.value()?.string()?.as_str() {
                    "chromium" => Browser::Chromium,
                    "standard" => Browser::Standard,
                    other => {
                        return Err(format!("--browser {other:?}: chromium or standard").into());
                    }
                }
            }
            Long("no-probes") => raw.no_probes = true,
            Long("watch") => raw.watch = Some(watch(&mut parser)?),
            Long("json") => raw.json = true,
            Long("strict") => raw.strict = true,
            Long("show-secrets") => raw.show_secrets = true,
            Short('h') | Long("help") => return Ok(Some(HELP)),
            Short('V') | Long("version") => return Ok(Some(VERSION)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(None)
}

/// The text of the mistake, without the argument's value: it may be a secret.
fn told(error: &lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedValue { option, .. } => format!("{option} takes no value"),
        lexopt::Error::NonUnicodeValue(_) => "an argument is not UTF-8".to_owned(),
        other => other.to_string(),
    }
}

fn header_line(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        // What stands there may be a secret.
        None => Err("--header: write 'Name: value'".into()),
    }
}

fn body(text: &str) -> Result<Bytes, String> {
    match text.strip_prefix('@') {
        Some("-") => stdin().map(Bytes::from),
        Some(file) => read_file("--body", &OsString::from(file)).map(Bytes::from),
        None => Ok(Bytes::copy_from_slice(text.as_bytes())),
    }
}

/// `--watch` with or without a number behind it.
fn watch(parser: &mut lexopt::Parser) -> Result<Duration, lexopt::Error> {
    const DEFAULT: Duration = Duration::from_secs(2);
    if let Some(text) = parser.optional_value() {
        return Ok(seconds("--watch", &text.string()?)?);
    }
    let Some(mut rest) = parser.try_raw_args() else {
        return Ok(DEFAULT);
    };
    let number = rest
        .peek()
        .and_then(|next| next.to_str())
        .filter(|n| n.parse::<f64>().is_ok());
    let Some(number) = number.map(str::to_owned) else {
        return Ok(DEFAULT);
    };
    rest.next();
    Ok(seconds("--watch", &number)?)
}

fn seconds(option: &str, text: &str) -> Result<Duration, String> {
    /// A day, beyond which no number is meant.
    const MAX: f64 = 86_400.0;
    text.parse::<f64>()
        .ok()
        .filter(|seconds| *seconds > 0.0 && *seconds <= MAX)
        .map(Duration::from_secs_f64)
        .ok_or_else(|| format!("{option} {text:?}: write a number of seconds above 0"))
}

fn text_or_stdin(text: String) -> Result<String, String> {
    if text != "-" {
        return Ok(text);
    }
    String::from_utf8(stdin()?).map_err(|_| "--curl: standard input is not UTF-8 text".into())
}

fn stdin() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes)
        .map_err(|error| format!("standard input: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Command;

    fn command(line: &[&str]) -> Result<Command, String> {
        match parse(line.iter().map(OsString::from))? {
            Asked::Examine(command) => Ok(*command),
            Asked::Print(text) => Err(text),
        }
    }

    const URL: &str = "http://127.0.0.1:8080/items";

    #[test]
    fn a_request_is_read() {
        let command = command(&[
            URL,
            "--origin",
            "https://app.example.com/path",
            "-X",
            "put",
            "-H",
            "X-Id: 7",
            "-d",
            "{}",
            "--cookie",
            "a=b",
            "--reads",
            "X-Total",
            "--watch",
            "--json",
        ])
        .unwrap();
        let [planned] = &command.planned[..] else {
            panic!("{:?}", command.planned)
        };
        assert_eq!(
            planned.origin.as_ref().unwrap().as_str(),
            "https://app.example.com"
        );
        assert_eq!(planned.request.method, "PUT");
        assert!(planned.request.credentials);
        assert_eq!(command.reads, ["x-total"]);
        assert_eq!(command.watch, Some(Duration::from_secs(2)));
        assert!(command.probing && command.json && !command.send);
    }

    #[test]
    fn watch_takes_a_number_and_no_url() {
        let watch = |line: &[&str]| {
            let line = [&["--origin", "null"], line].concat();
            command(&line)
                .map(|c| (c.watch.unwrap().as_secs(), c.planned.len()))
                .unwrap()
        };
        assert_eq!(watch(&["--watch", "5", URL]), (5, 1));
        assert_eq!(watch(&["--watch=7", URL]), (7, 1));
        assert_eq!(watch(&["--watch", URL, URL]), (2, 2));
        assert_eq!(watch(&[URL, "--watch"]), (2, 1));
    }

    #[test]
    fn mistakes_are_told_without_secrets() {
        for (line, expected) in [
            (&[][..], "no URL"),
            (&[URL], "no origin"),
            (&[URL, "--origin", "app.example.com"], "no scheme"),
            (&["items", "--origin", "null"], "relative URL"),
            (&["ftp://a.example/", "--origin", "null"], "scheme"),
            (&[URL, "--origin", "null", "-H", "s3cr3t"], "Name: value"),
            (&[URL, "--origin", "null", "-X", "G T"], "method"),
            (
                &[URL, "--origin", "null", "-X", "GET", "-d", "x"],
                "no body",
            ),
            (&[URL, "--origin", "null", "--timeout", "0"], "seconds"),
            (
                &[URL, "--origin", "null", "--browser", "netscape"],
                "chromium or standard",
            ),
            (&[URL, "--origin", "null", "--connect-to", "a"], "HOST:PORT"),
            (
                &[URL, "--origin", "null", "--cacert", "/nowhere"],
                "--cacert",
            ),
            (&[URL, "--origin", "null", "--reads", "a b"], "--reads"),
            (&[URL, "--origin"], "missing argument"),
            (&["--bogus"], "--bogus"),
            (&["http://u:s3cr3t@[/", "--origin", "null"], "URL"),
            (&[URL, "--origin", "https://u:s3cr3t/x@a.example"], "origin"),
            (
                &[URL, "--origin", "null", "-H", "X-Api-Key s3cr3t:def"],
                "header",
            ),
            (&[URL, "--origin", "null", "--send=s3cr3t"], "--send"),
            (&[URL, "--origin", "null", "-ks3cr3t"], "-s"),
        ] {
            let error = command(line).unwrap_err();
            assert!(error.contains(expected), "{line:?}: {error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_are_not_repeated() {
        use std::os::unix::ffi::OsStringExt;
        let header = OsString::from_vec(b"Authorization: s3cr3t\xff".to_vec());
        let error = parse([OsString::from("-H"), header]).unwrap_err();
        assert!(
            error.contains("UTF-8") && !error.contains("s3cr3t"),
            "{error}"
        );
    }
}
