use std::{convert::Infallible, ops::ControlFlow, sync::Arc};

use super::{
    observe::{Detour, Observer, Recorded},
    verdict_timeout::VerdictTimeout,
};
use crate::{
    observe::Decision,
    policy::{Decider, OriginPolicy, Verdict, VerdictFuture},
    protocol::{Plan, Rules, decide, see},
    request::{CorsRequest, Head},
};

/// Everything that a layer and all its services share, behind one reference count.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) rules: Rules,
    policy: Box<dyn OriginPolicy>,
    verdict_timeout: Option<VerdictTimeout>,
    observer: Option<Arc<Observer>>,
    #[cfg(feature = "tracing")]
    limiter: super::limiter::Limiter,
}

impl Core {
    pub(crate) fn new(
        rules: Rules,
        policy: Box<dyn OriginPolicy>,
        verdict_timeout: Option<VerdictTimeout>,
        observer: Option<Arc<Observer>>,
    ) -> Self {
        Self {
            rules,
            policy,
            verdict_timeout,
            observer,
            #[cfg(feature = "tracing")]
            limiter: super::limiter::Limiter::new(),
        }
    }

    /// Decides about a request. Breaks off if it does not go the usual way.
    pub(crate) fn start(&self, head: &Head<'_>) -> ControlFlow<Box<Detour>, Plan> {
        match &self.observer {
            None => self.decide(head),
            Some(observer) => self.decide_observed(observer, head),
        }
    }

    /// Inlined into both ways to start, so that the usual one neither calls nor moves a plan.
    #[inline(always)]
    fn decide(&self, head: &Head<'_>) -> ControlFlow<Box<Detour>, Plan> {
        let plan = decide(head, &self.rules, |request| {
            self.judge(request)
                .map_break(|verdict| Box::new(Detour::Wait(verdict)))
        });
        #[cfg(feature = "tracing")]
        if let ControlFlow::Continue(plan) = &plan {
            self.emit(plan, head);
        }
        plan
    }

    /// Decides, and tells the observer.
    #[cold]
    #[inline(never)]
    fn decide_observed(
        &self,
        observer: &Observer,
        head: &Head<'_>,
    ) -> ControlFlow<Box<Detour>, Plan> {
        observer
            .look_at(self.decide(head)?, head, &self.rules)
            .map_break(|recorded| Box::new(Detour::Record(recorded)))
    }

    /// Asks the policy. Breaks off with its verdict, if it has to be waited for.
    #[inline(always)]
    pub(super) fn judge(&self, request: &CorsRequest<'_>) -> ControlFlow<VerdictFuture, Verdict> {
        let verdict = match request.preflight() {
            None => self.policy.judge(request),
            Some(_) => self.policy.judge_preflight(request),
        };
        // A ready verdict is used at once, without a future: the usual case.
        match verdict.into_ready() {
            Ok(verdict) => ControlFlow::Continue(verdict),
            Err(verdict) => ControlFlow::Break(verdict),
        }
    }

    /// Which policy decides about the request.
    pub(super) fn decider(&self, request: &CorsRequest<'_>) -> Decider {
        self.policy.decider(request)
    }

    /// What would be decided, or the verdict to wait for first. Nobody is told.
    pub(crate) fn foresee(&self, head: &Head<'_>) -> Result<Decision, VerdictFuture> {
        let plan = decide(head, &self.rules, |request| self.judge(request));
        match plan {
            ControlFlow::Continue(plan) => Ok(see(&plan, head, &self.rules).decision(head)),
            ControlFlow::Break(verdict) => Err(self.limit_and_measure(verdict)),
        }
    }

    /// The same once the verdict has arrived.
    pub(crate) fn foresee_with(&self, head: Head<'_>, verdict: Verdict) -> Decision {
        let ControlFlow::Continue(plan) = decide(&head, &self.rules, |_| {
            ControlFlow::<Infallible, _>::Continue(verdict)
        });
        see(&plan, &head, &self.rules).decision(&head)
    }

    /// Whether the path of a URL may hold a token.
    pub(crate) fn hides_path(&self) -> bool {
        self.rules.properties.caching().secret_path
    }

    /// Limits the time that the verdict may take.
    pub(super) fn limit(&self, verdict: VerdictFuture) -> VerdictFuture {
        match &self.verdict_timeout {
            Some(timeout) => timeout.limit(verdict),
            None => verdict,
        }
    }

