use std::borrow::Cow;

use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_histogram, histogram};

use super::reasons::{PLACES, REASONS, label, place};
use crate::{
    observe::{Change, Judgement, Outcome, RequestKind},
    policy::DenialKind,
};

const REQUESTS: &str = "tower_cors_requests_total";
const VERDICT_WAIT: &str = "tower_cors_verdict_wait_seconds";
const SHADOW_JUDGEMENTS: &str = "tower_cors_shadow_judgements_total";

/// The counters of one layer, or of all the layers that share a name.
#[derive(Clone, Debug)]
pub(crate) struct LayerMetrics {
    /// By kind, outcome and reason. What cannot be has a counter that counts nothing.
    requests: Vec<Counter>,
    pub(crate) verdict_wait: Histogram,
    judgements: [Counter; RESULTS.len()],
}

const KINDS: [RequestKind; 3] = [
    RequestKind::NotCors,
    RequestKind::Actual,
    RequestKind::Preflight,
];

const OUTCOMES: [Outcome; 7] = [
    Outcome::NotCors,
    Outcome::Allowed,
    Outcome::OwnOrigin,
    Outcome::AnotherOrigin,
    Outcome::AnsweredWithLess,
    Outcome::Forwarded,
    Outcome::Refused,
];

/// In the order of [`result_place`].
const RESULTS: [&str; 6] = [
    "same",
    "skipped",
    "panicked",
    Change::AllowsLess.as_str(),
    Change::AllowsMore.as_str(),
    Change::DeniesOtherwise.as_str(),
];

fn result_place(judgement: &Judgement) -> usize {
    match judgement {
        Judgement::Same => 0,
        Judgement::Skipped => 1,
        Judgement::Panicked => 2,
        Judgement::Different(difference) => match difference.change() {
            Change::AllowsLess => 3,
            Change::AllowsMore => 4,
            Change::DeniesOtherwise => 5,
        },
    }
}

impl LayerMetrics {
    /// Registers the counters, all with 0, so that the first request of a kind is an increase.
    pub(crate) fn register(layer: Cow<'static, str>) -> Self {
        describe_counter!(
            REQUESTS,
            Unit::Count,
            "Requests that the CORS layer has decided."
        );
        describe_histogram!(
            VERDICT_WAIT,
            Unit::Seconds,
            "How long requests waited for the policy, if it was not ready."
        );
        describe_counter!(
            SHADOW_JUDGEMENTS,
            Unit::Count,
            "Requests that were judged by the configuration in shadow."
        );
        let mut requests = vec![Counter::noop(); KINDS.len() * OUTCOMES.len() * PLACES];
        for kind in KINDS {
            for outcome in OUTCOMES {
                let reasons = REASONS.iter().copied().map(Some).chain([None]);
                for reason in reasons.filter(|reason| can_be(kind, outcome, *reason)) {
                    requests[request_place(kind, outcome, reason)] = counter!(
                        REQUESTS,
                        "layer" => layer.clone(),
                        "kind" => kind.as_str(),
                        "outcome" => outcome.as_str(),
                        "reason" => reason.map_or("none", label),
                    );
                }
            }
        }
        Self {
            requests,
            judgements: RESULTS.map(
                |result| counter!(SHADOW_JUDGEMENTS, "layer" => layer.clone(), "result" => result),
            ),
            verdict_wait: histogram!(VERDICT_WAIT, "layer" => layer),
        }
    }

    pub(crate) fn count_request(
        &self,
        kind: RequestKind,
        outcome: Outcome,
        reason: Option<DenialKind>,
    ) {
        self.requests[request_place(kind, outcome, reason)].increment(1);
    }

    pub(crate) fn count_judgement(&self, judgement: &Judgement) {
        self.judgements[result_place(judgement)].increment(1);
    }
}

fn request_place(kind: RequestKind, outcome: Outcome, reason: Option<DenialKind>) -> usize {
    (kind as usize * OUTCOMES.len() + outcome as usize) * PLACES + place(reason)
}

/// Whether a request of this kind can have this outcome for this reason.
fn can_be(kind: RequestKind, outcome: Outcome, reason: Option<DenialKind>) -> bool {
    use DenialKind::{HeaderNotAllowed, MethodCase, MethodNotAllowed};
    match (kind, outcome) {
        (RequestKind::NotCors, Outcome::NotCors)
        | (
            RequestKind::Actual | RequestKind::Preflight,
            Outcome::Allowed | Outcome::AnotherOrigin,
        )
        | (RequestKind::Actual, Outcome::OwnOrigin) => reason.is_none(),
        (RequestKind::Actual, Outcome::Forwarded | Outcome::Refused)
        | (RequestKind::Preflight, Outcome::Refused) => reason.is_some(),
        (RequestKind::Preflight, Outcome::AnsweredWithLess) => {
            matches!(
                reason,
                Some(MethodNotAllowed | HeaderNotAllowed | MethodCase)
            )
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_a_counter_of_its_own() {
        assert_eq!(
            OUTCOMES.map(|outcome| outcome as usize),
            [0, 1, 2, 3, 4, 5, 6]
        );
        assert_eq!(KINDS.map(|kind| kind as usize), [0, 1, 2]);
    }
}
