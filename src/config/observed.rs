//! The settings for observers of decisions.

use super::{builder::CorsLayerBuilder, report_only::ReportOnly};
use crate::observe::Decision;
#[cfg(feature = "metrics")]
use crate::observe::LayerMetrics;

impl CorsLayerBuilder {
    /// Calls a function once for each request that the layer has decided, also for those without an
    /// `Origin`, before the request is passed on or answered. Default: none.
    ///
    /// The function runs in the request's task, so it must not block; a panic of it is the
    /// request's, as a policy's is. A request whose client leaves while its verdict is waited for
    /// is not decided. What is allowed costs no allocation, and a denial two, for its reason.
    ///
    /// ```
    /// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
    /// use tower_cors::{CorsLayer, observe::Decision};
    ///
    /// let denied = Arc::new(AtomicU64::new(0));
    /// let count = Arc::clone(&denied);
    /// let cors = CorsLayer::builder()
    ///     .allow_origins(["https://app.example.com"])
    ///     .on_decision(move |decision: &Decision| {
    ///         if !decision.outcome().is_allowed() {
    ///             count.fetch_add(1, Ordering::Relaxed);
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    pub fn on_decision(mut self, hook: impl Fn(&Decision) + Send + Sync + 'static) -> Self {
        self.observation.hook = Some(Box::new(hook));
        self
    }

    /// Whether the [`Decision`] is left in the extensions of every request that is passed on, for
    /// the handler, and of every response, for outer layers. With the feature `axum`, a handler
    /// takes it as an argument. Default: no.
    ///
    /// It costs up to nine allocations for each request, since the extensions are maps that box
    /// what they hold. [`record_denials`](Self::record_denials) is separate, and records refusals
    /// alone.
    ///
    /// ```
    /// # use std::convert::Infallible;
    /// # use http::{Request, Response, header};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// use tower_cors::{CorsLayer, observe::{Decision, Outcome}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// async fn handler(request: Request<()>) -> Result<Response<String>, Infallible> {
    ///     let decision = request.extensions().get::<Decision>();
    ///     let is_allowed = decision.is_some_and(|decision| decision.outcome().is_allowed());
    ///     Ok(Response::new(if is_allowed { "for you" } else { "for all" }.to_owned()))
    /// }
    ///
    /// let service = CorsLayer::builder()
    ///     .allow_origins(["https://app.example.com"])
    ///     .record_decisions(true)
    ///     .build()?
    ///     .layer(service_fn(handler));
    /// for (origin, body, outcome) in [
    ///     ("https://app.example.com", "for you", Outcome::Allowed),
    ///     ("https://evil.example", "for all", Outcome::Forwarded),
    /// ] {
    ///     let request = Request::get("/").header(header::ORIGIN, origin).body(())?;
    ///     let response = service.clone().oneshot(request).await?;
    ///     assert_eq!(response.body(), body);
    ///     let decision = response.extensions().get::<Decision>().ok_or("recorded")?;
    ///     assert_eq!(decision.outcome(), outcome);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn record_decisions(mut self, record: bool) -> Self {
        self.observation.records = record;
        self
    }

    /// Counts requests, waits and judgements through the facade `metrics`, with this name in the
    /// label `layer`: see [the table in the guide](crate::guide::observing#counters). Default: not.
    ///
    /// The counters are registered here, so install the recorder first. Layers with the same name
    /// count together. The name must not depend on a request, since each is a series of its own.
    ///
    /// ```
    /// use tower_cors::CorsLayer;
    ///
    /// let cors = CorsLayer::builder()
    ///     .allow_origins(["https://app.example.com"])
    ///     .record_metrics("api")
    ///     .build()?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    #[cfg(feature = "metrics")]
    pub fn record_metrics(mut self, layer: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        self.observation.metrics = Some(LayerMetrics::register(layer.into()));
        self
    }

    /// Judges every request by a second configuration too, and never answers with it: to find out
    /// whom a tighter list would shut out, before it does. Default: none.
    ///
    /// The answer is byte for byte the same. The shadow is asked once the request is decided. If
    /// its policy is ready, it is judged at once; if it has to be waited for, a task of its own
    /// waits: see [`ReportOnly::spawn`]. A panic of it ends there, where panics unwind.
    ///
    /// Differences are told to [`ReportOnly::on_judgement`], as events with the feature `tracing`,
    /// and counted with the feature `metrics`. The page [in the
    /// guide](crate::guide::observing#tightening-a-list-in-production) goes through it.
    ///
    /// The shadow is a whole configuration. Its policy is asked as if it were in force, so give it
    /// objects of its own where a policy counts or remembers what it is asked.
    pub fn report_only(mut self, shadow: impl Into<ReportOnly>) -> Self {
        self.observation.shadow = Some(shadow.into().into_settings());
        self
    }
}
