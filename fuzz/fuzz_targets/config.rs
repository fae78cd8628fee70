//! Configurations in JSON of any bytes: the model takes the same ones, and a layer that is built from
//! one answers as the model says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_cors::{CorsLayer, config::CorsConfig};
use tower_cors_fuzz::model::{
    check::check_exchange,
    choices::Choices,
    config::{Config, Form},
    file, generate, mistakes,
};

fuzz_target!(|bytes: &[u8]| {
    let read = serde_json::from_slice::<CorsConfig>(bytes);
    let model = file::parse(bytes).and_then(|json| file::config(&json));
    let (read, model) = match (read, model) {
        (Ok(read), Some(model)) => (read, model),
        (Err(_), None) => return,
        (read, model) => panic!("the crate: {read:?}, the model: {}", model.is_some()),
    };
    let config = Config {
        form: Form::Layer(model.layer),
        reloaded: false,
    };
    let built = CorsLayer::try_from(read);
    // Whether insecure entries are in order is not in the model, which only knows what they match.
    if !model.has_insecure_origins
        && let Some(builds) = mistakes::builds(&config)
    {
        assert_eq!(built.is_ok(), builds, "{config:?} {built:?}");
    }
    let Ok(built) = built else {
        return;
    };
    let mut choices = Choices::beginning_with(bytes);
    for _ in 0..20 {
        let exchange = generate::exchange(&mut choices);
        if let Err(difference) = check_exchange(&config, &built, &exchange) {
            panic!("{difference}");
        }
    }
});