    /// Limits the time that the verdict may take, and measures it.
    pub(crate) fn limit_and_measure(&self, verdict: VerdictFuture) -> VerdictFuture {
        let verdict = self.limit(verdict);
        match &self.observer {
            Some(observer) => observer.timed(verdict),
            None => verdict,
        }
    }

    /// Decides about a request once its verdict has arrived. Breaks off if the decision is to be
    /// recorded.
    pub(crate) fn resume(&self, head: Head<'_>, verdict: Verdict) -> ControlFlow<Recorded, Plan> {
        let ControlFlow::Continue(plan) = decide(&head, &self.rules, |_| {
            ControlFlow::<Infallible, _>::Continue(verdict)
        });
        #[cfg(feature = "tracing")]
        self.emit(&plan, &head);
        match &self.observer {
            None => ControlFlow::Continue(plan),
            Some(observer) => observer.look_at(plan, &head, &self.rules),
        }
    }

    #[cfg(feature = "tracing")]
    fn emit(&self, plan: &Plan, head: &Head<'_>) {
        super::events::emit(plan, head, self.hides_path(), &self.limiter);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{
        HeaderMap, HeaderValue, Method, Request,
        header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{
        layer::CorsLayer,
        origin::OriginSet,
        policy::{Grant, Terms, policy_fn},
        protocol::{Answer, write},
    };

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
        let ControlFlow::Continue(plan) = core.start(&head) else {
            panic!("a list is not waited for");
        };
        match plan {
            Plan::Forward(edit, _) => format!("{edit:?}"),
            // Compare the written answer: if a denial is not recorded, its kind need not be the
            // same.
            Plan::Answer(answer) => {
                let mut headers = HeaderMap::new();
                let written = write::answer(answer, &core.rules, &mut headers);
                format!("{written:?} {headers:?}")
            }
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

        /// Terms that change nothing lead to the answer by the other way.
        #[test]
        fn a_prepared_answer_is_what_would_be_written_for_the_request(
            any_methods: bool,
            any_headers: bool,
            lists_authorization: bool,
            credentials: bool,
            records: bool,
            max_age in proptest::option::of(0..20_u64),
            cap in proptest::option::of(0..20_u64),
            method in prop_oneof![Just("PUT"), Just("PATCH"), Just("*")],
            names in proptest::collection::vec(
                prop_oneof![
                    4 => Just("x-a"), 2 => Just("x-b"), 1 => Just("authorization"),
                    1 => Just("*"), 1 => Just("X-A"), 1 => Just(" x-b"), 1 => Just(""),
                ],
                0..4,
            ),
        ) {
            let layer = |grant: Grant| {
                let mut headers = vec![if any_headers { "*" } else { "x-a" }];
                headers.extend(lists_authorization.then_some("authorization"));
                let builder = CorsLayer::builder()
                    .origin_policy(policy_fn(move |_| grant.clone()))
                    .allow_methods([if any_methods { "*" } else { "PUT" }])
                    .allow_headers(headers)
                    .allow_credentials(credentials)
                    .record_denials(records);
                match max_age {
                    Some(seconds) => builder.max_age(Duration::from_secs(seconds)),
                    None => builder,
                }
                .build()
                .unwrap()
            };
            let mut request = Request::new(());
            *request.method_mut() = Method::OPTIONS;
            let headers = request.headers_mut();
            headers.insert(ORIGIN, HeaderValue::from_static("https://a.example"));
            headers.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static(method));
            if !names.is_empty() {
                let names = names.join(",").parse().unwrap();
                headers.insert(ACCESS_CONTROL_REQUEST_HEADERS, names);
            }
            let answer = |layer: &CorsLayer| {
                let core = layer.in_force.core(&Head::from(&request));
                let ControlFlow::Continue(Plan::Answer(answer)) = core.start(&Head::from(&request))
                else {
                    panic!("a preflight is answered");
                };
                let is_full = matches!(answer, Answer::Full(_));
                let mut headers = HeaderMap::new();
                let written = write::answer(answer, &core.rules, &mut headers);
                (is_full, (headers, format!("{written:?}")))
            };
            let grant = match cap {
                Some(seconds) => Grant::new().max_age_at_most(Duration::from_secs(seconds)),
                None => Grant::new(),
            };
            let (_, prepared) = answer(&layer(grant.clone()));
            let (is_full, written) = answer(&layer(grant.terms(Terms::new())));
            prop_assert!(is_full);
            prop_assert_eq!(prepared, written);
        }
    }
}
