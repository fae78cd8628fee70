use std::{future::poll_fn, pin::pin, task::Poll};

use super::{
    question::{Question, Said},
    subject::Subject,
    violation::{Found, Obligation},
};
use crate::policy::OriginPolicy;

/// The same question gets the same verdict, however it is asked.
pub(super) async fn check(subject: &Subject, found: &mut Found) {
    let policy = &*subject.policy;
    for sample in &subject.samples {
        let stranger = sample.question.from(subject.stranger());
        let asked = [
            sample.question.clone(),
            stranger.clone(),
            sample.question.preflight(),
            stranger.preflight(),
        ];
        let mut first = Vec::new();
        for question in &asked {
            first.push(question.ask(policy).await);
        }
        for (question, first) in asked.iter().zip(&first) {
            let again = question.ask(policy).await;
            compare(question, first, &again, "the second time", found);
            stop_waiting(question, policy).await;
            let again = question.ask(policy).await;
            compare(
                question,
                first,
                &again,
                "after another has stopped waiting",
                found,
            );
        }
        for (at, question) in asked.iter().enumerate() {
            let other = (at + 1) % asked.len();
            let said = at_once(question, &asked[other], policy).await;
            compare(question, &first[at], &said.0, "while another asks", found);
            compare(
                &asked[other],
                &first[other],
                &said.1,
                "while another asks",
                found,
            );
        }
    }
}

fn compare(question: &Question, first: &Said, then: &Said, when: &str, found: &mut Found) {
    if first != then {
        let text = format!("{question}: first {first}, and {when} {then}");
        found.add(Obligation::ReadyAndWaitingAlike, text);
    }
}

/// Asks, and goes away before the answer is there, as a client does that closes its connection.
async fn stop_waiting(question: &Question, policy: &dyn OriginPolicy) {
    let mut verdict = pin!(question.put_to(policy));
    poll_fn(|cx| {
        let _ = verdict.as_mut().poll(cx);
        Poll::Ready(())
    })
    .await;
}

/// Asks two questions, and polls them in turn.
async fn at_once(one: &Question, other: &Question, policy: &dyn OriginPolicy) -> (Said, Said) {
    let (mut first, mut second) = (pin!(one.put_to(policy)), pin!(other.put_to(policy)));
    let (mut said, mut other_said) = (None, None);
    poll_fn(move |cx| {
        if said.is_none()
            && let Poll::Ready(verdict) = first.as_mut().poll(cx)
        {
            said = Some(Said::from(verdict));
        }
        if other_said.is_none()
            && let Poll::Ready(verdict) = second.as_mut().poll(cx)
        {
            other_said = Some(Said::from(verdict));
        }
        match (said.take(), other_said.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (said, other_said) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}
