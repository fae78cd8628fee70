//! Explanations: the right cause and fix for set-ups that are built with this crate, from `explain`
//! alone. Where a fix is code, it is applied as it is printed, and the request is allowed then.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod apply;
mod forms;
mod one_text;
mod rows;
mod setup;
mod table;
mod texts;

use http::Request;

const APP: &str = "https://app.example";

fn request(method: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::builder().method(method).uri("/thing?secret=1");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

fn get(origin: &str) -> Request<()> {
    request("GET", &[("origin", origin)])
}

fn preflight(origin: &str, method: &str, headers: &str) -> Request<()> {
    let mut lines = vec![
        ("origin", origin),
        ("access-control-request-method", method),
    ];
    if !headers.is_empty() {
        lines.push(("access-control-request-headers", headers));
    }
    request("OPTIONS", &lines)
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(future)
}
