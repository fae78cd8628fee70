//! Files of a registry, of any bytes: the model takes the same ones, and the registry that is served
//! admits whom the model says.
#![no_main]

use std::{env, fs, path::PathBuf, process, sync::OnceLock};

use libfuzzer_sys::fuzz_target;
use tower_cors::{CorsLayer, trusted::store::EmbeddedStore};
use tower_cors_fuzz::model::{
    check::check_exchange,
    choices::Choices,
    config::{Config, Exchange, Form, Layer, Request, Response, Settings, Wait},
    file, generate,
    policy::Policy,
    registry,
};

/// A file of this process, in memory where the system has such a place.
fn path() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let shared = PathBuf::from("/dev/shm");
        let folder = if shared.is_dir() {
            shared
        } else {
            env::temp_dir()
        };
        let folder = folder.join(format!("tower-cors-fuzz-{}", process::id()));
        fs::create_dir_all(&folder).expect("a place for files");
        folder.join("origins.json")
    })
}

fuzz_target!(|bytes: &[u8]| {
    fs::write(path(), bytes).expect("the file is ours");
    let opened = EmbeddedStore::open(path());
    // Some editors begin a file with a byte order mark.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (entries, is_fine) = match file::parse(text) {
        Some(json) => file::registry(&json),
        None => (Vec::new(), Some(false)),
    };
    if let Some(is_fine) = is_fine {
        let refusal = opened.as_ref().err();
        assert_eq!(opened.is_ok(), is_fine, "{entries:?} {refusal:?}");
    }
    let Ok(store) = opened else {
        return;
    };
    let layer = Layer {
        policy: Policy::Registry(entries.clone()),
        settings: Settings::default(),
        wait: Wait::Ready,
    };
    let built = CorsLayer::builder()
        .origin_policy(store.origins().clone())
        .build();
    let built = built.expect("a registry has no mistake");
    let config = Config {
        form: Form::Layer(Box::new(layer)),
        reloaded: false,
    };
    let mut choices = Choices::beginning_with(bytes);
    let mut exchanges: Vec<Exchange> = (0..10).map(|_| generate::exchange(&mut choices)).collect();
    for entry in entries.iter().take(10) {
        for part in ["a.", "", "*."] {
            let origin = registry::sent(&entry.pattern).replacen("*.", part, 1);
            let origin = origin.strip_suffix(":*").unwrap_or(&origin);
            exchanges.push(Exchange {
                request: Request::new("GET", &[("origin", origin)]),
                inner: Response {
                    status: 200,
                    headers: Vec::new(),
                },
            });
        }
    }
    // The model cannot say whom a host with other letters admits.
    if entries
        .iter()
        .any(|entry| registry::is_foldable(&entry.pattern))
    {
        exchanges.clear();
    }
    for exchange in &exchanges {
        if let Err(difference) = check_exchange(&config, &built, exchange) {
            panic!("{difference}");
        }
    }
    // What the store would write is the same again.
    let written = serde_json::json!({
        "entries": store
            .origins()
            .list(None, usize::MAX, |_| true)
            .iter()
            .map(|entry| tower_cors::trusted::entry::OriginRecord::from(&**entry))
            .collect::<Vec<_>>(),
    });
    fs::write(path(), written.to_string()).expect("the file is ours");
    let again = EmbeddedStore::open(path()).expect("what is served can be written");
    let list = |store: &EmbeddedStore| store.origins().list(None, usize::MAX, |_| true);
    assert_eq!(list(&again), list(&store));
});
