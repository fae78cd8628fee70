//! What parses as an origin or a pattern is written back as it was, and an origin is the one that
//! its own exact pattern matches.
#![no_main]

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use tower_cors::{Origin, OriginSet, origin::OriginPattern};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = HeaderValue::from_bytes(bytes)
        && let Ok(origin) = Origin::from_header(&value)
    {
        assert_eq!(origin.as_bytes(), bytes);
        assert!(OriginPattern::from(&origin).matches(&origin));
        assert!(OriginSet::from_iter([origin.clone()]).contains(&origin));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        match text.parse::<OriginPattern>() {
            Ok(pattern) => assert_eq!(pattern.as_str(), text),
            Err(error) => {
                if let Some(better) = error.suggestion() {
                    assert!(better.parse::<OriginPattern>().is_ok(), "{better}");
                }
            }
        }
    }
});
