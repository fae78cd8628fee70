use std::{convert::Infallible, fmt, sync::Arc};

use tower_layer::Layer;

use crate::{
    builder::CorsLayerBuilder,
    decision::{Plan, decide},
    policy::{Any, OriginPolicy, Verdict, VerdictFuture},
    request::Head,
    rules::Rules,
    service::Cors,
};

/// Adds [`Cors`] to a service.
///
/// Cloning is one reference count, whatever the configuration.
///
/// ```
/// use http::{Method, header};
/// use tower_cors::CorsLayer;
///
/// let cors = CorsLayer::builder()
///     .allow_origins(["https://app.example.com", "https://*.example.com"])
///     .allow_methods([Method::GET, Method::PUT])
///     .allow_headers([header::CONTENT_TYPE])
///     .build()?;
///
/// // What can never match, or would match too much, is no configuration:
/// assert!(CorsLayer::builder().allow_origins(["https://example.com/"]).build().is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone)]
pub struct CorsLayer {
    pub(crate) core: Arc<Core>,
}

impl CorsLayer {
    /// Starts a configuration.
    pub fn builder() -> CorsLayerBuilder {
        CorsLayerBuilder::new()
    }

    /// Any origin, method, request header and response header, without credentials.
    ///
    /// Pages still have to be allowed to send `Authorization`, which any does not cover.
    pub fn permissive() -> Self {
        Self::builder()
            .allow_origins(Any)
            .allow_methods(Any)
            .allow_headers(Any)
            .expose_headers(Any)
            .build()
            .expect("any of everything without credentials has no mistake")
    }

    pub(crate) fn new(rules: Rules, policy: Box<dyn OriginPolicy>) -> Self {
        Self {
            core: Arc::new(Core {
                rules,
                policy,
                #[cfg(feature = "tracing")]
                limiter: crate::events::Limiter::new(),
            }),
        }
    }
}

impl<S> Layer<S> for CorsLayer {
    type Service = Cors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Cors::new(inner, Arc::clone(&self.core))
    }
}

impl fmt::Debug for CorsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CorsLayer").field(&self.core).finish()
    }
}

/// The one thing that a layer and all its services share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) rules: Rules,
    policy: Box<dyn OriginPolicy>,
    #[cfg(feature = "tracing")]
    limiter: crate::events::Limiter,
}

impl Core {
    /// What to do about a request, or the policy's verdict to wait for before that is known.
    pub(crate) fn start(&self, head: Head<'_>) -> Result<Plan, VerdictFuture> {
        let plan = decide(&head, &self.rules, |request| {
            let verdict = match request.preflight() {
                None => self.policy.judge(request),
                Some(_) => self.policy.judge_preflight(request),
            };
            verdict.into_ready()
        });
        #[cfg(feature = "tracing")]
        if let Ok(plan) = &plan {
            crate::events::emit(
                plan,
                &head,
                self.rules.properties.has_secret_path(),
                &self.limiter,
            );
        }
        plan
    }

    /// What to do about a request whose verdict had to be waited for.
    pub(crate) fn resume(&self, head: Head<'_>, verdict: Verdict) -> Plan {
        let Ok(plan) = decide(&head, &self.rules, |_| Ok::<_, Infallible>(verdict));
        #[cfg(feature = "tracing")]
        crate::events::emit(
            &plan,
            &head,
            self.rules.properties.has_secret_path(),
            &self.limiter,
        );
        plan
    }
}
