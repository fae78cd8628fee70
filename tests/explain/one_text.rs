//! An explanation says what the service does, and in the words of the denial.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{HeaderMap, Request, Response};
use tower::{Layer, ServiceExt, service_fn};
use tower_cors::{CorsLayer, Denial, explain::Explanation};

use crate::{block_on, rows};

/// The answer of the service, and whether the inner service was called.
fn answer(layer: &CorsLayer, request: Request<()>) -> (Response<()>, bool) {
    let is_called = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&is_called);
    let inner = service_fn(move |_: Request<()>| {
        noted.store(true, Ordering::Relaxed);
        async { Ok::<_, Infallible>(Response::new(())) }
    });
    let Ok(response) = block_on(layer.layer(inner).oneshot(request));
    (response, is_called.load(Ordering::Relaxed))
}

fn lines(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.iter();
    let mut lines: Vec<String> = lines
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    lines.sort();
    lines
}

#[test]
fn the_service_does_what_is_explained() {
    for row in rows::all() {
        let layer = row.setup.build();
        let explained = block_on(layer.explain(&row.request));
        let (response, is_called) = answer(&layer, row.request);
        let context = format!("{}\n{explained}", row.name);
        assert_eq!(explained.reaches_service(), is_called, "{context}");
        let status = explained.status().unwrap_or_default();
        assert_eq!(status, response.status(), "{context}");
        assert_eq!(
            lines(explained.headers()),
            lines(response.headers()),
            "{context}"
        );
        if let Some(denial) = response.extensions().get::<Denial>() {
            let explained = explained.denial().unwrap();
            // The id of a registry's entry differs from one store to the next, and not within one.
            assert_eq!(explained.to_string(), denial.to_string(), "{context}");
        }
    }
}

#[test]
fn a_denial_has_the_same_cause_and_fix() {
    let mut denials = 0;
    for row in rows::all() {
        let explained: Explanation = block_on(row.setup.build().explain(&row.request));
        if let Some(denial) = explained.denial() {
            let found = explained.finding().unwrap();
            let sentence = format!("{}: {}", found.cause(), found.fix());
            let text = denial.to_string();
            assert!(text.starts_with(&sentence), "{}: {text}", row.name);
            denials += 1;
        }
    }
    assert!(denials >= 40, "{denials}");
}
