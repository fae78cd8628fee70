//! The fast way to answer a preflight: headers that are written once, when the layer is built, and
//! copied for each request.
//!
//! The result is the same as that of the slow way, `decide::grant_preflight` and
//! [`write`](super::write), which can be read without this file. A property test in `layer::core`
//! compares the two.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
        CACHE_CONTROL,
    },
};

use super::{
    plan::{ANY, Allowed, Answer, Echo, Lists},
    rules::Rules,
    vary::Vary,
    write::{NO_STORE, preflight_headers},
};
use crate::{
    lists::{AllowHeaders, AllowMethods, MaxAge},
    policy::{PolicyProperties, Reach, union_of_names},
    request::Preflight,
};

/// The headers that do not depend on a request, except for a stand-in for the origin.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(super) vary: Vary,
    pub(super) preflight_vary: Vary,
    /// The answer to a preflight on the layer's own terms, with `*` in place of the origin and of
    /// lists that depend on the request.
    preflight: HeaderMap,
    credentials: bool,
    echoes_method: bool,
    echoes_headers: bool,
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
        let no_store = properties.caching().no_store;
        let constant_methods = methods.constant_value(credentials);
        let constant_headers = headers.constant_value(credentials);
        let (echoes_method, echoes_headers) =
            (constant_methods.is_none(), constant_headers.is_none());
        // Where a policy judges, its verdict may depend on the whole preflight. Where every origin is
        // allowed, an answer depends on what it repeats, and on the method that chose the rule.
        let is_judged = properties.reach() != Reach::Always;
        let of_preflight = [
            (is_judged || by_method || echoes_method).then_some(ACCESS_CONTROL_REQUEST_METHOD),
            (is_judged || echoes_headers).then_some(ACCESS_CONTROL_REQUEST_HEADERS),
        ];
        let of_preflight: Vec<HeaderName> = of_preflight.into_iter().flatten().collect();
        let preflight_vary = Vary::new(union_of_names(&properties.varies_on(), &of_preflight));
        let lists = Lists {
            methods: constant_methods.unwrap_or(ANY),
            headers: constant_headers.unwrap_or(Some(ANY)),
            max_age: MaxAge::capped(max_age, None),
        };
        let preflight = preflight_headers(ANY, credentials, lists, &preflight_vary, no_store);
        let mut refused_preflight = HeaderMap::new();
        if no_store {
            refused_preflight.insert(CACHE_CONTROL, NO_STORE);
        }
        preflight_vary.merge_into(&mut refused_preflight);
        Self {
            vary,
            preflight_vary,
            preflight,
            credentials,
            echoes_method,
            echoes_headers,
            refused_preflight,
            no_store,
        }
    }

    /// Whether all answers on the layer's own terms are the same, except for the origin.
    pub(super) fn is_constant(&self) -> bool {
        !self.echoes_method && !self.echoes_headers
    }

    /// The prepared answer, with this origin or with `*`.
    pub(super) fn preflight(&self, origin: Option<HeaderValue>) -> HeaderMap {
        let mut headers = self.preflight.clone();
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

    /// Shortens the max-age of a prepared answer, which may have none.
    #[inline(never)]
    pub(super) fn cap(headers: &mut HeaderMap, max_age: HeaderValue) {
        // `insert` would reserve room for another header.
        match headers.get_mut(ACCESS_CONTROL_MAX_AGE) {
            Some(there) => *there = max_age,
            None => {
                headers.insert(ACCESS_CONTROL_MAX_AGE, max_age);
            }
        }
    }

    /// The prepared answer, with requested values in place of `*`.
    pub(super) fn echo(&self, echo: Echo) -> HeaderMap {
        let mut headers = self.preflight(Some(echo.origin));
        if let Some(method) = echo.method
            && let Some(stand_in) = headers.get_mut(ACCESS_CONTROL_ALLOW_METHODS)
        {
            *stand_in = method;
        }
        if let Some(names) = echo.headers {
            if let Some(stand_in) = headers.get_mut(ACCESS_CONTROL_ALLOW_HEADERS) {
                *stand_in = names;
            }
        } else if self.echoes_headers {
            headers.remove(ACCESS_CONTROL_ALLOW_HEADERS);
        }
        headers
    }
}

/// The prepared answer to a preflight, if there is one for these credentials and this request.
pub(super) fn answer(
    rules: &Rules,
    allowed: &Allowed,
    max_age_cap: Option<u32>,
    preflight: &Preflight<'_>,
) -> Option<Answer> {
    let prepared = &rules.prepared;
    if allowed.credentials != prepared.credentials {
        return None;
    }
    if prepared.is_constant() {
        return Some(Answer::Prepared {
            origin: allowed.origin.clone(),
            max_age: max_age_cap.and_then(|cap| MaxAge::capped(rules.max_age.as_ref(), Some(cap))),
        });
    }
    if max_age_cap.is_some() {
        return None;
    }
    let method = if prepared.echoes_method {
        Some(preflight.echoed_method()?)
    } else {
        None
    };
    let headers = if prepared.echoes_headers {
        rules.headers.echoed_line(preflight.headers())?
    } else {
        None
    };
    Some(Answer::Echo(Echo {
        origin: allowed.origin.clone()?,
        method: method.cloned(),
        headers: headers.cloned(),
    }))
}
