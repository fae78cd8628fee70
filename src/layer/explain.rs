//! Explanations of requests: the layer's own decision, described instead of carried out.

use std::{future::Future, ops::ControlFlow, sync::Arc};

use http::{Request, request::Parts};

use super::{core::Core, cors_layer::CorsLayer, in_force::InForce, service::Cors};
use crate::{
    explain::Explanation,
    policy::{Decider, VerdictFuture},
    protocol::decide,
    request::Head,
};

impl CorsLayer {
    /// Explains what the layer makes of a request, without sending it anywhere: see [`Explanation`].
    ///
    /// The policy is asked and the decision is taken as the service does it, with the configuration
    /// that is in force now. So a policy that waits is waited for, within
    /// [`verdict_timeout`](crate::CorsLayerBuilder::verdict_timeout). Nothing is logged. What is
    /// explained is for the operator: it says which entries a list has.
    ///
    /// ```
    /// use http::{Method, Request, header};
    /// use tower_cors::CorsLayer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cors = CorsLayer::builder()
    ///     .allow_origins(["https://app.example.com"])
    ///     .allow_methods([Method::PUT])
    ///     .build()?;
    /// let preflight = |method| {
    ///     Request::options("/things/1")
    ///         .header(header::ORIGIN, "https://app.example.com")
    ///         .header(header::ACCESS_CONTROL_REQUEST_METHOD, method)
    ///         .body(())
    /// };
    /// assert!(cors.explain(&preflight("PUT")?).await.is_allowed());
    ///
    /// let refused = cors.explain(&preflight("PATCH")?).await;
    /// let finding = refused.finding().ok_or("refused")?;
    /// assert_eq!(finding.code().rust(), Some(".allow_methods([\"PUT\", \"PATCH\"])"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn explain<B>(
        &self,
        request: &Request<B>,
    ) -> impl Future<Output = Explanation> + Send + use<B> {
        explain(&self.in_force, Head::from(request))
    }

    /// The same for a request without its body.
    pub fn explain_parts(&self, parts: &Parts) -> impl Future<Output = Explanation> + Send + use<> {
        explain(&self.in_force, Head::from(parts))
    }

    /// The same at once, or `None` if the policy has to be waited for.
    ///
    /// ```
    /// use http::{Request, header::ORIGIN};
    /// use tower_cors::{CorsLayer, Verdict, policy::async_policy_fn};
    ///
    /// let request = Request::get("/").header(ORIGIN, "https://app.example.com").body(())?;
    /// let list = CorsLayer::builder().allow_origins(["https://app.example.com"]).build()?;
    /// assert!(list.explain_now(&request).is_some_and(|it| it.is_allowed()));
    ///
    /// let waits = async_policy_fn(async |_| Verdict::from(false));
    /// let waiting = CorsLayer::builder().origin_policy(waits).build()?;
    /// assert!(waiting.explain_now(&request).is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain_now<B>(&self, request: &Request<B>) -> Option<Explanation> {
        start(&self.in_force, Head::from(request)).ok()
    }
}

impl<S> Cors<S> {
    /// Explains what the service makes of a request: see [`CorsLayer::explain`].
    pub fn explain<B>(
        &self,
        request: &Request<B>,
    ) -> impl Future<Output = Explanation> + Send + use<S, B> {
        explain(self.in_force(), Head::from(request))
    }
}

/// A verdict that has to be waited for, and who gives it.
struct Waiting {
    core: Arc<Core>,
    verdict: VerdictFuture,
    decider: Option<Decider>,
}

fn explain(in_force: &InForce, head: Head<'_>) -> impl Future<Output = Explanation> + Send + use<> {
    // The policy is asked now; the copy is for the time after it has been waited for.
    let started = start(in_force, head).map_err(|waiting| (waiting, head.to_owned_head()));
    async move {
        match started {
            Ok(explanation) => explanation,
            Err((waiting, head)) => {
                let Waiting {
                    core,
                    verdict,
                    decider,
                } = *waiting;
                let verdict = core.limit(verdict).await;
                let rules = core.rules.recording();
                let head = head.view();
                let ControlFlow::Continue(plan) = decide(&head, &rules, |_| {
                    ControlFlow::<std::convert::Infallible, _>::Continue(verdict)
                });
                Explanation::new(&head, &rules, plan, decider)
            }
        }
    }
}

/// Explains at once where the verdict is ready.
fn start(in_force: &InForce, head: Head<'_>) -> Result<Explanation, Box<Waiting>> {
    let core = in_force.core(&head);
    let rules = core.rules.recording();
    let mut decider = None;
    let plan = decide(&head, &rules, |request| {
        // The verdict first: a policy may be asked again for who decides, and a proof that the
        // request brings is good once.
        let judged = core.judge(request).map_break(Box::new);
        decider = Some(core.decider(request));
        judged
    });
    match plan {
        ControlFlow::Continue(plan) => Ok(Explanation::new(&head, &rules, plan, decider)),
        ControlFlow::Break(verdict) => {
            drop(rules);
            Err(Box::new(Waiting {
                core,
                verdict: *verdict,
                decider,
            }))
        }
    }
}
