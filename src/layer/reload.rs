use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;

use super::{cors_layer::CorsLayer, in_force::InForce};

impl CorsLayer {
    /// A layer whose whole configuration can be replaced while requests are in flight, and the
    /// handle to do it with. It begins with this configuration.
    ///
    /// ```
    /// use http::Method;
    /// use tower_cors::{CorsLayer, routes::MethodRule};
    ///
    /// let (cors, handle) = CorsLayer::builder()
    ///     .allow_origins(["https://app.example.com"])
    ///     .build()?
    ///     .reloadable();
    ///
    /// // A configuration with mistakes is refused with all of them, and the old one stays.
    /// assert!(handle.reload(CorsLayer::builder().allow_origins(["app.example.com"])).is_err());
    /// handle.reload(CorsLayer::builder().allow_origins(["https://app.example.org"]))?;
    /// // It may also have a rule for each method.
    /// handle.reload(CorsLayer::by_method().rule([Method::GET], MethodRule::public_any_origin()))?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    ///
    /// A layer that is reloadable already gets a second handle of its own, which the first one does
    /// not reach: it begins with what the first one has in force now.
    pub fn reloadable(self) -> (CorsLayer, CorsHandle) {
        let in_force = self.in_force.now();
        let current = Arc::new(InForce::Replaceable(ArcSwap::new(in_force)));
        let layer = CorsLayer {
            in_force: Arc::clone(&current),
        };
        (layer, CorsHandle { current })
    }
}

/// Replaces the configuration of a [`CorsLayer`] that is [reloadable](CorsLayer::reloadable), and
/// of all services that it has made.
///
/// Cloning is one reference count. The example of [`reloadable`](CorsLayer::reloadable) replaces a
/// configuration, and shows one that is refused.
#[derive(Clone)]
pub struct CorsHandle {
    /// Always [`InForce::Replaceable`].
    current: Arc<InForce>,
}

impl CorsHandle {
    /// Replaces the whole configuration at once: by a [`CorsLayer`], a
    /// [`CorsLayerBuilder`](crate::CorsLayerBuilder), [`MethodRules`](crate::routes::MethodRules),
    /// or a `CorsConfig` from a file.
    ///
    /// Requests that have arrived keep the configuration that they began with, also while their
    /// verdict is waited for.
    ///
    /// # Errors
    ///
    /// Every mistake of the new configuration; the old one stays.
    pub fn reload<C>(&self, configuration: C) -> Result<(), <CorsLayer as TryFrom<C>>::Error>
    where
        CorsLayer: TryFrom<C>,
    {
        let layer = CorsLayer::try_from(configuration)?;
        if let InForce::Replaceable(current) = &*self.current {
            current.store(layer.in_force.now());
        }
        Ok(())
    }

    /// The configuration that new requests get.
    pub fn current(&self) -> CorsLayer {
        CorsLayer {
            in_force: self.current.now(),
        }
    }
}

impl InForce {
    /// The configuration itself, without what could replace it. A layer that held a reloadable one
    /// would follow it, or refer to itself.
    fn now(self: &Arc<Self>) -> Arc<Self> {
        match &**self {
            Self::Replaceable(current) => current.load_full(),
            Self::Always(_) | Self::ByMethod(_) => Arc::clone(self),
        }
    }
}

impl fmt::Debug for CorsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CorsHandle").field(&self.current()).finish()
    }
}
