//! Servers by hand: a function from what is asked to the whole answer.

use axum::{Router, extract::Request};
use http::{HeaderMap, Method, Response};

pub(crate) type Answer = Response<String>;

pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("not ASCII"))
    }

    pub(crate) fn origin(&self) -> Option<&str> {
        self.header("origin")
    }

    pub(crate) fn is_preflight(&self) -> bool {
        self.method == Method::OPTIONS && self.headers.contains_key("access-control-request-method")
    }

    pub(crate) fn is_get(&self) -> bool {
        self.method == Method::GET
    }
}

pub(crate) fn by_hand<F>(answer: F) -> Router
where
    F: Fn(&Asked) -> Answer + Clone + Send + Sync + 'static,
{
    Router::new().fallback(move |request: Request| {
        let (head, _) = request.into_parts();
        let asked = Asked {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers,
        };
        let answer = answer(&asked);
        async move { answer }
    })
}

/// An answer without a body.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)]) -> Answer {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, value.as_bytes());
    }
    builder.body(String::new()).unwrap()
}

/// An API's answer.
pub(crate) fn json(headers: &[(&str, &str)]) -> Answer {
    let mut answer = reply(200, headers);
    answer
        .headers_mut()
        .insert("content-type", "application/json".parse().unwrap());
    *answer.body_mut() = r#"{"items":[1,2,3]}"#.to_owned();
    answer
}

/// A correct answer for one origin: the list of a middleware by hand.
pub(crate) fn granted(asked: &Asked, origin: &str, more: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("vary", "Origin")];
    if asked.origin() == Some(origin) {
        headers.push(("access-control-allow-origin", origin));
    }
    headers.extend(more);
    if asked.is_preflight() {
        reply(204, &headers)
    } else {
        json(&headers)
    }
}
