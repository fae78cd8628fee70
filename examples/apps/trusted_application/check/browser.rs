use http::{Request, StatusCode};
use reqwest::Client;
use serde_json::Value;
use tower_cors::test_util::{Failure, Fetch};

use super::table::Expected;
use crate::Error;

/// Sends what a page asks for as a browser does: a preflight first where one is needed, and the
/// request itself only when the preflight has passed.
pub(super) struct Browser {
    client: Client,
}

/// What came of a request.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    preflight: Option<StatusCode>,
    answer: Option<StatusCode>,
    /// Why the page cannot read the answer, if it cannot.
    pub(super) failure: Option<Failure>,
    /// What it reads: the headers it may see, and the body as JSON where it is some.
    pub(super) headers: http::HeaderMap,
    pub(super) body: Value,
}

impl Outcome {
    /// A link of the answer.
    pub(super) fn link(&self, name: &str) -> &str {
        self.body["_links"][name]["href"]
            .as_str()
            .unwrap_or_default()
    }

    pub(super) fn summary(&self) -> Expected {
        Expected {
            preflight: self.preflight.map(|status| status.as_u16()),
            answer: self.answer.map(|status| status.as_u16()),
            readable: self.failure.is_none(),
        }
    }
}

/// The outcome of a request without a browser, in which every header can be read.
impl From<StatusCode> for Outcome {
    fn from(answer: StatusCode) -> Self {
        Self {
            answer: Some(answer),
            ..Self::default()
        }
    }
}

impl Browser {
    pub(super) fn new() -> Result<Self, Error> {
        let redirects = reqwest::redirect::Policy::none();
        let client = Client::builder().no_proxy().redirect(redirects).build()?;
        Ok(Self { client })
    }

    pub(super) async fn fetch(
        &self,
        url: &str,
        fetch: &Fetch,
        body: &str,
    ) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        if let Some(preflight) = fetch.preflight() {
            let response = self.send(url, preflight.map(|()| String::new())).await?;
            outcome.preflight = Some(response.status());
            if let Err(failure) = fetch.check_preflight(response.status(), response.headers()) {
                outcome.failure = Some(failure);
                return Ok(outcome);
            }
        }
        let response = self.send(url, fetch.request(body.to_owned())?).await?;
        outcome.answer = Some(response.status());
        match fetch.cors_check(response.headers()) {
            Ok(()) => {
                outcome.headers = fetch.readable_headers(response.headers());
                outcome.body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
            }
            Err(failure) => outcome.failure = Some(failure),
        }
        Ok(outcome)
    }

    async fn send(
        &self,
        url: &str,
        request: Request<String>,
    ) -> reqwest::Result<reqwest::Response> {
        let (head, body) = request.into_parts();
        self.client
            .request(head.method, url)
            .headers(head.headers)
            .body(body)
            .send()
            .await
    }
}
