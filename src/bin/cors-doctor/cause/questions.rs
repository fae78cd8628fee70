//! [`Questions`]: what the doctor asks a server besides, to tell causes apart that look alike.

use http::{HeaderValue, header};
use url::Url;

use crate::{
    browse::Asking,
    case::Case,
    exchange::{Answer, Sent},
    lab::{Lab, from_origin, get as get_request, replace},
    secrets::is_secret,
};

/// A failed step, and who may be asked about it.
pub(super) struct Questions<'a, 'l> {
    pub(super) lab: &'a mut Lab<'l>,
    pub(super) case: &'a Case,
    pub(super) asking: &'a Asking,
    /// The step that failed; it has an answer.
    pub(super) step: usize,
    pub(super) is_preflight: bool,
}

impl Questions<'_, '_> {
    pub(super) fn answer(&self) -> &Answer {
        self.answer_of(self.step)
    }

    pub(super) fn answer_of(&self, step: usize) -> &Answer {
        self.lab
            .answer(step)
            .expect("a step that is judged has an answer")
    }

    pub(super) fn url(&self) -> &Url {
        &self.lab.steps[self.step].sent.url
    }

    /// The failed request as a probe may repeat it: without anything that tells a user.
    pub(super) fn harmless(&self) -> Sent {
        let mut sent = self.lab.steps[self.step].sent.clone();
        sent.headers.retain(|(name, _)| !is_secret(name.as_str()));
        sent
    }

    pub(super) fn is_get(&self) -> bool {
        self.lab.steps[self.step].sent.method == "GET"
    }

    /// `GET` of the URL from the page: where the failed step is that already, its own answer.
    pub(super) async fn get(&mut self) -> Option<usize> {
        if self.is_get() && !self.case.has_secrets() {
            return Some(self.step);
        }
        let sent = get_request(self.url(), Some(&self.asking.origin));
        self.lab
            .probe("has another method of the URL the headers?", sent)
            .await
    }

    pub(super) async fn get_without_origin(&mut self) -> Option<usize> {
        let sent = get_request(self.url(), None);
        self.lab
            .probe("does the answer depend on the origin?", sent)
            .await
    }

    /// A path beside the URL that nobody serves, and then `/`.
    pub(super) async fn elsewhere(&mut self) -> Vec<usize> {
        let mut beside = self.url().clone();
        beside.set_query(None);
        let path = beside.path().trim_end_matches('/').to_owned();
        beside.set_path(&format!(
            "{}-made-up",
            if path.is_empty() { "/doctor" } else { &path }
        ));
        let mut root = beside.clone();
        root.set_path("/");
        let why = "is there a CORS layer elsewhere on the server?";
        let mut steps = Vec::new();
        for url in [beside, root] {
            let sent = get_request(&url, Some(&self.asking.origin));
            steps.extend(self.lab.probe(why, sent).await);
        }
        steps
    }

    /// The step that grants the page's origin, if one of them does.
    pub(super) fn granted(&self, steps: &[usize]) -> Option<usize> {
        let origin = &self.asking.origin;
        steps
            .iter()
            .copied()
            .find(|step| self.answer_of(*step).grants(origin))
    }

    /// The same request with one more query parameter, which no cache knows yet.
    pub(super) async fn past_cache(&mut self) -> Option<usize> {
        let mut sent = self.harmless();
        let number = std::process::id();
        sent.url
            .query_pairs_mut()
            .append_pair("doctor", &number.to_string());
        self.lab.probe("past a cache", sent).await
    }

    /// The same request to the server behind the proxy.
    pub(super) async fn upstream(&mut self) -> Option<usize> {
        let mut sent = if self.is_preflight || self.is_get() {
            self.harmless()
        } else {
            get_request(self.url(), Some(&self.asking.origin))
        };
        sent.url = self.case.upstream.clone()?;
        self.lab
            .probe("what does the server behind the proxy say?", sent)
            .await
    }

    /// The page's preflight for another method.
    pub(super) async fn preflight_for(&mut self, method: &str) -> Option<usize> {
        let mut sent = self.harmless();
        let value = HeaderValue::from_str(method).ok()?;
        replace(
            &mut sent.headers,
            header::ACCESS_CONTROL_REQUEST_METHOD,
            value,
        );
        self.lab
            .probe("is the preflight of another method granted?", sent)
            .await
    }

    /// The page's preflight, asking for no header, or for one.
    pub(super) async fn preflight_with(&mut self, name: Option<&str>) -> Option<usize> {
        let mut sent = self.harmless();
        let asked = header::ACCESS_CONTROL_REQUEST_HEADERS;
        sent.headers.retain(|(n, _)| *n != asked);
        if let Some(name) = name {
            sent.headers
                .push((asked, HeaderValue::from_str(name).ok()?));
        }
        self.lab
            .probe("is it the headers that are refused?", sent)
            .await
    }

    /// A preflight for the failed request, which needed none.
    pub(super) async fn options(&mut self) -> Option<usize> {
        let mut sent = get_request(self.url(), Some(&self.asking.origin));
        let method = HeaderValue::from_str(&self.lab.steps[self.step].sent.method).ok()?;
        sent.method = "OPTIONS".into();
        sent.headers
            .push((header::ACCESS_CONTROL_REQUEST_METHOD, method));
        self.lab.probe("would a preflight be granted?", sent).await
    }

    /// The one probe that carries what the page sends: whether an authentication lets it pass.
    pub(super) async fn authenticated_preflight(&mut self) -> Option<usize> {
        if !self.is_preflight || self.asking.redirects > 0 {
            return None;
        }
        let request = &self.case.request;
        let cookies = request.cookies.clone().map(|value| (header::COOKIE, value));
        let own: Vec<_> = request.headers.iter().cloned().chain(cookies).collect();
        if own.is_empty() {
            return None;
        }
        let mut sent = self.lab.steps[self.step].sent.clone();
        for (name, value) in own {
            if name != header::ACCEPT {
                sent.headers.push((name, value));
            }
        }
        self.lab
            .probe("does an authentication let the preflight pass?", sent)
            .await
    }

    /// The failed step, asked by another origin: the preflight where that knows the protocol, else
    /// `GET`.
    pub(super) async fn ask_as(&mut self, origin: &str) -> Option<usize> {
        let get = self.get().await;
        let get_knows = get.is_some_and(|get| self.answer_of(get).has_signs());
        let answer = self.answer();
        let by_preflight =
            self.is_preflight && (answer.has_signs() || answer.is_ok() && !get_knows);
        let sent = if by_preflight || self.is_get() {
            from_origin(&self.harmless(), origin)
        } else {
            get_request(self.url(), Some(origin))
        };
        self.lab
            .probe("is the page's origin listed in another spelling?", sent)
            .await
    }
}
