use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};

/// The requests that have arrived at the services, by scenario, in their order.
///
/// The first segment of a path is the number of the scenario, so one scenario does not see the
/// cache entries and late requests of another.
#[derive(Clone, Debug, Default)]
pub(super) struct Arrivals(Arc<Mutex<HashMap<String, Vec<Arrival>>>>);

#[derive(Clone, Debug)]
struct Arrival {
    method: Method,
    is_preflight: bool,
    headers: HeaderMap,
    handled: Handled,
    status: Option<StatusCode>,
}

/// Set by the handlers. The layer stands between them and the record, so this tells which requests
/// it let through.
#[derive(Clone, Debug, Default)]
pub(super) struct Handled(Arc<AtomicBool>);

impl Handled {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Arrivals {
    /// Records a request before the layer sees it, and the status after.
    pub(super) async fn record(self, mut request: Request, next: Next) -> Response {
        let path = request.uri().path();
        let scenario = path.split('/').nth(1).unwrap_or_default().to_owned();
        let arrival = Arrival::of(&request);
        request.extensions_mut().insert(arrival.handled.clone());
        let index = {
            let mut all = self.0.lock().expect("no thread panics with it");
            let arrivals = all.entry(scenario.clone()).or_default();
            arrivals.push(arrival);
            arrivals.len() - 1
        };
        let response = next.run(request).await;
        let mut all = self.0.lock().expect("no thread panics with it");
        if let Some(arrivals) = all.get_mut(&scenario) {
            arrivals[index].status = Some(response.status());
        }
        response
    }

    pub(super) fn count(&self, scenario: &str) -> usize {
        let all = self.0.lock().expect("no thread panics with it");
        all.get(scenario).map_or(0, Vec::len)
    }

    /// One text for each request of the scenario, with these headers.
    pub(super) fn describe(&self, scenario: &str, shows: &[String], page: &str) -> Vec<String> {
        let all = self.0.lock().expect("no thread panics with it");
        let arrivals = all.get(scenario).map_or(&[][..], Vec::as_slice);
        arrivals.iter().map(|a| a.describe(shows, page)).collect()
    }
}

impl Arrival {
    fn of(request: &Request) -> Self {
        let headers = request.headers();
        Self {
            method: request.method().clone(),
            is_preflight: request.method() == Method::OPTIONS
                && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
            headers: headers.clone(),
            handled: Handled::default(),
            status: None,
        }
    }

    /// Such as `PUT 200`, and `PUT 403 unhandled` where the handler was not called.
    fn describe(&self, shows: &[String], page: &str) -> String {
        let mut text = if self.is_preflight {
            "preflight".to_owned()
        } else {
            self.method.to_string()
        };
        match self.status {
            Some(status) => text += &format!(" {}", status.as_u16()),
            None => text += " unanswered",
        }
        match (self.is_preflight, self.handled.0.load(Ordering::SeqCst)) {
            (false, false) => text += " unhandled",
            (true, true) => text += " handled",
            (false, true) | (true, false) => {}
        }
        for name in shows {
            let lines = self.headers.get_all(name).iter();
            let lines: Vec<_> = lines
                .map(|v| String::from_utf8_lossy(v.as_bytes()))
                .collect();
            let value = if lines.is_empty() {
                "absent".to_owned()
            } else {
                lines.join(", ").replace(page, "PAGE")
            };
            text += &format!("; {name}: {value}");
        }
        text
    }
}
