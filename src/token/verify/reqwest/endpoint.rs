use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use reqwest::{Client, ClientBuilder, RequestBuilder, Url, redirect};

use crate::{debug_as_display::debug_as_display, token::verify::FetchError};

/// One URL of an issuer, and how it is asked.
#[derive(Clone)]
pub(crate) struct Endpoint {
    client: Client,
    url: Url,
    pub(crate) timeout: Duration,
    pub(crate) max_body: usize,
}

/// Which networks the questions and answers may cross without TLS.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum PlainHttp {
    Loopback,
    Anywhere,
}

impl Endpoint {
    pub(crate) fn new(
        client: ClientBuilder,
        url: &str,
        redirects: redirect::Policy,
        plain_http: PlainHttp,
    ) -> Result<Self, EndpointError> {
        let url = checked(url)?;
        if url.scheme() == "http" && plain_http == PlainHttp::Loopback && !is_loopback(&url) {
            return Err(EndpointError::Insecure);
        }
        let client = client_for(client, &url)
            .redirect(redirects)
            .referer(false)
            .build()
            .map_err(|_| EndpointError::Client)?;
        Ok(Self {
            client,
            url,
            timeout: Duration::from_secs(5),
            max_body: 64 * 1024,
        })
    }

    /// Another URL, which a document at this one names, asked by the same client. It is `http` only
    /// where this one is, too, and on the same host.
    #[cfg(feature = "jwt")]
    pub(crate) fn sibling(&self, url: &str) -> Result<Self, EndpointError> {
        let url = checked(url)?;
        let is_plain_here = self.url.scheme() == "http" && self.url.host() == url.host();
        if url.scheme() == "http" && !is_plain_here {
            return Err(EndpointError::Insecure);
        }
        Ok(Self {
            url,
            ..self.clone()
        })
    }

    pub(crate) fn get(&self) -> RequestBuilder {
        self.client.get(self.url.clone()).timeout(self.timeout)
    }

    pub(crate) fn post(&self) -> RequestBuilder {
        self.client.post(self.url.clone()).timeout(self.timeout)
    }

    /// Sends a request and reads the answer, as far as the bound.
    pub(crate) async fn exchange(
        &self,
        request: RequestBuilder,
        is_expected: fn(&str) -> bool,
    ) -> Result<Bytes, FetchError> {
        let mut response = request.send().await.map_err(from_reqwest)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        if !content_type.is_some_and(|value| is_expected(&essence(value))) {
            return Err(FetchError::MediaType);
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(from_reqwest)? {
            if body.len() + chunk.len() > self.max_body {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

fn checked(url: &str) -> Result<Url, EndpointError> {
    let url = Url::parse(url).map_err(|_| EndpointError::Url)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointError::UserInfo);
    }
    match url.scheme() {
        "https" | "http" => Ok(url),
        _ => Err(EndpointError::Url),
    }
}

/// Keeps unencrypted requests on this machine. A proxy would read their tokens and secrets, and
/// could answer in the issuer's place; so could the host that a forged DNS answer names.
fn client_for(client: ClientBuilder, url: &Url) -> ClientBuilder {
    if url.scheme() != "http" {
        return client;
    }
    let client = client.no_proxy();
    match url.host_str().filter(|host| is_local_name(host)) {
        // The port of the URL is used where the one given here is 0.
        Some(host) => client.resolve_to_addrs(
            host,
            &[
                (Ipv4Addr::LOCALHOST, 0).into(),
                (Ipv6Addr::LOCALHOST, 0).into(),
            ],
        ),
        None => client,
    }
}

/// A JWK set (RFC 7517, section 8.5.2), or JSON of any other kind.
pub(crate) fn is_json(media_type: &str) -> bool {
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

/// Follows at most three redirects, to the same scheme, host and port: another host does not get to
/// choose the keys.
pub(crate) fn same_origin_redirects() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let previous = attempt.previous();
        let is_home = previous
            .first()
            .is_some_and(|first| first.origin() == attempt.url().origin());
        if is_home && previous.len() <= 3 {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    let ipv6 = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    is_local_name(host)
        || host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
        || ipv6.is_some_and(|ip| ip.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback()))
}

/// RFC 6761, section 6.3: names that resolve to this machine, whatever DNS says.
fn is_local_name(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// A media type without its parameters, in lower case.
fn essence(content_type: &HeaderValue) -> String {
    let value = content_type.to_str().unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default();
    essence.trim_matches([' ', '\t']).to_ascii_lowercase()
}

/// The kind alone: an error of `reqwest` names the URL.
fn from_reqwest(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::Timeout
    } else {
        FetchError::Unreachable
    }
}

/// A query may hold a secret: only scheme, host and port are printed.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("origin", &self.url.origin().ascii_serialization())
            .field("timeout", &self.timeout)
            .field("max_body", &self.max_body)
            .finish_non_exhaustive()
    }
}

/// Why an issuer cannot be asked at a URL.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is not an `http` or `https` URL.
    #[error("the issuer's URL is not an https URL: write it as in https://login.example.com/keys")]
    Url,
    /// It has a user name or password, which would end up in logs.
    #[error("the issuer's URL has a user name or password: leave them out")]
    UserInfo,
    /// It is `http`, and not on this machine.
    #[error(
        "the issuer's URL is http: anybody who controls the network would choose the keys: write https, \
         or use a constructor whose name begins with dangerously_"
    )]
    Insecure,
    /// `reqwest` cannot make a client as configured.
    #[error("the HTTP client cannot be made: look at its TLS and proxy settings")]
    Client,
}

