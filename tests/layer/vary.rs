//! `Vary`: merged with the inner service's, never overwritten.

use http::header;
use tower_cors::{CorsRequest, Grant, OriginPolicy, VerdictFuture, policy::PolicyProperties};

use crate::support::service::{LISTED, STRANGER, Subject, get_from, preflight_from, request};

#[test]
fn members_are_added_once_and_none_is_lost() {
    let rows: [(&[&str], &[&str]); 7] = [
        (&[], &["vary: origin"]),
        (&["accept-encoding"], &["vary: accept-encoding,origin"]),
        (&["Origin"], &["vary: Origin"]),
        (&["accept, ORIGIN"], &["vary: accept, ORIGIN"]),
        (&["accept", "origin"], &["vary: accept", "vary: origin"]),
        (&["*"], &["vary: *"]),
        (&["x-origin"], &["vary: origin", "vary: x-origin"]),
    ];
    for (inner, expected) in rows {
        let lines: Vec<(&str, &str)> = inner.iter().map(|value| ("vary", *value)).collect();
        for sent in [request("GET", &[]), get_from(STRANGER)] {
            let outcome = Subject::list(|cors| cors).send_to(&sent, &lines);
            outcome.assert_inner(200, expected);
        }
        let mut granted = vec!["access-control-allow-origin: https://app.example"];
        granted.extend(expected);
        let outcome = Subject::list(|cors| cors).send_to(&get_from(LISTED), &lines);
        outcome.assert_inner(200, &granted);
    }
}

#[test]
fn a_policy_names_what_it_reads() {
    #[derive(Debug)]
    struct ByTenant;

    impl OriginPolicy for ByTenant {
        fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
            VerdictFuture::ready(Grant::new())
        }

        fn properties(&self) -> PolicyProperties {
            PolicyProperties::new().reads([header::HOST])
        }
    }

    let subject = Subject::policy(ByTenant, |cors| cors);
    let outcome = subject.send(&request("GET", &[]));
    outcome.assert_inner(200, &["vary: origin,host", "x-inner: called"]);
    let outcome = subject.send(&preflight_from(LISTED, "TRACE", ""));
    outcome.assert_layer(
        403,
        &["vary: origin,host,access-control-request-method,access-control-request-headers"],
    );
}

#[test]
fn a_header_that_is_read_twice_is_named_once() {
    #[derive(Debug)]
    struct ReadsTwice;

    impl OriginPolicy for ReadsTwice {
        fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
            VerdictFuture::ready(Grant::new())
        }

        fn properties(&self) -> PolicyProperties {
            PolicyProperties::new().reads([header::HOST, header::ORIGIN, header::HOST])
        }
    }

    let subject = Subject::policy(ReadsTwice, |cors| cors);
    let outcome = subject.send(&request("GET", &[]));
    outcome.assert_inner(200, &["vary: origin,host", "x-inner: called"]);
}
