use std::time::Duration;

use tower_cors::{
    CorsLayer, Denial, DenialKind, OriginPolicy, Verdict, VerdictFuture, policy::BearerOr,
    policy_fn,
};

use super::row;
use crate::{
    APP, get,
    setup::Setup::{Builder, Set},
    table::{Code, Row},
};

/// Policies whose fix lies outside of the layer.
pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            "a policy with a reason",
            Builder(|| {
                let denial = || DenialKind::OriginNotAllowed.because("tenant 7 is suspended");
                CorsLayer::builder().origin_policy(policy_fn(move |_| Verdict::from(denial())))
            }),
            get(APP),
            "the origin is not allowed",
            "add it to allow_origins, or to what the policy reads",
            Code::None,
        ),
        row(
            "a policy with a fix of its own",
            Builder(|| {
                let denial = || {
                    let denial = Denial::new(DenialKind::OriginNotAllowed);
                    denial.with_fix("the tenant is\nsuspended", "resume tenant 7")
                };
                CorsLayer::builder().origin_policy(policy_fn(move |_| Verdict::from(denial())))
            }),
            get(APP),
            "the tenant is\\nsuspended",
            "resume tenant 7",
            Code::None,
        ),
        row(
            "a database that is down",
            Builder(|| {
                let denial = || DenialKind::Unavailable.because("no answer within 2 s");
                CorsLayer::builder().origin_policy(policy_fn(move |_| Verdict::from(denial())))
            }),
            get(APP),
            "what the policy needs to know is out of reach",
            "look at its source",
            Code::None,
        ),
        row(
            "a policy that never answers",
            Builder(|| {
                let never = policy_fn(|_| VerdictFuture::new(std::future::pending()));
                let limit = Duration::from_millis(5);
                CorsLayer::builder()
                    .origin_policy(never)
                    .verdict_timeout(limit, tokio::time::sleep)
            }),
            get(APP),
            "the policy has not answered in time",
            "look at what it waits for, or raise verdict_timeout",
            Code::None,
        ),
        row(
            "everybody abstains",
            Builder(|| CorsLayer::builder().origin_policy(policy_fn(|_| Verdict::Abstain))),
            get(APP),
            "no policy had anything to say, as when a token is missing",
            "send the token, or add a fallback",
            Code::None,
        ),
        row(
            "the second of two policies has a list",
            Set(
                |set| {
                    let abstains = policy_fn(|_| Verdict::Abstain);
                    CorsLayer::builder().origin_policy(abstains.fallback(BearerOr::new(set)))
                },
                &[APP],
            ),
            get("https://www.app.example"),
            "the origin is not allowed; \"https://app.example\" is, without the www.",
            "add it to allow_origins, or to what the policy reads",
            Code::Rust,
        ),
    ]
}
