//! Answers of an issuer, of any bytes: what is active was said to be, in so many words, and its times
//! can be counted with.
#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tower_cors::token::verify::introspection::IntrospectionResponse;

fuzz_target!(|bytes: &[u8]| {
    let Ok(response) = IntrospectionResponse::parse(bytes) else {
        return;
    };
    let said: Value = serde_json::from_slice(bytes).expect("what was read is JSON");
    assert_eq!(said.get("active"), Some(&Value::Bool(response.is_active())));
    for (name, time) in [("exp", response.expiry()), ("nbf", response.not_before())] {
        let Some(time) = time else {
            let is_absent = matches!(said.get(name), None | Some(Value::Null));
            assert!(is_absent || !response.is_active(), "{said}");
            continue;
        };
        let seconds = time
            .duration_since(UNIX_EPOCH)
            .expect("after the epoch")
            .as_secs();
        // A NumericDate may have a fraction (RFC 7519 section 2), which is rounded to nanoseconds.
        let own = said[name].as_f64();
        assert!(own.is_some_and(|own| seconds as f64 <= own + 1e-9), "{said}");
        // No leeway or grace overflows.
        assert!(time.checked_add(Duration::from_secs(24 * 3600)).is_some());
    }
});
