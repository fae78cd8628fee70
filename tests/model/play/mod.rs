//! The real layer, made from the model's configuration, and its answers.

mod policies;

use std::{
    convert::Infallible,
    future::{Future, Ready, pending, ready},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use http::{HeaderName, HeaderValue, Method};
use tower::{Layer as _, Service};
use tower_cors::{
    CorsLayer, CorsLayerBuilder, Denial, DeniedRequests, lists::ConfigList, routes::MethodRule,
};

#[allow(unused_imports, reason = "the fuzz target `list` needs it")]
pub use self::policies::build_claim;
use self::policies::build_policy;
use super::{
    config::{self, Answer, Config, Exchange, Form, Headers, Settings, Wait, Who},
    lists::Names,
    merge,
    policy::Policy,
};

/// The layer, unless it has mistakes, which are told as a text.
pub fn build(config: &Config) -> Result<CorsLayer, String> {
    let built = match &config.form {
        Form::Layer(layer) => build_layer(layer)?,
        Form::ByMethod(rules) => {
            let mut table = CorsLayer::by_method();
            for rule in rules {
                let methods: Vec<Method> =
                    rule.methods.iter().map(|m| m.parse().unwrap()).collect();
                table = table.rule(methods, build_rule(rule)?);
            }
            table.build().map_err(|errors| errors.to_string())?
        }
    };
    if !config.reloaded {
        return Ok(built);
    }
    let (layer, handle) = CorsLayer::permissive().reloadable();
    handle.reload(built).unwrap();
    Ok(layer)
}

fn build_layer(layer: &config::Layer) -> Result<CorsLayer, String> {
    let builder = CorsLayer::builder();
    let builder = match &layer.policy {
        Policy::List(list) => builder.allow_origins(list.written()),
        Policy::Constant(origin) => builder.always_allow_origin([origin.as_str()]),
        policy => builder.origin_policy(build_policy(policy, layer.wait)?),
    };
    let builder = match layer.wait {
        Wait::Never => builder.verdict_timeout(Duration::from_secs(1), |_| ready(())),
        Wait::Ready | Wait::Yields => {
            builder.verdict_timeout(Duration::from_secs(1), |_| pending::<()>())
        }
    };
    configure(builder, &layer.settings)
        .build()
        .map_err(|errors| errors.to_string())
}

pub fn list(names: &Names) -> ConfigList {
    ConfigList::from(names.written())
}

fn denied(refuse: bool) -> DeniedRequests {
    if refuse {
        DeniedRequests::Refuse
    } else {
        DeniedRequests::Forward
    }
}

fn configure(mut builder: CorsLayerBuilder, settings: &Settings) -> CorsLayerBuilder {
    builder = builder
        .allow_credentials(settings.credentials)
        .allow_methods(list(&settings.methods))
        .allow_headers(list(&settings.headers))
        .expose_headers(list(&settings.expose))
        .preflight_status(settings.preflight_status.try_into().unwrap());
    if let Some(seconds) = settings.max_age {
        builder = builder.max_age(Duration::from_secs(seconds));
    }
    if let Some(refuse) = settings.refuse {
        builder = builder.denied_requests(denied(refuse));
    }
    if let Some(record) = settings.record {
        builder = builder.record_denials(record);
    }
    let dangerously = settings.dangerously;
    if dangerously.null {
        builder = builder.dangerously_allow_null_origin();
    }
    if dangerously.file {
        builder = builder.dangerously_allow_file_origin();
    }
    if dangerously.insecure {
        builder = builder.dangerously_allow_insecure_origins();
    }
    if dangerously.suffixes {
        builder = builder.dangerously_allow_public_suffixes();
    }
    builder
}

fn build_rule(rule: &config::MethodRule) -> Result<MethodRule, String> {
    let mut built = match &rule.who {
        Who::Nobody => MethodRule::none(),
        Who::Anybody => MethodRule::public_any_origin(),
        Who::Bearers => MethodRule::bearer_any_origin(),
        Who::Trusted(policy) => MethodRule::trusted_only(build_policy(policy, Wait::Ready)?),
        Who::TrustedOrBearers(policy) => {
            MethodRule::trusted_or_bearer(build_policy(policy, Wait::Ready)?)
        }
    };
    built = built
        .allow_credentials(rule.credentials)
        .allow_headers(list(&rule.headers))
        .expose_headers(list(&rule.expose));
    if let Some(seconds) = rule.max_age {
        built = built.max_age(Duration::from_secs(seconds));
    }
    if let Some(refuse) = rule.refuse {
        built = built.denied_requests(denied(refuse));
    }
    Ok(built)
}

/// Polls a future that needs no runtime.
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
    panic!("the future is not ready");
}

/// The request as the layer gets it. `None` if no server would pass it on.
pub fn request(request: &config::Request) -> Option<http::Request<()>> {
    let mut built = http::Request::new(());
    *built.method_mut() = request.method.parse().ok()?;
    *built.uri_mut() = request.uri.parse().ok()?;
    *built.headers_mut() = headers(&request.headers)?;
    Some(built)
}

fn headers(lines: &Headers) -> Option<http::HeaderMap> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().ok()?;
        headers.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(headers)
}

/// What the layer answers; `None` where the exchange cannot exist.
pub fn answer(layer: &CorsLayer, exchange: &Exchange) -> Option<Answer> {
    let mut inner = http::Response::new("inner");
    *inner.status_mut() = exchange.inner.status.try_into().ok()?;
    *inner.headers_mut() = headers(&exchange.inner.headers)?;
    let calls = Arc::new(AtomicUsize::new(0));
    let spy = Spy {
        calls: Arc::clone(&calls),
        response: inner,
    };
    let request = request(&exchange.request)?;
    let Ok(response) = now(layer.layer(spy).call(request));
    let calls = calls.load(Ordering::SeqCst);
    assert!(calls <= 1, "the inner service is called at most once");
    assert_eq!(
        *response.body() == "inner",
        calls == 1,
        "the body is of whoever answers"
    );
    Some(Answer {
        status: response.status().as_u16(),
        is_called: calls == 1,
        headers: normalised(response.headers()),
        denial: response
            .extensions()
            .get::<Denial>()
            .map(|denial| format!("{:?}", denial.kind())),
    })
}

/// The headers, sorted. `Vary` and `Access-Control-Allow-Headers` are lists: how they are spread
/// over lines, and the order of the latter, mean nothing.
fn normalised(map: &http::HeaderMap) -> Headers {
    let mut headers = Headers::new();
    for name in map.keys() {
        let lines: Vec<&[u8]> = map
            .get_all(name)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        let one = match name.as_str() {
            "vary" => Some(merge::vary_elements(&lines)).filter(|elements| !elements.is_empty()),
            "access-control-allow-headers" if lines.len() == 1 => {
                let mut names = merge::vary_elements(&lines);
                names.sort();
                names.dedup();
                Some(names)
            }
            _ => None,
        };
        match one {
            Some(elements) => headers.push((name.to_string(), elements.join(",").into_bytes())),
            None if name == "vary" => {}
            None => headers.extend(lines.iter().map(|line| (name.to_string(), line.to_vec()))),
        }
    }
    headers.sort_by(|(one, _), (other, _)| one.cmp(other));
    headers
}

#[derive(Clone)]
struct Spy {
    calls: Arc<AtomicUsize>,
    response: http::Response<&'static str>,
}

impl Service<http::Request<()>> for Spy {
    type Response = http::Response<&'static str>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<()>) -> Self::Future {
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(self.response.clone()))
    }
}
