//! [`Lab`]: sends what the browser sends and what the doctor asks besides, and keeps all of it.

use std::time::Duration;

use http::{HeaderName, HeaderValue, header};
use url::Url;

use crate::{
    exchange::{Answer, Kind, Sent, Step},
    net::{Reading, Transport},
};

/// The most probes for one URL.
const MAX_PROBES: usize = 40;

#[derive(Debug)]
pub(crate) struct Lab<'a> {
    transport: &'a Transport,
    probes_left: usize,
    /// Probes in a row that got no answer.
    unanswered: usize,
    pub(crate) steps: Vec<Step>,
}

impl<'a> Lab<'a> {
    pub(crate) fn new(transport: &'a Transport, probing: bool) -> Self {
        let probes_left = if probing { MAX_PROBES } else { 0 };
        Self {
            transport,
            probes_left,
            unanswered: 0,
            steps: Vec::new(),
        }
    }

    /// Sends what the browser sends; returns the step's index.
    pub(crate) async fn browse(&mut self, kind: Kind, sent: Sent) -> usize {
        let reading = if kind == Kind::Page {
            Reading::Page
        } else {
            Reading::Answer
        };
        self.send(kind, None, sent, reading, None).await
    }

    /// Asks a question of the doctor's own. `None` where it may not be asked or got no answer.
    ///
    /// A question that was asked before is not asked again.
    pub(crate) async fn probe(&mut self, why: &'static str, sent: Sent) -> Option<usize> {
        let known = self.steps.iter().position(|step| step.sent == sent);
        match known {
            Some(known) => self.steps[known].answer().map(|_| known),
            None => self.probe_again(why, sent).await,
        }
    }

    /// The same, although it may have been asked before.
    pub(crate) async fn probe_again(&mut self, why: &'static str, sent: Sent) -> Option<usize> {
        self.probe_within(why, sent, None).await
    }

    pub(crate) async fn probe_within(
        &mut self,
        why: &'static str,
        sent: Sent,
        timeout: Option<Duration>,
    ) -> Option<usize> {
        /// A server that has stopped to answer is not waited for any longer.
        const MAX_UNANSWERED: usize = 3;
        self.probes_left = self.probes_left.checked_sub(1)?;
        let step = self
            .send(Kind::Probe, Some(why), sent, Reading::Answer, timeout)
            .await;
        if self.steps[step].answer().is_some() {
            self.unanswered = 0;
            return Some(step);
        }
        self.unanswered += 1;
        if self.unanswered == MAX_UNANSWERED {
            self.probes_left = 0;
        }
        None
    }

    pub(crate) fn is_probing(&self) -> bool {
        self.probes_left > 0
    }

    /// The answer of a step that is known to have one.
    pub(crate) fn answer(&self, step: usize) -> Option<&Answer> {
        self.steps.get(step).and_then(Step::answer)
    }

    async fn send(
        &mut self,
        kind: Kind,
        why: Option<&'static str>,
        sent: Sent,
        reading: Reading,
        timeout: Option<Duration>,
    ) -> usize {
        let timeout = timeout
            .unwrap_or(self.transport.timeout)
            .min(self.transport.timeout);
        let received = self.transport.send(&sent, reading, timeout).await;
        self.steps.push(Step {
            n: self.steps.len() + 1,
            kind,
            why,
            sent,
            result: received.result,
            ms: received.ms,
            address: received.address,
        });
        self.steps.len() - 1
    }
}

/// A `GET` as the doctor sends it: without cookies and without `Authorization`.
pub(crate) fn get(url: &Url, origin: Option<&str>) -> Sent {
    let mut headers = vec![
        (header::ACCEPT, HeaderValue::from_static("*/*")),
        (header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
    ];
    // Origins that no browser sends are asked for as well; what no header can carry is left out.
    if let Some(Ok(origin)) = origin.map(|text| HeaderValue::from_bytes(text.as_bytes())) {
        headers.push((header::ORIGIN, origin));
    }
    Sent {
        method: "GET".into(),
        url: url.clone(),
        headers,
        body: None,
    }
}

/// The same request from another origin.
pub(crate) fn from_origin(sent: &Sent, origin: &str) -> Sent {
    let mut sent = sent.clone();
    if let Ok(value) = HeaderValue::from_bytes(origin.as_bytes()) {
        replace(&mut sent.headers, header::ORIGIN, value);
    }
    sent
}

pub(crate) fn replace(
    headers: &mut Vec<(HeaderName, HeaderValue)>,
    name: HeaderName,
    value: HeaderValue,
) {
    match headers.iter_mut().find(|(n, _)| *n == name) {
        Some((_, old)) => *old = value,
        None => headers.push((name, value)),
    }
}

pub(crate) const USER_AGENT: &str = concat!(
    "Mozilla/5.0 (compatible; cors-doctor/",
    env!("CARGO_PKG_VERSION"),
    ")"
);
