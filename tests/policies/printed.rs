//! What `Debug` shows of policies and of what they say.

use std::{fmt::Debug, sync::Arc};

use tower_cors::{
    Any, Denial, DenialKind, Grant, OriginPolicy, OriginSet, Verdict, VerdictFuture,
    policy::{PolicyProperties, async_policy_fn, policy_fn},
};

#[test]
fn policies_and_verdicts_are_printed() {
    let by_hand = policy_fn(|_| Verdict::from(DenialKind::OriginNotAllowed));
    let later = async_policy_fn(|_| async { Verdict::from(DenialKind::OriginNotAllowed) });
    let set = OriginSet::parse(["https://a.example"]).unwrap();
    let listed = set.properties();
    let waiting = VerdictFuture::new(std::future::pending());
    for (thing, shows) in [
        (
            &by_hand as &dyn Debug,
            &["PolicyFn(", "policies_and_verdicts"] as &[_],
        ),
        (&later, &["AsyncPolicyFn"]),
        (&waiting, &["Waiting"]),
        (&VerdictFuture::ready(Grant::new()), &["Ready(", "Grant"]),
        (
            &Grant::new().attach(Arc::new("left")),
            &["Grant {", "attached: true"],
        ),
        (&Grant::new(), &["attached: false"]),
        (&listed, &["[OriginSet { len: 1"]),
        (
            &Denial::new(DenialKind::OriginNotAllowed),
            &["Denial(OriginNotAllowed: "],
        ),
    ] {
        let printed = format!("{thing:?}");
        for shown in shows {
            assert!(printed.contains(shown), "{shown}: {printed}");
        }
    }
}

#[test]
fn either_of_two_policies_reaches_as_far_as_both_do() {
    let (always, star) = (
        || Any.properties(),
        || PolicyProperties::new().grants_any_origin(),
    );
    // Somebody has to ask which of the two decides.
    assert_eq!(always().or(always()), star());
    assert_eq!(always().or(star()), star());
    assert_eq!(star().or(always()), star());
    let plain = PolicyProperties::new;
    for stricter in [
        plain().no_store(),
        plain().private_responses(),
        plain().secret_path(),
        plain().grants_credentials(),
        plain().lists_insecure_origins(),
    ] {
        assert_eq!(stricter.clone().or(plain()), stricter);
        assert_eq!(plain().or(stricter.clone()), stricter);
    }
}
