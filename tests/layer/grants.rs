//! What a grant sets itself overrides the layer.

use std::{sync::Arc, time::Duration};

use tower_cors::{
    Any, CorsLayer, CorsRequest, Grant, OriginPolicy, VerdictFuture,
    error::{ConfigError, OriginSetting},
    lists::{AllowHeaders, AllowMethods, ExposeHeaders},
    policy::{PolicyProperties, Terms},
    policy_fn,
};

use crate::support::service::{LISTED, STRANGER, Subject, get_from, preflight_from, request};

const VARY: &str = "vary: origin,access-control-request-method,access-control-request-headers";

fn granting(grant: Grant) -> impl OriginPolicy {
    policy_fn(move |_| VerdictFuture::ready(grant.clone()))
}

#[test]
fn its_terms_replace_the_lists_that_they_name() {
    let terms = Terms::new()
        .methods(AllowMethods::list(["PATCH"]).unwrap())
        .headers(AllowHeaders::list(["x-own"]).unwrap())
        .expose(ExposeHeaders::list(["x-read"]).unwrap());
    let subject = Subject::policy(granting(Grant::new().terms(terms)), |cors| {
        cors.allow_methods(["PUT"])
            .allow_headers(["x-layer"])
            .expose_headers(["etag"])
    });
    let outcome = subject.send(&preflight_from(LISTED, "PATCH", "x-own"));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-headers: x-own",
            "access-control-allow-methods: PATCH",
            "access-control-allow-origin: https://app.example",
            VARY,
        ],
    );
    let outcome = subject.send(&get_from(LISTED));
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-origin: https://app.example",
            "access-control-expose-headers: x-read",
            "vary: origin",
            "x-inner: called",
        ],
    );

    let one = Terms::new().methods(AllowMethods::list(["PATCH"]).unwrap());
    let subject = Subject::policy(granting(Grant::new().terms(one)), |cors| {
        cors.allow_methods(["PUT"]).allow_headers(["x-layer"])
    });
    let outcome = subject.send(&preflight_from(LISTED, "PUT", ""));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-headers: x-layer",
            "access-control-allow-methods: PATCH",
            "access-control-allow-origin: https://app.example",
            VARY,
        ],
    );
}

#[test]
fn its_credentials_win_both_ways() {
    for (layer, grant) in [(false, true), (true, false)] {
        let subject = Subject::policy(granting(Grant::new().allow_credentials(grant)), |cors| {
            cors.allow_credentials(layer)
        });
        let mut preflight = vec![
            "access-control-allow-methods: GET,HEAD,POST",
            "access-control-allow-origin: https://app.example",
            VARY,
        ];
        let mut actual = vec![
            "access-control-allow-origin: https://app.example",
            "vary: origin",
            "x-inner: called",
        ];
        if grant {
            preflight.insert(0, "access-control-allow-credentials: true");
            actual.insert(0, "access-control-allow-credentials: true");
        }
        let outcome = subject.send(&preflight_from(LISTED, "GET", ""));
        outcome.assert_layer(204, &preflight);
        subject.send(&get_from(LISTED)).assert_inner(200, &actual);
    }
}

/// The stars of the layer must not stay stars for a grant with credentials.
#[test]
fn its_credentials_turn_stars_into_names() {
    let subject = Subject::policy(granting(Grant::new().allow_credentials(true)), |cors| {
        cors.allow_methods(Any)
            .allow_headers(Any)
            .expose_headers(Any)
    });
    let outcome = subject.send(&preflight_from(LISTED, "PUT", "x-a"));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-headers: x-a",
            "access-control-allow-methods: PUT",
            "access-control-allow-origin: https://app.example",
            VARY,
        ],
    );
    let outcome = subject.send(&get_from(LISTED));
    outcome.assert_inner(
        200,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://app.example",
            "vary: origin",
            "x-inner: called",
        ],
    );
}

#[test]
fn its_cap_lowers_the_max_age_and_never_raises_it() {
    let seconds = Duration::from_secs;
    for (layer, cap, sent) in [
        (Some(600), 60, Some("access-control-max-age: 60")),
        (Some(600), 0, Some("access-control-max-age: 0")),
        (Some(600), 9000, Some("access-control-max-age: 600")),
        (Some(0), 60, Some("access-control-max-age: 0")),
        // Without a header browsers keep the answer for 5 seconds.
        (None, 60, None),
        (None, 2, Some("access-control-max-age: 2")),
    ] {
        let grant = Grant::new().max_age_at_most(seconds(cap));
        let subject = Subject::policy(granting(grant), |cors| match layer {
            Some(layer) => cors.max_age(seconds(layer)),
            None => cors,
        });
        let mut expected = vec![
            "access-control-allow-methods: GET,HEAD,POST",
            "access-control-allow-origin: https://app.example",
        ];
        expected.extend(sent);
        expected.push(VARY);
        let outcome = subject.send(&preflight_from(LISTED, "GET", ""));
        outcome.assert_layer(204, &expected);
    }
}

#[test]
fn a_grant_to_any_origin_is_a_star_and_never_with_credentials() {
    for (layer, grant) in [(false, false), (true, false), (false, true), (true, true)] {
        // The policy does not say that it grants any origin, so that `build` cannot know.
        let policy = granting(Grant::any_origin().allow_credentials(grant));
        let subject = Subject::policy(policy, |cors| cors.allow_credentials(layer));
        let outcome = subject.send(&preflight_from(STRANGER, "GET", ""));
        outcome.assert_layer(
            204,
            &[
                "access-control-allow-methods: GET,HEAD,POST",
                "access-control-allow-origin: *",
                VARY,
            ],
        );
        let outcome = subject.send(&get_from(STRANGER));
        outcome.assert_inner(
            200,
            &[
                "access-control-allow-origin: *",
                "vary: origin",
                "x-inner: called",
            ],
        );
    }
}

#[test]
fn a_policy_that_says_so_is_refused_with_credentials() {
    #[derive(Debug)]
    struct Sometimes;

    impl OriginPolicy for Sometimes {
        fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
            VerdictFuture::ready(Grant::any_origin())
        }

        fn properties(&self) -> PolicyProperties {
            PolicyProperties::new().grants_any_origin()
        }
    }

    let builder = || CorsLayer::builder().origin_policy(Sometimes);
    let errors = builder().allow_credentials(true).build().unwrap_err();
    let errors: Vec<ConfigError> = errors.into_iter().collect();
    let setting = OriginSetting::OriginPolicy;
    assert_eq!(errors, [ConfigError::AnyOriginWithCredentials { setting }]);
    assert!(builder().build().is_ok());
}

#[derive(Debug, PartialEq)]
struct Tenant(&'static str);

#[test]
fn what_it_attaches_reaches_the_inner_service() {
    let policy = granting(Grant::new().attach(Arc::new(Tenant("contoso"))));
    let subject = Subject::policy(policy, |cors| cors);
    let inner = subject.send(&get_from(LISTED)).inner.unwrap();
    let attached = inner.extensions.get::<Arc<Tenant>>();
    assert_eq!(attached.map(|tenant| &**tenant), Some(&Tenant("contoso")));

    let preflight = subject.send(&preflight_from(LISTED, "GET", ""));
    assert!(preflight.inner.is_none());
    let without = subject.send(&request("GET", &[]));
    assert!(
        without
            .inner
            .unwrap()
            .extensions
            .get::<Arc<Tenant>>()
            .is_none()
    );
}
