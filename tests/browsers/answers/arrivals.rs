use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::http::{HeaderMap, HeaderName, request::Parts};

/// The requests that have arrived, by the run and the number of the case.
#[derive(Clone, Default)]
pub(super) struct Arrivals(Arc<Mutex<HashMap<String, Vec<String>>>>);

/// Headers that are compared.
const SHOWN: [&str; 8] = [
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
    "authorization",
    "cookie",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
];

impl Arrivals {
    /// `origins` are the texts that stand for origins of this run.
    pub(super) fn record(&self, key: &str, request: &Parts, origins: &[(String, &str)]) {
        let part = request.uri.path().rsplit('/').next().unwrap_or_default();
        let mut line = format!("{} {part}", request.method);
        for name in SHOWN {
            let value = lines(&request.headers, name);
            if let Some(mut value) = value {
                for (origin, word) in origins {
                    value = value.replace(origin, word);
                }
                line += &format!("; {name}: {value}");
            }
        }
        let mut all = self.0.lock().expect("no thread panics with it");
        all.entry(key.to_owned()).or_default().push(line);
    }

    pub(super) fn of(&self, key: &str) -> Vec<String> {
        let all = self.0.lock().expect("no thread panics with it");
        all.get(key).cloned().unwrap_or_default()
    }
}

fn lines(headers: &HeaderMap, name: &'static str) -> Option<String> {
    let lines = headers.get_all(HeaderName::from_static(name)).iter();
    let lines: Vec<_> = lines
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}
