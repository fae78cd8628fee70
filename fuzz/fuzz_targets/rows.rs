//! Rows of a source, of any bytes: the model takes the same ones, and reads the same in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_cors::trusted::entry::{OriginRecord, Status};
use tower_cors_fuzz::model::{file, registry};

fuzz_target!(|bytes: &[u8]| {
    let checked = OriginRecord::from_json(bytes).and_then(|record| record.check());
    let (entry, is_fine) = match file::parse(bytes) {
        Some(json) => file::row(&json, true),
        None => (None, Some(false)),
    };
    if let Some(is_fine) = is_fine {
        assert_eq!(checked.is_ok(), is_fine, "{entry:?} {checked:?}");
    }
    let Ok(checked) = checked else {
        return;
    };
    let entry = entry.expect("a row that is an entry has the parts of one");
    if !registry::is_foldable(&entry.pattern) {
        assert_eq!(checked.pattern().as_str(), registry::sent(&entry.pattern));
    }
    assert_eq!(checked.status() == Status::Active, entry.is_active);
    assert_eq!(checked.allows_credentials(), entry.credentials);
    let scopes = checked.scopes().iter().map(|scope| scope.to_string());
    for scope in scopes {
        assert!(entry.scopes.contains(&scope), "{scope}");
    }
    let again = OriginRecord::from_json(OriginRecord::from(&checked).to_json().as_bytes());
    let again = again.and_then(|record| record.check());
    assert_eq!(again, Ok(checked));
});
