use std::borrow::Cow;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE,
        CONTENT_LOCATION, CONTENT_TYPE, SET_COOKIE,
    },
};
use tower_service::Service;

use super::{
    address::Address,
    engine::Engine,
    exchange::Exchange,
    outgoing::Preflight,
    page_request::{Mode, PageRequest},
    played::Played,
    redirect,
};
use crate::{
    origin::RequestOrigin,
    test_util::{
        Failure, Outcome,
        fetch::Fetch,
        outcome::call,
        safelist::{names_of_unsafe_lines, unsafe_names},
    },
};

/// A request on its way, over all its redirects: Fetch's [main fetch].
///
/// [main fetch]: https://fetch.spec.whatwg.org/#main-fetch
pub(super) struct Journey {
    pub(super) request: PageRequest,
    pub(super) origin: RequestOrigin,
    /// <https://fetch.spec.whatwg.org/#concept-request-url-list>
    pub(super) urls: Vec<Address>,
    pub(super) tainting: Tainting,
    pub(super) was_preflighted: bool,
    /// What another origin did not get.
    pub(super) dropped: Vec<(HeaderName, HeaderValue)>,
    pub(super) exchanges: Vec<Exchange>,
}

/// <https://fetch.spec.whatwg.org/#concept-request-response-tainting>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tainting {
    Basic,
    Cors,
    Opaque,
}

impl Journey {
    pub(super) fn new(request: PageRequest) -> Self {
        Self {
            origin: request.page.origin(),
            request,
            urls: Vec::new(),
            tainting: Tainting::Basic,
            was_preflighted: false,
            dropped: Vec::new(),
            exchanges: Vec::new(),
        }
    }

    pub(super) async fn play<S, ReqBody, ResBody>(
        &mut self,
        service: &mut S,
        body: impl Fn(Bytes) -> ReqBody,
    ) -> Result<Outcome<ResBody>, S::Error>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    {
        match self.request.start() {
            Ok(address) => self.urls.push(address),
            Err(failure) => return Ok(Outcome::NotSent(failure)),
        }
        loop {
            self.taint();
            let fetch = self.fetch();
            if let Err(failure) = fetch.request(()) {
                return Ok(Outcome::NotSent(failure));
            }
            let needs_preflight = self.needs_preflight(&fetch);
            if needs_preflight && !self.is_remembered(&fetch) {
                let asked = self.preflight_fetch(&fetch);
                let names = if self.engine().repeats_names() {
                    names_of_unsafe_lines(&asked.headers)
                } else {
                    unsafe_names(&asked.headers)
                };
                let preflight = asked.preflight_for(names);
                let (preflight, sent) = self.prepare(preflight, Preflight::Yes);
                let answer = call(service, preflight.map(|()| body(Bytes::new()))).await?;
                self.exchanges.push(Exchange::new(sent, true, &answer));
                if let Err(failure) = self.judge_preflight(&asked, &answer) {
                    if self.engine().forgets_after_failed_preflight() {
                        self.forget(&asked);
                    }
                    return Ok(Outcome::PreflightFailed(self.failed(failure), answer));
                }
            }
            self.was_preflighted |= needs_preflight;
            let request = self.actual(&fetch);
            let (request, sent) = self.prepare(request, Preflight::No);
            let content = self.request.body.clone().unwrap_or_default();
            let answer = call(service, request.map(|()| body(content))).await?;
            self.exchanges.push(Exchange::new(sent, false, &answer));
            self.keep_cookies(&answer);
            match self.judge(&fetch, &answer) {
                Ok(Next::Redirect(to)) => self.follow(to, &answer),
                Ok(Next::End) => return Ok(self.deliver(&fetch, answer)),
                Err(failure) => {
                    if self.was_preflighted && self.engine().forgets_after_failure() {
                        self.forget(&fetch);
                    }
                    return Ok(Outcome::Blocked(self.failed(failure), answer));
                }
            }
        }
    }

    pub(super) fn end<B>(self, outcome: Outcome<B>) -> Played<B> {
        let origin = self.origin.clone().into_header_value();
        let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
        Played {
            page: format!("a page of {origin}"),
            engine: self.engine(),
            outcome,
            exchanges: self.exchanges,
        }
    }

