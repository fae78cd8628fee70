//! Lists in claims of any bytes: exactly the origins are granted that the model reads in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tower_cors::{
    CorsLayer,
    token::{
        TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{Claims, ListRules},
        source::TokenSource,
        verify::{TokenRequest, VerifyFuture},
    },
};
use tower_cors_fuzz::model::{
    config, origin, play,
    token::{Entries, Format, canonical, lists},
};

/// Says of every token that it has these claims.
#[derive(Debug)]
struct Says(Claims);

impl TokenVerifier for Says {
    fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        VerifyFuture::ready(Ok(VerifiedToken::new(self.0.clone())))
    }
}

const GENEROUS: Entries = Entries {
    applications: &["app", "moz-extension"],
    wildcards: true,
};

/// The rules as the layer has them.
fn rules(let_in: Entries) -> ListRules {
    let rules = let_in
        .applications
        .iter()
        .fold(ListRules::new(), |rules, scheme| rules.scheme(*scheme));
    if let_in.wildcards {
        rules.wildcards()
    } else {
        rules
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(claims) = Claims::parse(bytes) else {
        return;
    };
    let json: Value = serde_json::from_slice(bytes).expect("claims are JSON");
    let claim = json.get("ao");
    let formats = [
        Format::Delimited(';'),
        Format::Delimited(' '),
        Format::Array,
        Format::Single,
    ];
    let both = [Entries::default(), GENEROUS];
    for (format, let_in) in formats
        .into_iter()
        .flat_map(|f| both.map(|let_in| (f, let_in)))
    {
        let policy = TokenOrigins::builder()
            .verifier(Says(claims.clone()))
            .source(TokenSource::bearer())
            .claim(play::build_claim(format))
            .entries(rules(let_in))
            .build()
            .expect("a configuration without mistakes");
        let layer = CorsLayer::builder()
            .origin_policy(policy)
            .build()
            .expect("no mistakes");
        for sent in asked(claim) {
            let Some(origin) = origin::parse(&sent) else {
                continue;
            };
            let listed = match claim {
                Some(claim) => lists(claim, format, let_in, &origin),
                None => Some(false),
            };
            let headers = [("origin", &*sent), ("authorization", "Bearer x")];
            let exchange = config::Exchange {
                request: config::Request::new("GET", &headers),
                inner: config::Response {
                    status: 200,
                    headers: Vec::new(),
                },
            };
            let answer = play::answer(&layer, &exchange).expect("a request that can be sent");
            let names_it = |(name, value): &(String, Vec<u8>)| {
                name == "access-control-allow-origin" && value == sent.as_bytes()
            };
            let granted = answer.headers.iter().any(names_it);
            assert_eq!(granted, answer.is_called, "what is not granted is refused");
            if let Some(listed) = listed {
                assert_eq!(granted, listed, "{format:?} {let_in:?} {json} {sent}");
            }
        }
    }
});

/// The origins that the claim names, as far as they can be read at all, and their neighbours.
fn asked(claim: Option<&Value>) -> Vec<String> {
    let mut asked = vec!["https://a.example".to_owned()];
    let texts = match claim {
        Some(Value::String(text)) => vec![text.as_str()],
        Some(Value::Array(entries)) => entries.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let entries = texts.iter().flat_map(|text| text.split([';', ' ', ',']));
    for own in entries
        .take(20)
        .filter_map(|entry| canonical(entry, GENEROUS).flatten())
    {
        let own = own.replace(":*", ":8444").replace('*', "x");
        // Hosts of applications are compared byte by byte.
        asked.push(own.to_ascii_lowercase());
        asked.push(own.replacen("://", "://x", 1));
        asked.push(own.replacen("https://", "https://evil", 1));
        asked.push(own.replacen("https://", "https://a.", 1));
        asked.push(format!("{own}:8443"));
        asked.push(own);
    }
    asked
}
