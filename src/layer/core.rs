use std::convert::Infallible;

use super::verdict_timeout::VerdictTimeout;
use crate::{
    policy::{OriginPolicy, Verdict, VerdictFuture},
    protocol::{Plan, Rules, decide},
    request::Head,
};

/// Everything that a layer and all its services share, behind one reference count.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) rules: Rules,
    policy: Box<dyn OriginPolicy>,
    verdict_timeout: Option<VerdictTimeout>,
    #[cfg(feature = "tracing")]
    limiter: super::limiter::Limiter,
}

impl Core {
    pub(crate) fn new(
        rules: Rules,
        policy: Box<dyn OriginPolicy>,
        verdict_timeout: Option<VerdictTimeout>,
    ) -> Self {
        Self {
            rules,
            policy,
            verdict_timeout,
            #[cfg(feature = "tracing")]
            limiter: super::limiter::Limiter::new(),
        }
    }

    /// Decides about a request. `Err` is the policy's verdict, if it has to be waited for.
    pub(crate) fn start(&self, head: Head<'_>) -> Result<Plan, VerdictFuture> {
        let plan = decide(&head, &self.rules, |request| {
            let verdict = match request.preflight() {
                None => self.policy.judge(request),
                Some(_) => self.policy.judge_preflight(request),
            };
            // A ready verdict is used at once, without a future: the usual case.
            verdict.into_ready()
        });
        #[cfg(feature = "tracing")]
        if let Ok(plan) = &plan {
            super::events::emit(
                plan,
                &head,
                self.rules.properties.caching().secret_path,
                &self.limiter,
            );
        }
        plan
    }

    /// Limits the time that the verdict may take.
    pub(crate) fn limit(&self, verdict: VerdictFuture) -> VerdictFuture {
        match &self.verdict_timeout {
            Some(timeout) => timeout.limit(verdict),
            None => verdict,
        }
    }

    /// Decides about a request once its verdict has arrived.
    pub(crate) fn resume(&self, head: Head<'_>, verdict: Verdict) -> Plan {
        let Ok(plan) = decide(&head, &self.rules, |_| Ok::<_, Infallible>(verdict));
        #[cfg(feature = "tracing")]
        super::events::emit(
            &plan,
            &head,
            self.rules.properties.caching().secret_path,
            &self.limiter,
        );
        plan
    }
}

#[cfg(test)]
mod tests {
    use http::{
        HeaderValue, Method, Request,
        header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{layer::CorsLayer, origin::OriginSet, protocol::write};

    /// Few letters, so that a sent origin is often listed, or differs from a listed one in a
    /// detail.
    fn host() -> impl Strategy<Value = String> {
        "[ab]{1,2}(\\.[ab]){0,1}"
    }

    fn entry() -> impl Strategy<Value = String> {
        let prefix =
            prop_oneof![4 => Just("https://"), 1 => Just("https://*."), 1 => Just("http://")];
        let port = prop_oneof![4 => Just(""), 1 => Just(":8443"), 1 => Just(":*")];
        (prefix, host(), port).prop_map(|(prefix, host, port)| format!("{prefix}{host}{port}"))
    }

    fn sent() -> impl Strategy<Value = String> {
        let prefix = prop_oneof![6 => Just("https://"), 1 => Just("http://"), 1 => Just("HTTPS://"), 1 => Just("")];
        let tail = prop_oneof![6 => Just(""), 1 => Just(":8443"), 1 => Just(":443"), 1 => Just("/"), 1 => Just("."), 1 => Just(" ")];
        (prefix, host(), tail).prop_map(|(prefix, host, tail)| format!("{prefix}{host}{tail}"))
    }

    fn plan(layer: &CorsLayer, method: Method, lines: &[String]) -> String {
        let mut request = Request::new(());
        *request.method_mut() = method;
        let headers = request.headers_mut();
        headers.insert(
            ACCESS_CONTROL_REQUEST_METHOD,
            HeaderValue::from_static("PUT"),
        );
        for line in lines {
            headers.append(ORIGIN, HeaderValue::from_str(line).unwrap());
        }
        let head = Head::from(&request);
        let core = layer.in_force.core(&head);
        match core.start(head).unwrap() {
            Plan::Forward(forward) => format!("{forward:?}"),
            // Compare the written answer: if a denial is not recorded, its kind need not be the
            // same.
            Plan::Answer(answer) => format!("{:?}", write::answer(answer, &core.rules)),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn a_plain_list_decides_like_the_policy_that_it_is(
            entries in proptest::collection::vec(entry(), 1..6),
            lines in prop_oneof![
                8 => proptest::collection::vec(sent(), 1),
                1 => proptest::collection::vec(sent(), 0..3),
            ],
            records: bool,
        ) {
            let builder = || CorsLayer::builder().record_denials(records);
            let list = builder().allow_origins(entries.clone()).build().unwrap();
            let policy = builder().origin_policy(OriginSet::parse(&entries).unwrap()).build().unwrap();
            for method in [Method::GET, Method::OPTIONS] {
                prop_assert_eq!(
                    plan(&list, method.clone(), &lines),
                    plan(&policy, method, &lines)
                );
            }
        }
    }
}
