//! [`DenyPreflights`]: no preflight passes.

use super::*;

#[test]
fn deny_preflights_leaves_simple_requests() {
    let policy = set(&[PAGE]).with_preflight(DenyPreflights);
    let answer = ask_both(&policy, listed, || preflight("/", PAGE, ""));
    assert_eq!(
        answer,
        storable(refused(PREFLIGHT_VARY, DenialKind::PreflightNotAllowed))
    );
    let answer = ask_both(&policy, listed, || actual("/", PAGE, &[]));
    assert_eq!((answer.status, answer.ran), (200, true));
    let alone = ask_both(&DenyPreflights, listed, || actual("/", PAGE, &[]));
    assert_eq!(alone, storable(refused("origin", DenialKind::NoPolicy)));
}
