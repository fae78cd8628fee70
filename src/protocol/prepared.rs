//! Headers that are written once, when the layer is built, and copied for each request: the fast
//! way, with the same result as `write` in fewer instructions.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
        CACHE_CONTROL,
    },
};

use super::{
    plan::Lists,
    vary::Vary,
    write::{NO_STORE, preflight_headers},
};
use crate::{
    lists::{AllowHeaders, AllowMethods, MaxAge},
    policy::{PolicyProperties, Reach, union_of_names},
};

/// The headers that do not depend on a request, except for a stand-in for the origin.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(super) vary: Vary,
    pub(super) preflight_vary: Vary,
    /// The answer to a preflight on the layer's own terms, with `*` in place of the origin; `None`
    /// if it depends on the requested method or headers.
    preflight: Option<HeaderMap>,
    /// The headers of a refused preflight.
    pub(super) refused_preflight: HeaderMap,
    pub(super) no_store: bool,
}

impl Prepared {
    pub(crate) fn new(
        properties: &PolicyProperties,
        by_method: bool,
        credentials: bool,
        methods: &AllowMethods,
        headers: &AllowHeaders,
        max_age: Option<&MaxAge>,
    ) -> Self {
        let vary = Vary::new(properties.varies_on());
        // If every origin gets the same answer, it does not depend on the preflight either, except
        // where each method of a route has its own rule.
        let of_preflight: &[HeaderName] = match properties.reach() {
            Reach::Always if by_method => &[ACCESS_CONTROL_REQUEST_METHOD],
            Reach::Always => &[],
            _ => &[
                ACCESS_CONTROL_REQUEST_METHOD,
                ACCESS_CONTROL_REQUEST_HEADERS,
            ],
        };
        let preflight_vary = Vary::new(union_of_names(&properties.varies_on(), of_preflight));
        let no_store = properties.caching().no_store;
        let constant = || {
            let lists = Lists {
                methods: methods.constant_value(credentials)?,
                headers: headers.constant_value(credentials)?,
                max_age: MaxAge::capped(max_age, None),
            };
            Some(preflight_headers(
                HeaderValue::from_static("*"),
                credentials,
                lists,
                &preflight_vary,
                no_store,
            ))
        };
        let preflight = constant();
        let mut refused_preflight = HeaderMap::new();
        if no_store {
            refused_preflight.insert(CACHE_CONTROL, NO_STORE);
        }
        preflight_vary.merge_into(&mut refused_preflight);
        Self {
            vary,
            preflight_vary,
            preflight,
            refused_preflight,
            no_store,
        }
    }

    pub(crate) fn has_preflight(&self) -> bool {
        self.preflight.is_some()
    }

    /// The prepared answer, with this origin or with `*`.
    pub(super) fn preflight(&self, origin: Option<HeaderValue>) -> HeaderMap {
        let Some(prepared) = &self.preflight else {
            return HeaderMap::new();
        };
        let mut headers = prepared.clone();
        if let Some(origin) = origin {
            // It was inserted first, so iterating finds it sooner than hashing. `insert` would also
            // reserve room for another header.
            let stand_in = headers
                .iter_mut()
                .find(|(name, _)| **name == ACCESS_CONTROL_ALLOW_ORIGIN);
            if let Some((_, value)) = stand_in {
                *value = origin;
            }
        }
        headers
    }
}
