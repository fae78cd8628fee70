use http::{HeaderValue, Method, header::CONTENT_TYPE};

use super::{
    address::Address,
    page_request::{Mode, PageRequest},
};
use crate::test_util::{
    Failure, fetch::normalise, safelist::unsafe_names, tables::is_safelisted_method,
};

/// <https://fetch.spec.whatwg.org/#dom-request>
impl PageRequest {
    /// The URL, and everything as it is sent.
    ///
    /// # Errors
    ///
    /// What `fetch()` throws a `TypeError` at.
    pub(super) fn start(&mut self) -> Result<Address, Failure> {
        let request = self;
        if let Some(mistake) = request.mistake.take() {
            return Err(mistake);
        }
        let address = match request.page.address() {
            Some(base) => base.join(&request.url),
            None => Address::parse(&request.url),
        };
        let invalid = || Failure::InvalidUrl(request.url.clone());
        let address = address.map_err(|_| invalid())?;
        if !address.is_http() || address.has_credentials() {
            return Err(invalid());
        }
        let method = normalise(request.method.clone());
        if request.body.is_some() && matches!(method, Method::GET | Method::HEAD) {
            return Err(Failure::BodyNotAllowed(method));
        }
        if request.mode == Mode::NoCors {
            if !is_safelisted_method(method.as_str()) {
                return Err(Failure::MethodNotSafelisted(method));
            }
            let headers = request.headers.iter().cloned().collect();
            let unsafe_names = unsafe_names(&headers);
            request
                .headers
                .retain(|(name, _)| !unsafe_names.contains(&name));
        }
        request.method = method;
        let has_type = request
            .headers
            .iter()
            .any(|(name, _)| *name == CONTENT_TYPE);
        if request.body.is_some() && !has_type {
            let content_type = match request.mode {
                Mode::Navigate => "application/x-www-form-urlencoded",
                Mode::Cors | Mode::NoCors => "text/plain;charset=UTF-8",
            };
            let content_type = HeaderValue::from_static(content_type);
            request.headers.push((CONTENT_TYPE, content_type));
        }
        Ok(address)
    }
}
