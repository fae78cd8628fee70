//! Lists in requests for tokens, of any bytes: what is taken is canonical, and written and read
//! again it is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_cors::token::{
    claim::{ListRules, OriginsFormat},
    issue::{AllowedOrigins, IssueRules},
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let entries = ListRules::new()
        .dangerously_allow_http()
        .scheme("capacitor")
        .scheme("app")
        .wildcards();
    for rules in [IssueRules::new(), IssueRules::new().entries(entries)] {
        for format in [
            OriginsFormat::Delimited(';'),
            OriginsFormat::Delimited(' '),
            OriginsFormat::Array,
            OriginsFormat::Single,
        ] {
            let Ok(list) = AllowedOrigins::parse_request(text, format, &rules) else {
                continue;
            };
            let claim = list.to_claim(format).expect("what was read can be written");
            let written = match claim.as_str() {
                Some(text) => text.to_owned(),
                None => claim.to_string(),
            };
            let again = AllowedOrigins::parse_request(&written, format, &rules);
            assert_eq!(again, Ok(list), "{text:?}");
        }
    }
});
