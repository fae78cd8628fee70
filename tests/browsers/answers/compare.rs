use tower_cors::test_util;

use super::{case, real, server::Server, simulated};
use crate::{browser::in_browser, engine::Engine};

/// Plays every case in the engine and in its simulation, and fails if they part anywhere.
pub(super) async fn run(engine: Engine) {
    let cases = case::all();
    let server = Server::start(&cases).await;
    in_browser(engine, async move |window| {
        let real = real::play(&window, &server, &cases).await;
        let simulated = simulated::play(&server, &cases, simulation(engine)).await;
        assert_eq!(real.len(), cases.len());
        let mut parted = Vec::new();
        for ((case, real), simulated) in cases.iter().zip(&real).zip(&simulated) {
            let simulated = &simulated.seen;
            if simulated != real {
                let name = &case.name;
                parted.push(format!(
                    "{name}\n  simulated {simulated:#?}\n  real {real:#?}"
                ));
            }
        }
        let (count, all) = (parted.len(), cases.len());
        assert!(
            parted.is_empty(),
            "{count} of {all} in {engine}:\n{}",
            parted.join("\n")
        );
    })
    .await;
}

fn simulation(engine: Engine) -> test_util::Engine {
    match engine {
        Engine::Chromium => test_util::Engine::Chromium,
        Engine::Firefox => test_util::Engine::Firefox,
        Engine::WebKit => test_util::Engine::WebKit,
    }
}
