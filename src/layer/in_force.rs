use std::{fmt, sync::Arc};

use http::{HeaderValue, Method, header::ACCESS_CONTROL_REQUEST_METHOD};

use super::core::Core;
use crate::request::{Classified, Head, classify};

/// What a layer and all its services share: one configuration, one for each method, or a
/// configuration that can be replaced.
///
/// All three stand behind one `Arc`, so that a service is one pointer larger than its inner
/// service, whatever its configuration is.
pub(crate) enum InForce {
    /// One configuration for all requests.
    Always(Arc<Core>),
    /// One configuration for each method.
    ByMethod(Table),
    /// The configuration that was stored last.
    #[cfg(feature = "reload")]
    Replaceable(arc_swap::ArcSwap<InForce>),
}

impl InForce {
    /// The configuration for the request. The request keeps it until its response has arrived, even
    /// if another one is stored in the meantime.
    #[inline(always)]
    pub(crate) fn core(&self, head: &Head<'_>) -> Arc<Core> {
        match self {
            Self::Always(core) => Arc::clone(core),
            other => other.look_up(head),
        }
    }

    /// Apart from [`core`](Self::core), so that the usual case is small enough to be inlined.
    #[inline(never)]
    fn look_up(&self, head: &Head<'_>) -> Arc<Core> {
        match self {
            Self::Always(core) => Arc::clone(core),
            Self::ByMethod(table) => Arc::clone(table.core(head)),
            #[cfg(feature = "reload")]
            Self::Replaceable(current) => current.load().core(head),
        }
    }
}

impl fmt::Debug for InForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always(core) => core.fmt(f),
            Self::ByMethod(table) => table.fmt(f),
            #[cfg(feature = "reload")]
            Self::Replaceable(current) => current.load().fmt(f),
        }
    }
}

/// The configurations of one route, by method.
#[derive(Debug)]
pub(crate) struct Table {
    /// Each method once.
    pub(crate) rules: Vec<(Method, Arc<Core>)>,
    /// For requests with another method.
    pub(crate) closed: Arc<Core>,
    /// For preflights that announce another method: the rule that admits the most origins. A page
    /// whose origin is allowed then learns which methods are.
    pub(crate) widest: Arc<Core>,
    /// Whether the service has no handlers for other methods.
    pub(crate) is_complete: bool,
}

impl Table {
    fn core(&self, head: &Head<'_>) -> &Arc<Core> {
        match classify(head) {
            // https://fetch.spec.whatwg.org/#cors-preflight-fetch: the method of the request to
            // come. If there are several lines, none counts: the preflight is refused as malformed.
            Classified::Preflight { .. } => {
                let announced = head
                    .headers
                    .get(ACCESS_CONTROL_REQUEST_METHOD)
                    .map_or(b"" as &[u8], HeaderValue::as_bytes);
                self.find(announced).unwrap_or_else(|| self.rest(announced))
            }
            Classified::NotCors | Classified::Actual(_) => {
                let method = head.method.as_str().as_bytes();
                self.find(method).unwrap_or(&self.closed)
            }
        }
    }

    /// The configuration for a preflight whose method has no rule.
    ///
    /// Browsers refuse a method that the answer does not list, except for `GET`, `HEAD` and `POST`,
    /// which pass whatever it lists ([Fetch, CORS-preflight fetch, step 7]). So another rule's
    /// answer would open these three. They get it only if the service has no handler for them.
    ///
    /// [Fetch, CORS-preflight fetch, step 7]: https://fetch.spec.whatwg.org/#cors-preflight-fetch
    fn rest(&self, announced: &[u8]) -> &Arc<Core> {
        let is_safelisted = matches!(announced, b"GET" | b"HEAD" | b"POST");
        if is_safelisted && !self.is_complete {
            &self.closed
        } else {
            &self.widest
        }
    }

    fn find(&self, method: &[u8]) -> Option<&Arc<Core>> {
        self.rules
            .iter()
            .find(|(own, _)| own.as_str().as_bytes() == method)
            .map(|(_, core)| core)
    }
}
