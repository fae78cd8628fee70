//! What somebody would write by hand who knows the Fetch standard, the configuration, and that
//! nobody sends anything malformed: the least that can be done.

use std::{
    collections::HashSet,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
        ORIGIN, VARY,
    },
};
use pin_project_lite::pin_project;
use tower::Service;

use super::config::{Config, EXPOSED, HEADERS, MAX_AGE, METHODS, Origins};

#[derive(Clone)]
pub(crate) struct Minimum<S> {
    inner: S,
    rules: Arc<Rules>,
}

impl<S> Minimum<S> {
    pub(crate) fn new(inner: S, rules: Arc<Rules>) -> Self {
        Self { inner, rules }
    }
}

pub(crate) struct Rules {
    origins: Allowed,
    credentials: bool,
    exposed: Option<HeaderValue>,
    /// The answer to a preflight, with a stand-in for the origin.
    preflight: HeaderMap,
    /// Whether the lists in it are stand-ins, too.
    echoes: bool,
}

enum Allowed {
    Any,
    /// Every origin, each by its name.
    Each,
    Listed(HashSet<Box<[u8]>, RandomState>),
    /// What follows the first label, of origins that have the one length.
    Below(HashSet<Box<[u8]>, RandomState>),
    /// Those that a look at the request finds.
    Found(Find),
}

/// Whether the request admits the origin.
pub(crate) type Find = Box<dyn Fn(&Method, &Uri, &HeaderMap, &[u8]) -> bool + Send + Sync>;

impl Rules {
    pub(crate) fn new(config: &Config) -> Self {
        let entries = || {
            let entries = config.entries();
            entries.into_iter()
        };
        let origins = match config.origins {
            Origins::Any => Allowed::Any,
            #[cfg(feature = "token")]
            Origins::Token => Allowed::Any,
            Origins::Policy => Allowed::Each,
            Origins::One | Origins::List(_) => {
                Allowed::Listed(entries().map(|text| text.into_bytes().into()).collect())
            }
            Origins::Patterns(_) | Origins::MixedPatterns(_) => Allowed::Below(
                entries()
                    .map(|text| text.replace("https://*.", "").into_bytes().into())
                    .collect(),
            ),
        };
        let list = |names: &[&str]| {
            if config.any_lists {
                HeaderValue::from_static("*")
            } else {
                let bytes = Bytes::from(names.join(","));
                drop(bytes.clone());
                HeaderValue::from_maybe_shared(bytes).unwrap()
            }
        };
        let mut preflight = HeaderMap::with_capacity(6);
        preflight.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        preflight.insert(ACCESS_CONTROL_ALLOW_METHODS, list(&METHODS));
        preflight.insert(ACCESS_CONTROL_ALLOW_HEADERS, list(&HEADERS));
        preflight.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(MAX_AGE));
        if config.credentials {
            preflight.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        if !matches!(origins, Allowed::Any) {
            preflight.insert(VARY, HeaderValue::from_static("origin"));
        }
        Self {
            origins,
            credentials: config.credentials,
            exposed: config.exposed.then(|| list(&EXPOSED)),
            preflight,
            echoes: config.any_lists && config.credentials,
        }
    }
}

impl Rules {
    /// A policy that looks at more of a request than its origin.
    pub(crate) fn finding(find: Find) -> Self {
        Self {
            origins: Allowed::Found(find),
            ..Self::new(&Config::new(Origins::Policy))
        }
    }

    fn preflight(&self, origin: &HeaderValue, request: &HeaderMap) -> HeaderMap {
        let mut headers = self.preflight.clone();
        if let Some(value) = headers.get_mut(ACCESS_CONTROL_ALLOW_ORIGIN) {
            *value = origin.clone();
        }
        if self.echoes {
            for (allowed, asked_for) in [
                (ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_REQUEST_METHOD),
                (ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS),
            ] {
                if let (Some(value), Some(sent)) =
                    (headers.get_mut(allowed), request.get(asked_for))
                {
                    *value = sent.clone();
                }
            }
        }
        headers
    }
}

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// What becomes of the inner service's headers.
enum Edit {
    Any,
    Vary,
    Grant(HeaderValue),
}

