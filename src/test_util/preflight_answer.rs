use std::time::Duration;

use http::{
    HeaderMap, Method, StatusCode,
    header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, AUTHORIZATION},
};

use super::{
    failure::Failure, fetch::Fetch, header_list::tokens, safelist::unsafe_names,
    tables::is_safelisted_method,
};

/// What the answer to a preflight permits, whoever asks.
#[derive(Clone, Debug)]
pub(super) struct PreflightAnswer {
    /// `None` where the answer has no list of methods.
    methods: Option<Vec<String>>,
    names: Vec<String>,
}

/// Whether `*` in a list of headers stands for `Authorization`, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Star {
    /// [As the standard has it](https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name).
    WithoutAuthorization,
    /// As every engine has it.
    WithAuthorization,
}

impl PreflightAnswer {
    /// Reads the answer to a preflight of this request
    /// (<https://fetch.spec.whatwg.org/#cors-preflight-fetch>, steps 7.1 to 7.3).
    pub(super) fn read(
        fetch: &Fetch,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Self, Failure> {
        // Step 7.
        fetch.cors_check(headers)?;
        if !status.is_success() {
            return Err(Failure::PreflightStatus(status));
        }
        let owned = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
        let methods = tokens(headers, &ACCESS_CONTROL_ALLOW_METHODS);
        let methods = methods.map_err(|_| Failure::MalformedAllowMethods)?;
        let names = tokens(headers, &ACCESS_CONTROL_ALLOW_HEADERS);
        let names = names.map_err(|_| Failure::MalformedAllowHeaders)?;
        let has_methods = headers.contains_key(ACCESS_CONTROL_ALLOW_METHODS);
        Ok(Self {
            methods: has_methods.then(|| owned(methods)),
            names: owned(names),
        })
    }

    /// Whether this lets the request be sent: steps 7.4 to 7.7.
    pub(super) fn permits(&self, fetch: &Fetch, star: Star) -> Result<(), Failure> {
        // Steps 7.4 and 7.5: without the header, a preflight that was asked for grants the method.
        let is_granted = fetch.use_cors_preflight && self.methods.is_none();
        if !(is_granted || self.lists_method(fetch) || is_safelisted_method(fetch.method.as_str()))
        {
            return Err(Failure::MethodNotAllowed(fetch.method.clone()));
        }
        // Steps 7.6 and 7.7; `*` does not stand for `Authorization`.
        let asks = fetch.headers.contains_key(AUTHORIZATION);
        if asks && star == Star::WithoutAuthorization && !self.lists("authorization") {
            return Err(Failure::HeaderNotAllowed(AUTHORIZATION));
        }
        let any = is_any(&self.names, fetch);
        let mut wanted = unsafe_names(&fetch.headers).into_iter();
        match wanted.find(|name| !self.lists(name.as_str()) && !any) {
            Some(name) => Err(Failure::HeaderNotAllowed(name.clone())),
            None => Ok(()),
        }
    }

    /// The methods that are kept, and the names.
    pub(super) fn into_lists(self, asked_for: &Method) -> (Vec<String>, Vec<String>) {
        let methods = self.methods;
        let methods = methods.unwrap_or_else(|| vec![asked_for.as_str().to_owned()]);
        (methods, self.names)
    }

    fn lists_method(&self, fetch: &Fetch) -> bool {
        let methods = self.methods.as_deref().unwrap_or_default();
        methods.iter().any(|listed| listed == fetch.method.as_str()) || is_any(methods, fetch)
    }

    fn lists(&self, name: &str) -> bool {
        let mut names = self.names.iter();
        names.any(|listed| listed.eq_ignore_ascii_case(name))
    }
}

/// `*` is a wildcard only without credentials.
fn is_any(list: &[String], fetch: &Fetch) -> bool {
    !fetch.includes_credentials() && list.iter().any(|listed| listed == "*")
}

/// The age without the header, and by the standard also with a header that is no number.
pub(super) const DEFAULT_MAX_AGE: Duration = Duration::from_secs(5);
