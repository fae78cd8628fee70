//! From the options to what is to be examined.

use std::{ffi::OsString, time::Duration};

use http::HeaderValue;
use url::Url;

use super::{
    command::{Command, Planned},
    curl::Curl,
    har,
    parse::Raw,
};
use crate::{
    fetch::PageRequest,
    net::{Tls, Transport},
    page::Origin,
};

pub(super) fn command(raw: Raw, curl: Option<Curl>) -> Result<Command, String> {
    let page = raw
        .page
        .as_deref()
        .map(|text| web_url("--page", text))
        .transpose()?;
    let origin = raw
        .origin
        .as_deref()
        .map(Origin::parse)
        .transpose()
        .map_err(|e| e.to_string())?;
    if raw.har.is_some() {
        har_alone(&raw)?;
    }
    let cookies = raw.cookies.as_deref().map(cookie_header).transpose()?;
    let insecure = raw.insecure || curl.as_ref().is_some_and(|curl| curl.insecure);
    let mut planned = match &raw.har {
        Some(file) => {
            let name = file.to_string_lossy();
            let bytes = read_file("--har", file)?;
            har::parse(&bytes, raw.browser).map_err(|error| format!("--har {name:?}: {error}"))?
        }
        None => Vec::new(),
    };
    let has_other_source = !raw.urls.is_empty() || curl.is_some();
    if has_other_source || raw.har.is_none() {
        planned.extend(plan(&raw, curl, origin.as_ref(), page.is_some())?);
    }
    for one in &mut planned {
        let request = &mut one.request;
        request.listens |= raw.preflight;
        // Browsers leave cookies out of HAR files, so --cookie counts for all requests.
        if let Some(cookies) = &cookies {
            request.cookies = Some(cookies.clone());
        }
        request.credentials |= raw.credentials || request.cookies.is_some();
        if let Some(origin) = &origin {
            one.origin = Some(origin.clone());
        }
    }
    for name in &raw.reads {
        if http::HeaderName::try_from(name.as_str()).is_err() {
            return Err(format!("--reads {name:?}: no header has such a name"));
        }
    }
    let pem = raw
        .cacert
        .as_ref()
        .map(|file| read_file("--cacert", file))
        .transpose()?;
    let tls = Tls::new(pem.as_deref(), insecure).map_err(|error| format!("--cacert: {error}"))?;
    Ok(Command {
        planned,
        page,
        reads: raw.reads,
        send: raw.send,
        browser: raw.browser,
        upstream: raw
            .upstream
            .as_deref()
            .map(|text| web_url("--upstream", text))
            .transpose()?,
        insecure,
        transport: Transport {
            connect_to: raw.connect_to,
            tls,
            timeout: raw.timeout.unwrap_or(Duration::from_secs(10)),
        },
        probing: !raw.no_probes,
        watch: raw.watch,
        json: raw.json,
        strict: raw.strict,
        show_secrets: raw.show_secrets,
    })
}

/// The URLs of the command line, or the one of `--curl`, with what the page passes for them.
fn plan(
    raw: &Raw,
    curl: Option<Curl>,
    origin: Option<&Origin>,
    has_page: bool,
) -> Result<Vec<Planned>, String> {
    let curl = curl.unwrap_or_default();
    let mut urls = raw.urls.clone();
    if urls.is_empty() {
        urls.extend(curl.url);
    }
    if urls.is_empty() {
        return Err("no URL: say which one the page calls (--help says more)".into());
    }
    let origin = match (origin, curl.origin) {
        (Some(origin), _) => Some(origin.clone()),
        (None, Some(text)) => Some(Origin::parse(&text).map_err(|error| error.to_string())?),
        (None, None) if has_page => None,
        (None, None) => {
            return Err("no origin: say --origin https://app.example.com, or --page URL".into());
        }
    };
    let headers: Vec<_> = curl
        .headers
        .into_iter()
        .chain(raw.headers.iter().cloned())
        .collect();
    let method = raw.method.as_deref().or(curl.method.as_deref());
    let body = raw.body.clone().or(curl.body);
    let mut request = PageRequest::new(method, &headers, body, raw.browser)?;
    request.cookies = curl.cookies.as_deref().map(cookie_header).transpose()?;
    urls.iter()
        .map(|text| {
            Ok(Planned {
                url: target_url(text)?,
                origin: origin.clone(),
                request: request.clone(),
            })
        })
        .collect()
}

/// Refuses options that describe one request: each request of the file has its own method, headers
/// and body.
fn har_alone(raw: &Raw) -> Result<(), String> {
    let settings = [
        ("--method", raw.method.is_some()),
        ("--header", !raw.headers.is_empty()),
        ("--body", raw.body.is_some()),
    ];
    match settings.iter().find(|(_, is_set)| *is_set) {
        Some((setting, _)) => Err(format!(
            "{setting}: the requests of --har have their own: leave it out, or write the one \
             request as URL and options in place of --har"
        )),
        None => Ok(()),
    }
}

fn cookie_header(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::try_from(text.trim())
        .map_err(|_| "--cookie: it has a character that no header may have".to_owned())
}

fn target_url(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| url_error("URL", text, &error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https" | "ws" | "wss") {
        return Err(url_error(
            "URL",
            text,
            "its scheme is not http, https, ws or wss",
        ));
    }
    // No browser sends it.
    url.set_fragment(None);
    Ok(url)
}

fn web_url(option: &str, text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| url_error(option, text, &error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(url_error(
            option,
            text,
            "its scheme is neither http nor https",
        ));
    }
    url.set_fragment(None);
    Ok(url)
}

/// A text that may have a password in it is not repeated.
fn url_error(what: &str, text: &str, why: &str) -> String {
    if text.contains('@') {
        format!("{what}: {why}")
    } else {
        format!("{what} {text:?}: {why}")
    }
}

pub(super) fn read_file(option: &str, file: &OsString) -> Result<Vec<u8>, String> {
    let name = file.to_string_lossy();
    std::fs::read(file).map_err(|error| format!("{option} {name:?}: {error}"))
}