impl<S, B, R> Service<Request<B>> for Minimum<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = MinimumFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let headers = request.headers();
        let is_preflight = *request.method() == Method::OPTIONS
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        let set = match &self.rules.origins {
            Allowed::Any if is_preflight => return answer(Some(self.rules.preflight.clone())),
            Allowed::Any => return self.forward(request, Edit::Any),
            Allowed::Listed(set) | Allowed::Below(set) => Some(set),
            Allowed::Each | Allowed::Found(_) => None,
        };
        let Some(origin) = headers.get(ORIGIN) else {
            return self.forward(request, Edit::Vary);
        };
        let bytes = origin.as_bytes();
        let allowed = match (set, &self.rules.origins) {
            (_, Allowed::Found(find)) => find(request.method(), request.uri(), headers, bytes),
            (Some(set), Allowed::Below(_)) => bytes
                .iter()
                .position(|&byte| byte == b'.')
                .is_some_and(|dot| set.contains(&bytes[dot + 1..])),
            (Some(set), _) => set.contains(bytes),
            (None, _) => true,
        };
        match (is_preflight, allowed) {
            (true, true) => answer(Some(self.rules.preflight(origin, headers))),
            (true, false) => answer(None),
            (false, true) => {
                let origin = origin.clone();
                self.forward(request, Edit::Grant(origin))
            }
            (false, false) => self.forward(request, Edit::Vary),
        }
    }
}

impl<S> Minimum<S> {
    fn forward<B, R>(&mut self, request: Request<B>, edit: Edit) -> MinimumFuture<S::Future, R>
    where
        S: Service<Request<B>, Response = Response<R>>,
    {
        MinimumFuture::Forwarded {
            future: self.inner.call(request),
            rules: Arc::clone(&self.rules),
            edit: Some(edit),
        }
    }
}

fn answer<F, R: Default>(headers: Option<HeaderMap>) -> MinimumFuture<F, R> {
    let mut response = Response::new(R::default());
    match headers {
        Some(headers) => {
            *response.status_mut() = StatusCode::NO_CONTENT;
            *response.headers_mut() = headers;
        }
        None => *response.status_mut() = StatusCode::FORBIDDEN,
    }
    MinimumFuture::Answered {
        response: Some(response),
    }
}

pin_project! {
    #[project = Projected]
    pub(crate) enum MinimumFuture<F, R> {
        Forwarded { #[pin] future: F, rules: Arc<Rules>, edit: Option<Edit> },
        Answered { response: Option<Response<R>> },
    }
}

impl<F, R, E> Future for MinimumFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project() {
            Projected::Answered { response } => Poll::Ready(Ok(response.take().unwrap())),
            Projected::Forwarded {
                future,
                rules,
                edit,
            } => {
                let mut response = ready!(future.poll(cx))?;
                write(edit.take().unwrap(), rules, response.headers_mut());
                Poll::Ready(Ok(response))
            }
        }
    }
}

fn write(edit: Edit, rules: &Rules, headers: &mut HeaderMap) {
    match edit {
        Edit::Any => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            if let Some(names) = &rules.exposed {
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names.clone());
            }
            return;
        }
        Edit::Vary => {}
        Edit::Grant(origin) => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            if rules.credentials {
                headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
            }
            if let Some(names) = &rules.exposed {
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names.clone());
            }
        }
    }
    let is_there = match headers.get(VARY) {
        None => false,
        Some(vary) => vary
            .as_bytes()
            .split(|&byte| byte == b',')
            .any(|name| matches!(name.trim_ascii(), b"*" | b"origin")),
    };
    if !is_there {
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}
