use std::sync::Arc;

use tower_layer::Layer;

use super::{builder::HostLayerBuilder, denial::HostDenial, hosts::Hosts, service::HostCheck};
use crate::request::Head;

/// Adds [`HostCheck`] to a service: see the [module](self::super).
///
/// Put it outside of all other layers, so that nothing acts on a request for a strange host. Cloning
/// is one reference count.
///
/// ```
/// use tower_cors::host::HostLayer;
///
/// let hosts = HostLayer::builder().allow_hosts(["localhost:*", "127.0.0.1:*", "[::1]:*"]).build()?;
/// // Everybody can have such a name, and point it at the service.
/// assert!(HostLayer::builder().allow_hosts(["*.com"]).build().is_err());
/// # Ok::<(), tower_cors::host::HostErrors>(())
/// ```
#[derive(Clone, Debug)]
pub struct HostLayer {
    pub(super) shared: Arc<Shared>,
}

impl HostLayer {
    /// Starts a configuration.
    pub fn builder() -> HostLayerBuilder {
        HostLayerBuilder::default()
    }
}

impl<S> Layer<S> for HostLayer {
    type Service = HostCheck<S>;

    fn layer(&self, inner: S) -> Self::Service {
        HostCheck::new(inner, Arc::clone(&self.shared))
    }
}

/// What a layer and all its services share.
#[derive(Debug)]
pub(super) struct Shared {
    hosts: Hosts,
    #[cfg(feature = "tracing")]
    limiter: crate::layer::Limiter,
}

impl Shared {
    pub(super) fn new(hosts: Hosts) -> Self {
        Self {
            hosts,
            #[cfg(feature = "tracing")]
            limiter: crate::layer::Limiter::new(),
        }
    }

    /// Whether the request is for a listed host. A denial is logged.
    pub(super) fn judge(&self, head: &Head<'_>) -> Result<(), HostDenial> {
        let verdict = self.hosts.judge(head);
        #[cfg(feature = "tracing")]
        if let Err(denial) = &verdict {
            self.tell(denial, head);
        }
        verdict
    }

    /// The path is left out: it may hold a token, and the host says enough.
    #[cfg(feature = "tracing")]
    fn tell(&self, denial: &HostDenial, head: &Head<'_>) {
        let refused = crate::gate::Refused {
            kind: &denial.kind(),
            number: denial.kind() as usize,
            text: &denial.kind(),
            method: head.method,
            path: None,
            host: denial.host().map(http::HeaderValue::as_bytes),
            origin: None,
            site: None,
            mode: None,
        };
        crate::gate::emit(&refused, &self.limiter);
    }
}
