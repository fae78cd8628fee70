use std::{ops::ControlFlow, sync::Arc};

use http::header::ORIGIN;
use tower_layer::Layer;

use super::{
    builder::FetchMetadataLayerBuilder,
    cause::{SEC_FETCH_DEST, SEC_FETCH_MODE, SEC_FETCH_SITE},
    rules::{Judgement, Rules},
    service::FetchMetadata,
};
use crate::{
    policy::{PolicyProperties, Verdict, VerdictFuture, union_of_names},
    protocol::Vary,
    request::Head,
};

/// Adds [`FetchMetadata`] to a service: see the [module](self::super).
///
/// Cloning is one reference count.
///
/// ```
/// use tower_cors::fetch_metadata::FetchMetadataLayer;
///
/// let own_pages_only = FetchMetadataLayer::builder().build()?;
/// let checkout_too = FetchMetadataLayer::builder()
///     .allow_origins(["https://checkout.example"])
///     .build()?;
///
/// let null = FetchMetadataLayer::builder().allow_origins(["null"]);
/// assert!(null.build().is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone, Debug)]
pub struct FetchMetadataLayer {
    pub(super) shared: Arc<Shared>,
}

impl FetchMetadataLayer {
    /// Starts a configuration. Without a setting, it admits the service's own pages, the user, and
    /// links.
    pub fn builder() -> FetchMetadataLayerBuilder {
        FetchMetadataLayerBuilder::default()
    }
}

impl<S> Layer<S> for FetchMetadataLayer {
    type Service = FetchMetadata<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FetchMetadata::new(inner, Arc::clone(&self.shared))
    }
}

/// What a layer and all its services share.
#[derive(Debug)]
pub(super) struct Shared {
    rules: Rules,
    /// The request headers that decide, so that no cache hands one page's answer to another page.
    pub(super) vary: Vary,
    #[cfg(feature = "tracing")]
    has_secret_path: bool,
    #[cfg(feature = "tracing")]
    limiter: crate::layer::Limiter,
}

impl Shared {
    pub(super) fn new(rules: Rules) -> Self {
        let properties = rules.trusted.as_ref().map(|policy| policy.properties());
        let read = properties
            .as_ref()
            .map_or(Vec::new(), PolicyProperties::varies_on);
        let own = [SEC_FETCH_SITE, SEC_FETCH_MODE, SEC_FETCH_DEST, ORIGIN];
        Self {
            vary: Vary::new(union_of_names(&own, &read)),
            #[cfg(feature = "tracing")]
            has_secret_path: properties.is_some_and(|all| all.caching().secret_path),
            rules,
            #[cfg(feature = "tracing")]
            limiter: crate::layer::Limiter::new(),
        }
    }

    /// Judges a request. Breaks off with the policy's verdict, if that has to be waited for.
    pub(super) fn judge(&self, head: &Head<'_>) -> ControlFlow<Box<VerdictFuture>, Judgement> {
        match self.rules.judge(head) {
            ControlFlow::Continue(judgement) => ControlFlow::Continue(self.told(head, judgement)),
            ControlFlow::Break(verdict) => ControlFlow::Break(Box::new(verdict)),
        }
    }

    /// The judgement once the verdict has arrived.
    pub(super) fn conclude(&self, head: &Head<'_>, verdict: Verdict) -> Judgement {
        self.told(head, self.rules.conclude(head, verdict))
    }

    #[cfg(not(feature = "tracing"))]
    fn told(&self, _: &Head<'_>, judgement: Judgement) -> Judgement {
        judgement
    }

    /// Logs a denial.
    #[cfg(feature = "tracing")]
    fn told(&self, head: &Head<'_>, judgement: Judgement) -> Judgement {
        if let Err(denial) = &judgement {
            let refused = crate::gate::Refused {
                kind: &denial.kind(),
                number: denial.kind() as usize,
                text: &denial.kind(),
                method: head.method,
                path: (!self.has_secret_path).then(|| head.uri.path()),
                host: None,
                origin: denial.origin().map(http::HeaderValue::as_bytes),
                site: denial.site().map(http::HeaderValue::as_bytes),
                mode: super::cause::single(head.headers, &SEC_FETCH_MODE),
            };
            crate::gate::emit(&refused, &self.limiter);
        }
        judgement
    }
}
