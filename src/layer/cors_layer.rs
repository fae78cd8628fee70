use std::{fmt, sync::Arc};

use tower_layer::Layer;

use super::{in_force::InForce, service::Cors};

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
/// // An entry that can never match does not build. With credentials, neither does one that matches
/// // the names of strangers:
/// assert!(CorsLayer::builder().allow_origins(["https://example.com/"]).build().is_err());
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[derive(Clone)]
pub struct CorsLayer {
    pub(super) in_force: Arc<InForce>,
}

impl CorsLayer {
    pub(crate) fn from_in_force(in_force: InForce) -> Self {
        Self {
            in_force: Arc::new(in_force),
        }
    }
}

impl<S> Layer<S> for CorsLayer {
    type Service = Cors<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Cors::new(inner, Arc::clone(&self.in_force))
    }
}

impl fmt::Debug for CorsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CorsLayer").field(&self.in_force).finish()
    }
}
