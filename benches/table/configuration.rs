//! What a configuration costs: building it, holding it, and cloning a service that uses it.

use std::hint::black_box;

use http::Request;
use tower::{Layer, Service};

use super::{
    common::{
        Config, Implementation, Inner, Origins, Stack, build_layer, build_peer, scenarios, subject,
    },
    instructions::{counted_region, under_callgrind},
    markdown::thousands,
};

const CLONES: usize = 10;

/// This crate's costs first, tower-http's behind them.
pub(crate) struct Configuration {
    /// Instructions for one clone, with 1, 1,000 and 100,000 origins.
    pub(crate) clones: Vec<(&'static str, [f64; 2])>,
    /// Instructions for a layer of 100,000 origins.
    pub(crate) list: [u64; 2],
    /// Instructions for a layer of 10,000 patterns.
    patterns: [u64; 2],
    /// Bytes that the service adds to the inner one.
    pub(crate) service: [usize; 2],
    /// Bytes that the response future adds to the inner one's.
    future: [usize; 2],
    inner_future: usize,
}

pub(crate) fn measure() -> Configuration {
    let clones = ["1", "1000", "100000"].map(|count| {
        let dumps = under_callgrind(&["--measure-configuration", &format!("d{count}h")]);
        let [ours, peer] = &dumps[..] else {
            panic!("unexpected dumps");
        };
        let each =
            |dump: &super::instructions::Dump| dump.values().sum::<u64>() as f64 / CLONES as f64;
        (count, [each(ours), each(peer)])
    });
    let built = |what: &str| {
        let dumps = under_callgrind(&["--measure-configuration", what]);
        let [ours, peer] = &dumps[..] else {
            panic!("unexpected dumps");
        };
        [ours.values().sum(), peer.values().sum()]
    };
    let ours = build_layer(&Config::new(Origins::List(1)));
    let inner = Inner::<()>::new(None);
    let peer = tower_http::cors::CorsLayer::new();
    let inner_future = future_size(&inner);
    Configuration {
        clones: clones.into(),
        list: built("list"),
        patterns: built("patterns"),
        service: [
            size_of_val(&ours.layer(())),
            size_of_val(&peer.clone().layer(())),
        ],
        future: [
            future_size(&ours.layer(inner.clone())) - inner_future,
            future_size(&peer.layer(inner)) - inner_future,
        ],
        inner_future,
    }
}

pub(crate) fn print(configuration: &Configuration) {
    println!("\n| what | this crate | tower-http |\n|---|---:|---:|");
    let row = |what: &str, [ours, peer]: [f64; 2]| {
        println!("| {what} | {} | {} |", thousands(ours), thousands(peer));
    };
    for (count, clones) in &configuration.clones {
        let what = format!("cloning the service, {count} origins, instructions");
        row(&what, *clones);
    }
    row(
        "building the layer, 100,000 origins, instructions",
        configuration.list.map(|count| count as f64),
    );
    row(
        "building the layer, 10,000 patterns, instructions",
        configuration.patterns.map(|count| count as f64),
    );
    row(
        "bytes that the service adds to the inner one",
        configuration.service.map(|bytes| bytes as f64),
    );
    let what = format!(
        "bytes that the response future adds to the inner one's {}",
        configuration.inner_future
    );
    row(&what, configuration.future.map(|bytes| bytes as f64));
}

fn future_size<S: Service<Request<()>>>(_: &S) -> usize {
    size_of::<S::Future>()
}

/// This is the process that callgrind looks at.
pub(crate) fn run(what: &str) {
    match what {
        "list" => build(Origins::List(100_000)),
        "patterns" => build(Origins::Patterns(10_000)),
        id => {
            let all = scenarios();
            let scenario = all.iter().find(|one| one.id == id).unwrap();
            for implementation in [Implementation::Ours, Implementation::TowerHttp] {
                let subject = subject(Stack::Tower, implementation, scenario);
                subject.clone_and_drop(1);
                counted_region(&mut || subject.clone_and_drop(CLONES));
            }
        }
    }
}

/// The entries are there already, as if they had come out of a file.
fn build(origins: Origins) {
    let config = Config::new(origins);
    let entries = config.entries();
    let mut peers = Some(entries.clone());
    counted_region(&mut || {
        let layer = tower_cors::CorsLayer::builder()
            .allow_origins(&entries)
            .build()
            .unwrap();
        std::mem::forget(black_box(layer));
    });
    counted_region(&mut || {
        std::mem::forget(black_box(build_peer(&config, peers.take().unwrap())));
    });
}
