//! The features that read the clock and draw random numbers, both from JavaScript.
//! `tests/wasm/run.mjs` moves the clock, and compares what these write.

mod counted;
#[path = "../../plain/src/heard.rs"]
mod heard;
#[path = "../../plain/src/played.rs"]
mod played;
mod registry;
mod tokens;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::UNIX_EPOCH,
};

use tower_cors::{
    CorsLayer, DeniedRequests, OriginSet,
    preflight::{Lookup, LookupFuture, UrlKey},
    time::{Clock, SystemClock},
    trusted::source::HistoryId,
};
use wasm_bindgen::prelude::wasm_bindgen;

use self::played::{get, play_on, preflight};

type Failure = Box<dyn std::error::Error>;

/// What JavaScript gets: the text, or that of the failure.
fn text(played: Result<String, Failure>) -> String {
    played.unwrap_or_else(|error| format!("failed: {error}"))
}

/// Milliseconds since 1970.
#[wasm_bindgen]
pub fn now() -> f64 {
    let since = SystemClock::default().now().duration_since(UNIX_EPOCH);
    since.map_or(f64::NAN, |since| since.as_millis() as f64)
}

/// 128 random bits.
#[wasm_bindgen]
pub fn random() -> String {
    HistoryId::random().to_string()
}

/// What a layer counts of an allowed and a refused request.
#[wasm_bindgen]
pub fn counted() -> String {
    text(counted::during(|| {
        let layer = CorsLayer::builder()
            .allow_origins(["https://app.example"])
            .record_metrics("shop")
            .build()?;
        play_on("", &layer, get("https://app.example")?)?;
        play_on("", &layer, get("https://evil.example")?)?;
        Ok(())
    }))
}

/// A layer whose refusals are events.
#[wasm_bindgen]
pub struct Logged(CorsLayer);

#[wasm_bindgen]
impl Logged {
    #[wasm_bindgen(constructor)]
    #[expect(clippy::new_without_default, reason = "called from JavaScript only")]
    pub fn new() -> Self {
        let layer = CorsLayer::builder()
            .allow_origins(["https://app.example"])
            .denied_requests(DeniedRequests::Refuse);
        Self(layer.build().expect("one origin"))
    }

    /// Refuses 30 requests.
    pub fn flood(&self) -> String {
        let refuse = || play_on("", &self.0, get("https://evil.example")?).map(drop);
        let heard = heard::during(|| (0..30).try_for_each(|_| refuse()));
        text(heard.map(|(number, last)| format!("{number} events: {last}")))
    }
}

/// A layer that looks tenants up.
#[wasm_bindgen]
pub struct Tenants {
    layer: CorsLayer,
    lookups: Arc<AtomicUsize>,
}

#[wasm_bindgen]
impl Tenants {
    #[wasm_bindgen(constructor)]
    #[expect(clippy::new_without_default, reason = "called from JavaScript only")]
    pub fn new() -> Self {
        let lookups = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&lookups);
        let policy = UrlKey::new(
            |url| Some(url.path()),
            move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                LookupFuture::new(async {
                    Lookup::from(OriginSet::parse(["https://tenant.example"]).ok())
                })
            },
        );
        let layer = CorsLayer::builder().origin_policy(policy).build();
        Self {
            layer: layer.expect("a policy"),
            lookups,
        }
    }

    /// Plays a preflight, and says how many lookups there have been.
    pub fn preflight(&self) -> String {
        let request = preflight("https://tenant.example", "GET", "range");
        let answer = request.and_then(|request| play_on("tenant", &self.layer, request));
        let lookups = self.lookups.load(Ordering::Relaxed);
        text(answer.map(|answer| format!("{answer}; lookups: {lookups}")))
    }
}
