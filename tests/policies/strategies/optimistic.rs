//! [`Optimistic`]: preflights of any origin pass.

use super::*;

#[test]
fn optimistic_lets_any_well_formed_origin_pass() {
    let policy = token_policy().with_preflight(Optimistic::new());
    let minute = |b| listed(b).max_age(Duration::from_secs(60));
    let ask = |page: &'static str| {
        ask_both(&policy, minute, move || {
            preflight("/", page, "authorization")
        })
    };
    assert_eq!(ask(PAGE), passed(PAGE, Some("5")));
    assert_eq!(ask(EVIL), passed(EVIL, Some("5")));
    assert_eq!(
        ask("null"),
        refused(PREFLIGHT_VARY, DenialKind::OpaqueOrigin)
    );
    assert_eq!(
        ask("https://EVIL.example"),
        refused(PREFLIGHT_VARY, DenialKind::MalformedOrigin)
    );

    let longer = Optimistic::new().max_age(Duration::from_secs(60)).unwrap();
    let policy = token_policy().with_preflight(longer);
    let answer = ask_both(&policy, minute, || preflight("/", EVIL, "authorization"));
    assert_eq!(answer, passed(EVIL, Some("60")));
    assert_eq!(
        Optimistic::new()
            .max_age(Duration::from_secs(61))
            .unwrap_err()
            .to_string(),
        "origin_policy: a preflight can pass whose request will be denied: set max_age to at most \
         60 seconds"
    );
}

#[test]
fn optimistic_is_no_judge_of_requests() {
    let answer = ask_both(&Optimistic::new(), listed, || actual("/", PAGE, &[]));
    assert_eq!(answer, refused("origin", DenialKind::NoPolicy));
}

type Configure = fn(CorsLayerBuilder) -> CorsLayerBuilder;

#[test]
fn optimistic_does_not_build_with_what_makes_it_unsafe() {
    use BroadPreflightReason::{AnyHeader, AnyMethod, Credentials, Forwards, MaxAge};

    let rows: [(Configure, &[BroadPreflightReason]); 8] = [
        (|b| b, &[]),
        (|b| b.max_age(Duration::from_secs(60)), &[]),
        (|b| b.denied_requests(DeniedRequests::Forward), &[Forwards]),
        (|b| b.allow_credentials(true), &[Credentials]),
        (|b| b.allow_methods(["*"]), &[AnyMethod]),
        (|b| b.allow_headers(["*"]), &[AnyHeader]),
        (|b| b.max_age(Duration::from_secs(61)), &[MaxAge]),
        (
            |b| {
                b.denied_requests(DeniedRequests::Forward)
                    .allow_credentials(true)
                    .allow_methods(["*"])
                    .allow_headers(["*", "authorization"])
                    .max_age(Duration::from_secs(7200))
            },
            &[Forwards, Credentials, AnyMethod, AnyHeader, MaxAge],
        ),
    ];
    for (configure, expected) in rows {
        // Wherever in the policy it stands.
        let policies: [Arc<dyn OriginPolicy>; 4] = [
            Arc::new(Optimistic::new()),
            Arc::new(token_policy().with_preflight(Optimistic::new())),
            Arc::new(token_policy().with_preflight(set(&[PAGE]).fallback(Optimistic::new()))),
            Arc::new(BearerOr::new(
                token_policy().with_preflight(Optimistic::new()),
            )),
        ];
        for policy in policies {
            let text = format!("{policy:?}");
            let built = configure(CorsLayer::builder())
                .origin_policy(policy)
                .build();
            assert_eq!(reasons(built), expected, "{text}");
        }
    }
    // A list forwards denied requests by default.
    let list = set(&[PAGE]).with_preflight(Optimistic::new());
    let built = CorsLayer::builder().origin_policy(list).build();
    assert_eq!(reasons(built), [Forwards]);
}

/// Grants with credentials and with lists that let everything through.
#[derive(Clone, Debug)]
struct Generous {
    says_so: bool,
}

impl OriginPolicy for Generous {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        let terms = Terms::new()
            .methods(AllowMethods::list(["*"]).unwrap())
            .headers(AllowHeaders::list(["*"]).unwrap());
        VerdictFuture::ready(Grant::new().allow_credentials(true).terms(terms))
    }

    fn properties(&self) -> PolicyProperties {
        let properties = PolicyProperties::new().denied_requests(DeniedRequests::Refuse);
        if self.says_so {
            properties.grants_credentials()
        } else {
            properties
        }
    }
}

#[test]
fn no_grant_undoes_what_was_checked() {
    // A policy that says what it does is refused when the layer is built.
    let honest = Generous { says_so: true }.with_preflight(Optimistic::new());
    let built = listed(CorsLayer::builder()).origin_policy(honest).build();
    assert_eq!(reasons(built), [BroadPreflightReason::Credentials]);

    // One that does not gets the layer's terms, without credentials.
    let silent = Optimistic::new().fallback(Generous { says_so: false });
    let silent = Generous { says_so: false }.with_preflight(silent);
    let answer = ask_both(&silent, listed, || preflight("/", EVIL, "x-y"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("PUT"));
    let silent = Arc::new(Generous { says_so: false }.fallback(Optimistic::new()));
    let answer = ask_both(&silent, listed, || preflight("/", EVIL, "x-y"));
    let mut expected = passed(EVIL, None);
    expected.denial = Some(DenialKind::HeaderNotAllowed);
    assert_eq!(answer, expected);
}
