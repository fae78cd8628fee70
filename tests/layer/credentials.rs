//! Credentials: `*` never goes with them, and is written out where it would be only a name.

use tower_cors::{
    Any, CorsLayerBuilder,
    error::{ConfigError, OriginSetting},
};

use crate::support::service::{LISTED, STRANGER, Subject, get_from, preflight_from};

const VARY: &str = "vary: origin,access-control-request-method,access-control-request-headers";

fn any(cors: CorsLayerBuilder) -> CorsLayerBuilder {
    cors.allow_methods(Any).allow_headers(Any)
}

#[test]
fn allowed_origins_get_them_denied_ones_do_not() {
    let subject = Subject::list(|cors| cors.allow_credentials(true));
    let outcome = subject.send(&preflight_from(LISTED, "PUT", ""));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-methods: GET,HEAD,POST",
            "access-control-allow-origin: https://app.example",
            VARY,
        ],
    );
    let outcome = subject.send(&preflight_from(STRANGER, "PUT", ""));
    outcome.assert_layer(403, &[VARY]);
    let outcome = subject.send(&get_from(STRANGER));
    outcome.assert_inner(200, &["vary: origin", "x-inner: called"]);
}

#[test]
fn any_method_and_header_are_those_asked_for() {
    let subject = Subject::list(|cors| any(cors).allow_credentials(true));
    let outcome = subject.send(&preflight_from(LISTED, "PURGE", "x-a,x-b"));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-headers: x-a,x-b",
            "access-control-allow-methods: PURGE",
            "access-control-allow-origin: https://app.example",
            VARY,
        ],
    );
    // Written anew where it is not as browsers write it.
    let outcome = subject.send(&preflight_from(LISTED, "PUT", " X-B ,, x-a,X-A"));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-headers: x-a,x-b",
            "access-control-allow-methods: PUT",
            "access-control-allow-origin: https://app.example",
            VARY,
        ],
    );
    let outcome = subject.send(&preflight_from(LISTED, "PUT", ""));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-methods: PUT",
            "access-control-allow-origin: https://app.example",
            VARY,
        ],
    );
}

#[test]
fn without_them_any_is_a_star() {
    let outcome = Subject::list(any).send(&preflight_from(LISTED, "PURGE", "x-a"));
    outcome.assert_layer(
        204,
        &[
            "access-control-allow-headers: *",
            "access-control-allow-methods: *",
            "access-control-allow-origin: https://app.example",
            VARY,
        ],
    );
}

#[test]
fn any_header_does_not_cover_authorization() {
    for (credentials, allowed) in [(true, "x-a"), (false, "*")] {
        let subject = Subject::list(|cors| any(cors).allow_credentials(credentials));
        let outcome = subject.send(&preflight_from(LISTED, "PUT", "authorization,x-a"));
        assert!(
            outcome
                .headers
                .contains(&format!("access-control-allow-headers: {allowed}")),
            "{:?}",
            outcome.headers
        );
    }
    for (credentials, allowed) in [(true, "authorization,x-a"), (false, "*,authorization")] {
        let subject = Subject::list(|cors| {
            cors.allow_headers(["*", "Authorization"])
                .allow_credentials(credentials)
        });
        let outcome = subject.send(&preflight_from(LISTED, "PUT", "authorization,x-a"));
        let mut expected = vec![
            format!("access-control-allow-headers: {allowed}"),
            "access-control-allow-methods: GET,HEAD,POST".to_owned(),
            format!("access-control-allow-origin: {LISTED}"),
            VARY.to_owned(),
        ];
        if credentials {
            expected.insert(0, "access-control-allow-credentials: true".to_owned());
        }
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        outcome.assert_layer(204, &expected);
    }
}

const INSECURE: ConfigError = ConfigError::InsecurePolicy {
    setting: OriginSetting::OriginPolicy,
};
const SUFFIX: ConfigError = ConfigError::PublicSuffixPolicy {
    setting: OriginSetting::OriginPolicy,
};

/// Credentials go to no origin that somebody else can act as, whoever lists it.
#[test]
fn a_set_as_a_policy_is_held_to_the_rules_of_a_list() {
    use tower_cors::{CorsLayer, CorsLayerBuilder, OriginPolicy, OriginSet, Verdict, policy_fn};

    let set = |origin: &str| OriginSet::parse([origin]).unwrap();
    let build = |builder: CorsLayerBuilder| builder.build().err().map(|e| e.into_iter().collect());
    for (origin, error) in [
        ("http://example.com", Some(INSECURE)),
        ("http://*.example.com", Some(INSECURE)),
        ("https://*.github.io", Some(SUFFIX)),
        ("app://*", Some(SUFFIX)),
        ("http://localhost:*", None),
        ("https://*.example.com", None),
        ("https://github.io", None),
    ] {
        let expected = error.map(|error| vec![error]);
        let builder = || CorsLayer::builder().origin_policy(set(origin));
        assert_eq!(build(builder()), None, "{origin}");
        assert_eq!(
            build(builder().allow_credentials(true)),
            expected,
            "{origin}"
        );
        let behind = policy_fn(|_| Verdict::Abstain).fallback(set(origin));
        let behind = CorsLayer::builder()
            .origin_policy(behind)
            .allow_credentials(true);
        assert_eq!(build(behind), expected, "{origin}");
        let open = builder()
            .allow_credentials(true)
            .dangerously_allow_insecure_origins()
            .dangerously_allow_public_suffixes();
        assert_eq!(build(open), None, "{origin}");
    }
}

/// A policy whose grants allow credentials by themselves sends them also where the layer has none.
#[test]
fn a_policy_with_credentials_of_its_own_is_held_to_the_same_rules() {
    use tower_cors::{
        CorsLayer, CorsRequest, Grant, OriginPolicy, OriginSet, VerdictFuture,
        policy::PolicyProperties,
    };

    #[derive(Debug)]
    struct Own(PolicyProperties);

    impl OriginPolicy for Own {
        fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
            Grant::new().allow_credentials(true).into()
        }

        fn properties(&self) -> PolicyProperties {
            self.0.clone().grants_credentials()
        }
    }

    for (properties, error) in [
        (PolicyProperties::new(), None),
        (
            PolicyProperties::new().lists_insecure_origins(),
            Some(INSECURE),
        ),
        (
            PolicyProperties::new().lists_public_suffixes(),
            Some(SUFFIX),
        ),
    ] {
        let builder = || CorsLayer::builder().origin_policy(Own(properties.clone()));
        let errors: Option<Vec<_>> = builder().build().err().map(|e| e.into_iter().collect());
        assert_eq!(errors, error.map(|error| vec![error]));
        let open = builder()
            .dangerously_allow_insecure_origins()
            .dangerously_allow_public_suffixes();
        assert!(open.build().is_ok());
    }

    // Beside a list, which sends none of these credentials.
    let list = || OriginSet::parse(["http://a.example", "https://*.github.io"]).unwrap();
    let beside = Own(PolicyProperties::new()).fallback(list());
    assert!(CorsLayer::builder().origin_policy(beside).build().is_ok());
    let beside = list().fallback(Own(PolicyProperties::new()));
    let builder = CorsLayer::builder().origin_policy(beside);
    assert!(builder.allow_credentials(true).build().is_err());
}
