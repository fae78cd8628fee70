//! Policies whose preflight answer is broader than their judgement, and what `build` asks of them.

use std::time::Duration;

use http::header::AUTHORIZATION;
use tower_cors::{
    Any, CorsLayer, CorsLayerBuilder, CorsRequest, Denial, DenialKind, DeniedRequests, Grant,
    OriginPolicy, OriginSet, Verdict, VerdictFuture,
    error::{BroadPreflightReason as Reason, ConfigError, OriginSetting},
    policy::PolicyProperties,
};

use crate::support::service::{LISTED, STRANGER, Subject, get_from, preflight_from};

/// Lets every preflight through, and judges requests by a list.
#[derive(Debug)]
struct Optimistic(OriginSet);

impl OriginPolicy for Optimistic {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.0.judge(request)
    }

    fn judge_preflight(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(Grant::new())
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new()
            .broad_preflight()
            .denied_requests(DeniedRequests::Refuse)
    }
}

fn optimistic() -> Optimistic {
    Optimistic(OriginSet::parse([LISTED]).unwrap())
}

fn reasons(builder: CorsLayerBuilder) -> Vec<ConfigError> {
    match builder.build() {
        Ok(_) => Vec::new(),
        Err(errors) => errors.into_iter().collect(),
    }
}

#[test]
fn each_thing_that_is_missing_is_its_own_mistake() {
    let base = || CorsLayer::builder().origin_policy(optimistic());
    for (builder, reason) in [
        (
            base().denied_requests(DeniedRequests::Forward),
            Reason::Forwards,
        ),
        (base().allow_credentials(true), Reason::Credentials),
        (base().allow_methods(Any), Reason::AnyMethod),
        (base().allow_headers(Any), Reason::AnyHeader),
        (base().max_age(Duration::from_secs(61)), Reason::MaxAge),
    ] {
        assert_eq!(reasons(builder), [ConfigError::BroadPreflight(reason)]);
    }
    let everything = base()
        .denied_requests(DeniedRequests::Forward)
        .allow_credentials(true)
        .allow_methods(Any)
        .allow_headers(Any)
        .max_age(Duration::from_secs(600));
    assert_eq!(reasons(everything).len(), 5);
}

#[test]
fn a_preflight_by_any_origin_is_broad_too() {
    let base = || {
        let policy = OriginSet::parse([LISTED]).unwrap().with_preflight(Any);
        CorsLayer::builder().origin_policy(policy)
    };
    assert_eq!(
        reasons(base()),
        [ConfigError::BroadPreflight(Reason::Forwards)]
    );
    assert_eq!(
        reasons(
            base()
                .denied_requests(DeniedRequests::Refuse)
                .allow_credentials(true)
        ),
        [
            ConfigError::AnyOriginWithCredentials {
                setting: OriginSetting::OriginPolicy,
            },
            ConfigError::BroadPreflight(Reason::Credentials),
        ]
    );
    assert_eq!(reasons(base().denied_requests(DeniedRequests::Refuse)), []);
}

/// The first policy judges a request by a header; its preflight passes at the second.
#[test]
fn a_fallback_to_any_origin_from_what_no_preflight_shows_is_broad() {
    let base = || CorsLayer::builder().origin_policy(ByHeader.fallback(Any));
    assert_eq!(
        reasons(
            base()
                .allow_headers(Any)
                .denied_requests(DeniedRequests::Forward)
        ),
        [
            ConfigError::BroadPreflight(Reason::Forwards),
            ConfigError::BroadPreflight(Reason::AnyHeader),
        ]
    );
    assert_eq!(reasons(base().denied_requests(DeniedRequests::Refuse)), []);

    // Here the preflight meets the same judgement as the request.
    let list = OriginSet::parse([LISTED]).unwrap().fallback(Any);
    let base = CorsLayer::builder().origin_policy(list).allow_headers(Any);
    assert_eq!(reasons(base), []);
}

/// Denies whoever sends credentials, and has no opinion where there is none.
#[derive(Debug)]
struct ByHeader;

impl OriginPolicy for ByHeader {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        if request.headers().contains_key(AUTHORIZATION) {
            VerdictFuture::ready(Denial::new(DenialKind::InvalidToken))
        } else {
            VerdictFuture::ready(Verdict::Abstain)
        }
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new().reads([AUTHORIZATION])
    }
}

#[test]
fn what_is_accepted_judges_the_request_that_follows() {
    let subject = Subject::policy(optimistic(), |cors| {
        cors.allow_methods(["PUT"]).max_age(Duration::from_secs(60))
    });
    let outcome = subject.send(&preflight_from(STRANGER, "PUT", ""));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-methods: PUT",
            "access-control-allow-origin: https://evil.example",
            "access-control-max-age: 60",
            "vary: origin,access-control-request-method,access-control-request-headers",
        ],
    );
    let outcome = subject.send(&get_from(STRANGER));
    outcome.assert_layer(403, &["vary: origin"]);
    let outcome = subject.send(&get_from(LISTED));
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-origin: https://app.example",
            "vary: origin",
            "x-inner: called",
        ],
    );
}
