//! `policy_conformance`: every policy of this crate keeps its obligations, and policies that are wrong
//! on purpose are found out, at least one for each obligation.

mod shipped;
mod wrong;

use tower_cors::{
    OriginPolicy,
    test_util::{Expectations, Obligation, policy_conformance},
};

const PAGE: &str = "https://app.example";

fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}

/// Fails with all violations.
#[track_caller]
fn conforms(policy: impl OriginPolicy, expectations: impl Into<Expectations>) {
    if let Err(violations) = block_on(policy_conformance(policy, expectations)) {
        panic!("{violations}");
    }
}

/// The obligations that are not kept, each once, and the text.
fn violated(
    policy: impl OriginPolicy,
    expectations: impl Into<Expectations>,
) -> (Vec<Obligation>, String) {
    let Err(violations) = block_on(policy_conformance(policy, expectations)) else {
        return (Vec::new(), String::new());
    };
    let mut obligations: Vec<Obligation> = Vec::new();
    for violation in violations.iter() {
        if !obligations.contains(&violation.obligation()) {
            obligations.push(violation.obligation());
        }
    }
    (obligations, violations.to_string())
}
