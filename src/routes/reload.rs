use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;

use super::table::{MethodCorsLayer, Table};
use crate::{
    layer::{Core, InForce, ReloadableCorsLayer},
    request::Head,
};

impl MethodCorsLayer {
    /// A layer whose whole table of rules can be replaced while requests are in flight, and the
    /// handle to do it with. It begins with these rules.
    ///
    /// In axum it goes around the handlers of one path, with `get(..).put(..).layer(..)`.
    ///
    /// ```
    /// use http::Method;
    /// use tower_cors::routes::{MethodCorsLayer, MethodRule};
    ///
    /// let public = MethodRule::public_any_origin();
    /// let rules = MethodCorsLayer::builder().rule([Method::GET], public.clone());
    /// let (cors, handle) = rules.build()?.reloadable();
    ///
    /// // What has mistakes is refused with all of them, and the old rules stay.
    /// let leak = public.clone().allow_credentials(true);
    /// assert!(handle.reload(MethodCorsLayer::builder().rule([Method::GET], leak)).is_err());
    /// handle.reload(MethodCorsLayer::builder().rule([Method::GET, Method::PUT], public))?;
    /// # Ok::<(), tower_cors::ConfigErrors>(())
    /// ```
    pub fn reloadable(self) -> (ReloadableCorsLayer, MethodCorsHandle) {
        let current = Arc::new(ArcSwap::new(self.table));
        let layer = ReloadableCorsLayer::new(Arc::clone(&current));
        (layer, MethodCorsHandle { current })
    }
}

/// Replaces the rules of a [`MethodCorsLayer`] that is [reloadable](MethodCorsLayer::reloadable), and
/// of all services that it has made.
///
/// Cloning is one reference count.
#[derive(Clone)]
pub struct MethodCorsHandle {
    current: Arc<ArcSwap<Table>>,
}

impl MethodCorsHandle {
    /// Replaces all rules at once: by a [`MethodCorsLayer`], or a [`MethodCorsBuilder`](crate::routes::MethodCorsBuilder).
    ///
    /// Requests that have arrived keep the rules that they began with, also while their verdict is
    /// waited for.
    ///
    /// # Errors
    ///
    /// Every mistake of the new rules; the old ones stay.
    pub fn reload<C>(&self, rules: C) -> Result<(), <MethodCorsLayer as TryFrom<C>>::Error>
    where
        MethodCorsLayer: TryFrom<C>,
    {
        let layer = MethodCorsLayer::try_from(rules)?;
        self.current.store(layer.table);
        Ok(())
    }

    /// The rules that new requests meet.
    pub fn current(&self) -> MethodCorsLayer {
        MethodCorsLayer {
            table: self.current.load_full(),
        }
    }
}

impl fmt::Debug for MethodCorsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MethodCorsHandle")
            .field(&self.current())
            .finish()
    }
}

impl InForce for ArcSwap<Table> {
    fn core(&self, request: &Head<'_>) -> Arc<Core> {
        Arc::clone(self.load().core(request))
    }
}
