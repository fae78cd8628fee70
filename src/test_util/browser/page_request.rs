use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, Uri};
use tower_service::Service;

use super::{journey::Journey, page::Page, played::Played};
use crate::test_util::{Credentials, Failure, fetch::Fetch};

/// A request of a [`Page`], before it is sent.
///
/// What `fetch()` does not take is not sent: [`Outcome::NotSent`](crate::test_util::Outcome::NotSent)
/// says why.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is sent"]
pub struct PageRequest {
    pub(super) page: Page,
    pub(super) url: String,
    pub(super) method: Method,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) credentials: Credentials,
    pub(super) body: Option<Bytes>,
    pub(super) mode: Mode,
    pub(super) use_cors_preflight: bool,
    /// The first thing that `fetch()` does not take.
    pub(super) mistake: Option<Failure>,
}

/// A request's [mode](https://fetch.spec.whatwg.org/#concept-request-mode).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Cors,
    NoCors,
    Navigate,
}

/// The URL that a request was sent to. It is in the request's extensions, for a service that goes on
/// over the network; the request itself has the path alone, and the host in `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestUrl(pub(super) Uri);

impl RequestUrl {
    /// The whole URL.
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

impl PageRequest {
    pub(super) fn fetch(page: Page, url: &str) -> Self {
        Self {
            page,
            url: url.to_owned(),
            method: Method::GET,
            headers: Vec::new(),
            credentials: Credentials::default(),
            body: None,
            mode: Mode::Cors,
            use_cors_preflight: false,
            mistake: None,
        }
    }

    pub(super) fn navigation(page: Page, url: &str, method: &str) -> Self {
        let mut request = Self::fetch(page, url).method(method);
        request.mode = Mode::Navigate;
        request.credentials = Credentials::Include;
        request
    }

    /// Sets the method. As `fetch()` does, it writes six methods in upper case, and leaves `patch`
    /// as it is.
    pub fn method(mut self, method: &str) -> Self {
        match Method::from_bytes(method.as_bytes()) {
            Ok(method) => self.method = method,
            Err(_) => self.mistake(Failure::InvalidMethod(method.to_owned())),
        }
        self
    }

    /// Adds a header. A [forbidden] one is left out without a word.
    ///
    /// [forbidden]: https://fetch.spec.whatwg.org/#forbidden-request-header
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let value = value.trim_matches([' ', '\t', '\r', '\n']);
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => self.headers.push((name, value)),
            _ => self.mistake(Failure::InvalidHeader(name.to_owned())),
        }
        self
    }

    /// Sets the credentials mode. Default: [`Credentials::SameOrigin`].
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Sets the body, a text. Without a `Content-Type` of its own the request gets
    /// `text/plain;charset=UTF-8`, as in browsers.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Has a preflight come first in any case, as with upload listeners and streamed bodies
    /// ([Fetch](https://fetch.spec.whatwg.org/#use-cors-preflight-flag)).
    pub fn use_cors_preflight(mut self) -> Self {
        self.use_cors_preflight = true;
        self
    }

    /// Sets the mode `no-cors`: no preflight, and an answer that the page cannot read, as for images
    /// and scripts. Headers that are not safelisted are left out without a word, and methods other
    /// than `GET`, `HEAD` and `POST` are not sent.
    pub fn no_cors(mut self) -> Self {
        self.mode = Mode::NoCors;
        self
    }

    /// Plays the request against a service: the preflight where one is needed and not remembered,
    /// the request, the redirects, and what the page makes of the answer.
    ///
    /// The service gets the requests to all hosts; it tells them apart by `Host`. For a service that
    /// takes any body, as axum's, [`send_as`](Self::send_as) names the one.
    ///
    /// # Errors
    ///
    /// The service's own error; a browser would see a network error.
    pub async fn send<S, ReqBody, ResBody>(self, service: S) -> Result<Played<ResBody>, S::Error>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>>,
        ReqBody: From<Bytes>,
    {
        self.send_as(service, ReqBody::from).await
    }

    /// As [`send`](Self::send), with a body that the service takes: `send_as(app, Body::from)`.
    ///
    /// # Errors
    ///
    /// The service's own error; a browser would see a network error.
    pub async fn send_as<S, ReqBody, ResBody>(
        self,
        mut service: S,
        body: impl Fn(Bytes) -> ReqBody,
    ) -> Result<Played<ResBody>, S::Error>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    {
        let mut journey = Journey::new(self);
        let outcome = journey.play(&mut service, body).await?;
        Ok(journey.end(outcome))
    }

    fn mistake(&mut self, failure: Failure) {
        self.mistake.get_or_insert(failure);
    }

    /// The headers that are sent, by the rules that [`Fetch::header`] knows.
    pub(super) fn fetch_to(&self, uri: Uri) -> Fetch {
        let fetch = Fetch::new(self.page.origin(), self.method.clone(), uri);
        let headers = if self.page.browser().own_engine().joins_lines() {
            joined(&self.headers)
        } else {
            self.headers.clone()
        };
        let headers = headers.into_iter();
        headers.fold(fetch, |fetch, (name, value)| fetch.header(name, value))
    }
}

/// The lines of each name as one, in the order of the first ones.
fn joined(lines: &[(HeaderName, HeaderValue)]) -> Vec<(HeaderName, HeaderValue)> {
    let mut joined: Vec<(HeaderName, Vec<u8>)> = Vec::new();
    for (name, value) in lines {
        match joined.iter_mut().find(|(known, _)| known == name) {
            Some((_, text)) => {
                text.extend_from_slice(b", ");
                text.extend_from_slice(value.as_bytes());
            }
            None => joined.push((name.clone(), value.as_bytes().to_vec())),
        }
    }
    let value = |text: Vec<u8>| HeaderValue::try_from(text).expect("values stay valid when joined");
    let joined = joined.into_iter();
    joined.map(|(name, text)| (name, value(text))).collect()
}
