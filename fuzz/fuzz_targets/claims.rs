//! Claims of any bytes: no panic, and never a key twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_cors::token::{Claims, JwtKeys};

fuzz_target!(|bytes: &[u8]| {
    let _ = Claims::parse(bytes);
    let _ = JwtKeys::from_jwk_set(bytes);
});
