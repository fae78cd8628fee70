use std::sync::Arc;

use http::HeaderValue;

use super::{config_list::ConfigList, header_name};
use crate::{
    error::{ConfigError, ConfigErrors, HeaderSetting},
    fetch::shared_value,
};

/// The response headers that pages may read: a list, or all, or none but the safelisted.
///
/// `Cache-Control`, `Content-Language`, `Content-Length`, `Content-Type`, `Expires`,
/// `Last-Modified` and `Pragma` are readable anyway
/// ([Fetch, CORS-safelisted response-header name]). Cloning is one reference count.
///
/// All headers are sent as `*`; names beside it are left out, since it covers them. With
/// credentials, browsers take `*` for a header of that name, and would expose nothing, so a layer
/// that exposes all headers and allows credentials does not build. Where a policy allows
/// credentials by itself, its answers leave the `*` out.
///
/// ```
/// use http::header;
/// use tower_cors::lists::ExposeHeaders;
///
/// assert!(ExposeHeaders::list([header::ETAG, header::LOCATION]).is_ok());
/// assert!(ExposeHeaders::list([header::SET_COOKIE]).is_err());
/// ```
///
/// [Fetch, CORS-safelisted response-header name]: https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name
#[derive(Clone, Debug)]
pub struct ExposeHeaders(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    any: bool,
    value: Option<HeaderValue>,
}

impl ExposeHeaders {
    /// These headers.
    ///
    /// # Errors
    ///
    /// Every entry that is not a token, that pages cannot read, or that belongs to the CORS
    /// protocol.
    pub fn list(headers: impl Into<ConfigList>) -> Result<Self, ConfigErrors> {
        let mut errors = Vec::new();
        let headers = Self::build(&headers.into(), &mut errors);
        ConfigErrors::none_or(errors, || headers)
    }

    pub(crate) fn build(entries: &ConfigList, errors: &mut Vec<ConfigError>) -> Self {
        entries.check_variable("expose_headers", errors);
        let any = entries.has_any();
        let mut listed = Vec::new();
        for (index, entry) in entries.listed().enumerate() {
            match header_name::parse_response(entry) {
                Ok(name) => listed.push(name),
                Err(reason) => errors.push(ConfigError::HeaderName {
                    value: entry.to_owned(),
                    place: entries.place(index),
                    list: HeaderSetting::ExposeHeaders,
                    reason,
                }),
            }
        }
        // The same list gives the same header, in whatever order it was written.
        listed.sort_unstable();
        listed.dedup();
        let value = if any {
            Some(HeaderValue::from_static("*"))
        } else if listed.is_empty() {
            None
        } else {
            Some(shared_value(listed.join(",")))
        };
        Self(Arc::new(Inner { any, value }))
    }

    pub(crate) fn is_any(&self) -> bool {
        self.0.any
    }

    /// Whether nothing is exposed but what is safelisted.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.value.is_none()
    }

    /// The value of `Access-Control-Expose-Headers`. With credentials, browsers take `*` for the
    /// name of a header, so nothing is sent.
    pub(crate) fn value(&self, credentials: bool) -> Option<HeaderValue> {
        if self.0.any && credentials {
            None
        } else {
            self.0.value.clone()
        }
    }
}