debug_as_display!(EndpointError);

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, plain_http: PlainHttp) -> Result<Endpoint, EndpointError> {
        let client = Client::builder().no_proxy();
        Endpoint::new(client, url, redirect::Policy::none(), plain_http)
    }

    #[test]
    fn tls_is_required_except_on_this_machine() {
        use EndpointError::*;
        for (url, expected) in [
            ("https://login.example.com/keys?tenant=1", Ok(())),
            ("http://127.0.0.1:8080/keys", Ok(())),
            ("http://127.1/keys", Ok(())),
            ("http://[::1]/keys", Ok(())),
            ("http://localhost/keys", Ok(())),
            ("http://keys.localhost/", Ok(())),
            ("http://login.example.com/keys", Err(Insecure)),
            ("http://10.0.0.1/keys", Err(Insecure)),
            ("http://localhost.example.com/keys", Err(Insecure)),
            ("http://127.0.0.1.example.com/keys", Err(Insecure)),
            ("https://user@login.example.com/keys", Err(UserInfo)),
            ("https://:secret@login.example.com/keys", Err(UserInfo)),
            ("ftp://login.example.com/keys", Err(Url)),
            ("file:///keys", Err(Url)),
            ("login.example.com/keys", Err(Url)),
            ("", Err(Url)),
        ] {
            let made = endpoint(url, PlainHttp::Loopback).map(|_| ());
            assert_eq!(made, expected, "{url}");
        }
        let url = "http://login.example.com/keys";
        assert!(endpoint(url, PlainHttp::Anywhere).is_ok());
    }

    #[test]
    fn the_query_is_not_printed() {
        let made = endpoint("https://a.example/keys?key=secret", PlainHttp::Loopback);
        assert_eq!(
            format!("{:?}", made.unwrap()),
            "Endpoint { origin: \"https://a.example\", timeout: 5s, max_body: 65536, .. }",
        );
    }

    #[test]
    fn json_is_known_by_its_media_type() {
        for (media_type, expected) in [
            ("application/json", true),
            ("application/jwk-set+json", true),
            ("application/jwt", false),
            ("image/svg+json", false),
            ("application/json5", false),
            ("", false),
        ] {
            assert_eq!(is_json(media_type), expected, "{media_type}");
        }
    }

    #[test]
    fn parameters_of_a_media_type_do_not_matter() {
        for (value, expected) in [
            ("application/json", "application/json"),
            ("Application/JSON ; charset=utf-8", "application/json"),
            ("text/html", "text/html"),
            ("", ""),
        ] {
            assert_eq!(essence(&HeaderValue::from_static(value)), expected);
        }
    }
}
