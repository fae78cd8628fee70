//! What a configuration costs: building it, holding it, and cloning a service that uses it.

use std::hint::black_box;

use http::Request;
use tower::{Layer, Service};

use super::{
    common::{Config, Implementation, Inner, Origins, Stack, build_layer, scenarios, subject},
    instructions::{counted_region, under_callgrind},
};

const CLONES: usize = 10;

pub(crate) fn print() {
    println!("\n| what | this crate | tower-http |\n|---|---:|---:|");
    for count in ["1", "1000", "100000"] {
        let id = format!("d{count}h");
        let dumps = under_callgrind(&["--measure-configuration", &id]);
        let clones: Vec<String> = dumps
            .iter()
            .map(|dump| format!("{:.0}", dump.values().sum::<u64>() as f64 / CLONES as f64))
            .collect();
        println!(
            "| cloning the service, {count} origins, instructions | {} |",
            clones.join(" | ")
        );
    }
    for (what, name) in [
        ("list", "building the layer, 100,000 origins, instructions"),
        (
            "patterns",
            "building the layer, 10,000 patterns, instructions",
        ),
    ] {
        let dumps = under_callgrind(&["--measure-configuration", what]);
        let built: u64 = dumps[0].values().sum();
        println!("| {name} | {built} | |");
    }
    let ours = build_layer(&config(Origins::List(1)));
    let inner = Inner::<()>::new(None);
    let peer = tower_http::cors::CorsLayer::new();
    println!(
        "| bytes that the service adds to the inner one | {} | {} |",
        size_of_val(&ours.layer(())),
        size_of_val(&peer.layer(())),
    );
    println!(
        "| bytes that the response future adds to the inner one's {} | {} | {} |",
        future_size(&inner),
        future_size(&ours.layer(inner.clone())) - future_size(&inner),
        future_size(&peer.layer(inner.clone())) - future_size(&inner),
    );
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
    let entries = config(origins).entries();
    counted_region(&mut || {
        let layer = tower_cors::CorsLayer::builder()
            .allow_origins(&entries)
            .build()
            .unwrap();
        std::mem::forget(black_box(layer));
    });
}

fn config(origins: Origins) -> Config {
    Config::new(origins)
}
