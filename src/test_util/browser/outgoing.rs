use http::{
    HeaderValue, Method, Request, Response, Uri,
    header::{COOKIE, ORIGIN, SET_COOKIE},
};

use super::{
    cookie_jar::Caller,
    exchange::Sent,
    journey::{Journey, Tainting},
    metadata,
    page_request::{Mode, RequestUrl},
    redirect,
};
use crate::{
    origin::RequestOrigin,
    test_util::{Credentials, fetch::Fetch},
};

/// The requests of a journey, and its cookies.
impl Journey {
    /// The request to the current URL, with the origin that it tells
    /// (<https://fetch.spec.whatwg.org/#serializing-a-request-origin>).
    pub(super) fn fetch(&self) -> Fetch {
        let uri = self.current().to_string().parse().unwrap_or_default();
        let mut fetch = self
            .request
            .fetch_to(uri)
            .credentials(self.request.credentials);
        fetch.use_cors_preflight = self.request.use_cors_preflight;
        if redirect::is_tainted(&self.origin, &self.urls) {
            fetch.origin = RequestOrigin::Opaque;
        }
        fetch
    }

    pub(super) fn preflight_fetch(&self, fetch: &Fetch) -> Fetch {
        let mut fetch = fetch.clone();
        let engine = self.engine();
        if engine.preflights_with_page_origin() {
            fetch.origin = self.origin.clone();
        }
        if engine.asks_for_dropped_authorization() {
            fetch.headers.extend(self.dropped.iter().cloned());
        }
        fetch
    }

    pub(super) fn actual(&self, fetch: &Fetch) -> Request<()> {
        let mut request = fetch.request(()).expect("the method was checked before");
        let is_safe = matches!(self.request.method, Method::GET | Method::HEAD);
        // https://fetch.spec.whatwg.org/#append-a-request-origin-header
        if self.tainting != Tainting::Cors && is_safe {
            request.headers_mut().remove(ORIGIN);
        } else if self.tainting != Tainting::Cors && self.lowers_security() {
            // The default referrer policy does not tell of pages with transport security.
            request
                .headers_mut()
                .insert(ORIGIN, HeaderValue::from_static("null"));
        }
        if self.includes_credentials() {
            let browser = self.request.page.browser();
            let (to, now) = (self.current(), browser.now().now());
            let cookies = browser.kept().cookies.header(to, self.caller(), now);
            if let Some(Ok(cookies)) = cookies.map(HeaderValue::try_from) {
                request.headers_mut().insert(COOKIE, cookies);
            }
        }
        request
    }

    fn lowers_security(&self) -> bool {
        let page = self.request.page.address();
        page.is_some_and(|page| page.scheme() == "https") && self.current().scheme() != "https"
    }

    /// <https://fetch.spec.whatwg.org/#http-network-or-cache-fetch>, step 8.3.
    fn includes_credentials(&self) -> bool {
        match self.request.credentials {
            Credentials::Include => true,
            Credentials::SameOrigin => self.tainting == Tainting::Basic,
            Credentials::Omit => false,
        }
    }

    fn caller(&self) -> Caller {
        let navigates = self.request.mode == Mode::Navigate;
        let method = navigates.then_some(&self.request.method);
        self.request.page.caller(self.current(), method)
    }

    pub(super) fn keep_cookies<B>(&self, answer: &Response<B>) {
        if !self.includes_credentials() {
            return;
        }
        let browser = self.request.page.browser();
        // The answer to a navigation is the page of its own site.
        let caller = match self.request.mode {
            Mode::Navigate => Caller::SameSite,
            Mode::Cors | Mode::NoCors => self.caller(),
        };
        let (from, now) = (self.current(), browser.now().now());
        let mut kept = browser.kept();
        for line in answer.headers().get_all(SET_COOKIE) {
            let line = String::from_utf8_lossy(line.as_bytes());
            kept.cookies.store(&line, from, caller, now);
        }
    }

    /// What goes with every request.
    pub(super) fn prepare(
        &self,
        mut request: Request<()>,
        preflight: Preflight,
    ) -> (Request<()>, Sent) {
        let mode = match preflight {
            Preflight::Yes => Mode::Cors,
            Preflight::No => self.request.mode,
        };
        let is_redirected = self.urls.windows(2).any(|pair| match pair {
            [before, after] => !before.is_same_origin(after),
            _ => false,
        });
        if preflight == Preflight::Yes
            || !is_redirected
            || self.engine().has_metadata_after_redirect()
        {
            metadata::insert(request.headers_mut(), &self.request.page, &self.urls, mode);
        }
        let url = self.current().to_string();
        let uri: Uri = url.parse().unwrap_or_default();
        request.extensions_mut().insert(RequestUrl(uri));
        let sent = Sent {
            method: request.method().clone(),
            url,
            headers: request.headers().clone(),
        };
        (request, sent)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Preflight {
    Yes,
    No,
}