    pub(super) fn current(&self) -> &Address {
        self.urls
            .last()
            .expect("there is an address before anything is sent")
    }

    /// Step 12 of main fetch: once another origin has been asked, the answer stays one of CORS.
    fn taint(&mut self) {
        let crosses =
            self.current().origin() != self.origin || self.origin == RequestOrigin::Opaque;
        if self.tainting == Tainting::Basic && crosses {
            self.tainting = match self.request.mode {
                Mode::Cors => Tainting::Cors,
                Mode::NoCors => Tainting::Opaque,
                Mode::Navigate => Tainting::Basic,
            };
        }
    }

    pub(super) fn engine(&self) -> Engine {
        self.request.page.browser().own_engine()
    }

    fn needs_preflight(&self, fetch: &Fetch) -> bool {
        let again = self.was_preflighted && self.engine().preflights_again();
        self.tainting == Tainting::Cors && (fetch.preflight().is_some() || again)
    }

    /// The headers as the engine reads them.
    pub(super) fn understood<'a>(&self, headers: &'a HeaderMap) -> Cow<'a, HeaderMap> {
        if self.engine().counts_empty_lines() {
            return Cow::Borrowed(headers);
        }
        let counts = |(name, value): &(&HeaderName, &HeaderValue)| {
            **name != ACCESS_CONTROL_ALLOW_ORIGIN || !value.is_empty()
        };
        let lines = headers.iter().filter(counts);
        Cow::Owned(
            lines
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        )
    }

    /// Whether the page may have the answer, and whether it leads on
    /// (<https://fetch.spec.whatwg.org/#concept-http-fetch>).
    fn judge<B>(&self, fetch: &Fetch, answer: &Response<B>) -> Result<Next, Failure> {
        let is_cors = self.tainting == Tainting::Cors;
        if is_cors {
            fetch.cors_check(&self.understood(answer.headers()))?;
        }
        match redirect::location(self.current(), answer.status(), answer.headers()) {
            None => Ok(Next::End),
            Some(to) => {
                let (to, redirects) = (to?, self.urls.len() - 1);
                redirect::check(&to, redirects, &self.origin, self.request.mode, is_cors)?;
                Ok(Next::Redirect(to))
            }
        }
    }

    /// <https://fetch.spec.whatwg.org/#concept-http-redirect-fetch>, steps 12 to 18.
    fn follow<B>(&mut self, to: Address, answer: &Response<B>) {
        let crosses = !self.current().is_same_origin(&to);
        let request = &mut self.request;
        if redirect::becomes_get(answer.status(), &request.method) {
            let about_body = [
                CONTENT_ENCODING,
                CONTENT_LANGUAGE,
                CONTENT_LOCATION,
                CONTENT_TYPE,
            ];
            request.method = Method::GET;
            request.body = None;
            request
                .headers
                .retain(|(name, _)| !about_body.contains(name));
        }
        if crosses {
            let headers = std::mem::take(&mut request.headers);
            let is_dropped = |(name, _): &(HeaderName, HeaderValue)| *name == AUTHORIZATION;
            let (dropped, kept) = headers.into_iter().partition(is_dropped);
            request.headers = kept;
            self.dropped = dropped;
        }
        self.urls.push(to);
    }

    /// Notes what the browser has against the last answer.
    fn failed(&mut self, failure: Failure) -> Failure {
        if let Some(last) = self.exchanges.last_mut() {
            last.failure = Some(failure.clone());
        }
        failure
    }

    fn deliver<B>(&self, fetch: &Fetch, mut answer: Response<B>) -> Outcome<B> {
        let headers = std::mem::take(answer.headers_mut());
        *answer.headers_mut() = match (self.request.mode, self.tainting) {
            (Mode::Cors, Tainting::Cors) => fetch.readable_headers(&headers),
            // https://fetch.spec.whatwg.org/#concept-filtered-response-basic
            (Mode::Cors, _) | (Mode::NoCors, Tainting::Basic) => own_headers(headers),
            (Mode::NoCors | Mode::Navigate, _) => {
                *answer.headers_mut() = headers;
                return Outcome::Opaque(answer);
            }
        };
        Outcome::Readable(answer)
    }
}

fn own_headers(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(SET_COOKIE);
    headers.remove("set-cookie2");
    headers
}

enum Next {
    Redirect(Address),
    End,
}
