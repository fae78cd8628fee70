//! Any bytes as an origin, and any text as an entry of a list: the model takes the same ones, and
//! reads the same in them. What is written back is what was read.
#![no_main]

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use tower_cors::{
    OriginSet,
    origin::{OriginPattern, RequestOrigin},
};
use tower_cors_fuzz::model::{
    entry,
    origin::{Sent, read},
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = HeaderValue::from_bytes(bytes) {
        match (RequestOrigin::from_header(&value), read(bytes)) {
            (Ok(RequestOrigin::Opaque), Some(Sent::Null)) | (Err(_), None) => {}
            (Ok(RequestOrigin::Tuple(origin)), Some(Sent::Origin(model))) => {
                assert_eq!(origin.as_bytes(), bytes);
                assert_eq!(
                    (origin.scheme(), origin.host()),
                    (&*model.scheme, &*model.host)
                );
                let port = origin.port().map(|port| port.to_string());
                assert_eq!(port.unwrap_or_default(), model.port);
                assert!(OriginPattern::from(&origin).matches(&origin));
                assert!(OriginSet::from_iter([origin.clone()]).contains(&origin));
            }
            (real, model) => panic!("the crate: {real:?}, the model: {model:?}"),
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let parsed = text.parse::<OriginPattern>();
        if let Some(is_well_formed) = entry::is_well_formed(text) {
            assert_eq!(parsed.is_ok(), is_well_formed, "{text:?}: {parsed:?}");
        }
        match parsed {
            Ok(pattern) => assert_eq!(pattern.as_str(), text),
            Err(error) => {
                if let Some(better) = error.suggestion() {
                    assert!(better.parse::<OriginPattern>().is_ok(), "{better}");
                }
            }
        }
    }
});
