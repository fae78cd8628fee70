//! What policies cost that look at more than the origin, once they know what the request brings.
//!
//! Each answers as a list of ten does, and stands beside the least that could be done by hand: one or two
//! lookups in tables that are there.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use http::{HeaderMap, Method, Uri, header::AUTHORIZATION};
use tower::Layer;
use tower_cors::{
    CorsLayer, DeniedRequests, Origin, OriginPolicy, OriginSet,
    origin::OriginPattern,
    preflight::{Issued, IssuedIndex, UnionIndex},
    routes::MethodRule,
    token::{
        TokenOrigins, TokenVerifier,
        claim::OriginsClaim,
        source::TokenSource,
        verify::{
            FetchFuture,
            introspection::{IntrospectionClient, IntrospectionRequest, IntrospectionVerifier},
        },
    },
    trusted::{
        entry::{OriginRecord, Version},
        registry::OriginRegistry,
        source::SourceSnapshot,
        store::RegistryWriter,
    },
};

use super::{
    config::{HEADERS, MAX_AGE, METHODS, listed_origin},
    inner::Inner,
    minimum::{Find, Minimum, Rules},
    scenario::{Head, get, preflight},
    subject::{Subject, driven},
    token::{self, Says},
};

/// The names and what they are.
pub(crate) const KNOWN: [(&str, &str); 13] = [
    ("list", "GET, list of 10: to compare with"),
    ("bearer", "GET, known bearer token of 700 bytes, lists 10"),
    ("query", "GET, the same doubly percent-encoded in the URL"),
    ("introspected", "GET, the same known by introspection"),
    ("keycloak", "GET, the same, an array of 20"),
    ("registry-10", "GET, registry of 10"),
    ("registry-1000000", "GET, registry of 1,000,000"),
    ("method", "GET, one list of 10 for each of four methods"),
    ("list-preflight", "preflight, list of 10: to compare with"),
    ("issued-10", "preflight, IssuedIndex of 10 tokens"),
    ("issued-100000", "preflight, IssuedIndex of 100,000 tokens"),
    ("union-10", "preflight, UnionIndex of 10 origins"),
    ("union-100000", "preflight, UnionIndex of 100,000 origins"),
];

/// A request, and who may serve it.
pub(crate) struct Known {
    pub(crate) head: Head,
    /// Without CORS, by hand, and with this crate's layer.
    pub(crate) subjects: [Box<dyn Subject>; 3],
}

/// The policy of that name, knowing what it needs to.
pub(crate) fn known(name: &str) -> Known {
    let (kind, count) = match name.rsplit_once('-') {
        Some((kind, count)) if count != "preflight" => (kind, count.parse().unwrap()),
        _ => (name, 10),
    };
    let head = get(Some(&listed_origin(9)));
    match kind {
        "list" => policy(head, listed(10), Rules::finding(in_set(10))),
        "list-preflight" => policy(asked(9), listed(10), Rules::finding(in_set(10))),
        "bearer" => with_bearer(Says::new(&lists_ten())),
        "introspected" => {
            let verifier = IntrospectionVerifier::builder(Issuer(lists_ten()))
                .build()
                .unwrap();
            with_bearer(verifier)
        }
        "keycloak" => {
            let list: Vec<_> = (0..20).map(listed_origin).collect();
            let claims = serde_json::json!({ "allowed-origins": list }).to_string();
            let policy_of_array = TokenOrigins::builder()
                .verifier(Says::new(&claims))
                .source(TokenSource::bearer())
                .claim(OriginsClaim::array("allowed-origins"))
                .build()
                .unwrap();
            policy(bearer(19), policy_of_array, Rules::finding(by_token(20)))
        }
        "query" => in_query(),
        "registry" => policy(
            get(Some(&listed_origin(count - 1))),
            registry(count),
            Rules::finding(in_set(count)),
        ),
        "method" => by_method(head),
        "issued" => {
            let index = IssuedIndex::new(4 * count);
            let end = SystemTime::now() + Duration::from_secs(3600);
            for i in 0..count {
                index
                    .register(&Issued::new(i.to_string(), [origin(i)], end))
                    .unwrap();
            }
            policy(asked(count - 1), index, Rules::finding(in_set(count)))
        }
        "union" => {
            let index = UnionIndex::new(2 * count);
            for tenant in 0..10 {
                let list = (0..count)
                    .filter(|i| i % 10 == tenant)
                    .map(|i| OriginPattern::from(&origin(i)));
                index.set(&tenant.to_string(), list).unwrap();
            }
            policy(asked(count - 1), index, Rules::finding(in_set(count)))
        }
        _ => panic!("no policy is called {name}"),
    }
}

fn policy(head: Head, policy: impl OriginPolicy, minimum: Rules) -> Known {
    let layer = CorsLayer::builder()
        .origin_policy(policy)
        // Indexes demand it.
        .denied_requests(DeniedRequests::Refuse)
        .allow_methods(METHODS)
        .allow_headers(HEADERS)
        .max_age(Duration::from_secs(MAX_AGE.into()))
        .build()
        .unwrap();
    between(head, minimum, layer)
}

fn between(head: Head, minimum: Rules, layer: CorsLayer) -> Known {
    let inner = || Inner::new(None);
    Known {
        head,
        subjects: [
            driven(inner()),
            driven(Minimum::new(inner(), Arc::new(minimum))),
            driven(layer.layer(inner())),
        ],
    }
}

fn origin(i: usize) -> Origin {
    listed_origin(i).parse().unwrap()
}

/// A preflight of the page.
fn asked(i: usize) -> Head {
    let names = "authorization,content-type,x-request-id".to_owned();
    preflight(&listed_origin(i), "PUT", &[names])
}

fn listed(count: usize) -> OriginSet {
    OriginSet::parse((0..count).map(listed_origin)).unwrap()
}

type Origins = HashSet<Box<[u8]>, RandomState>;

fn set(count: usize) -> Origins {
    (0..count)
        .map(|i| listed_origin(i).into_bytes().into())
        .collect()
}

/// By hand: one lookup of the origin.
fn in_set(count: usize) -> Find {
    let set = set(count);
    Box::new(move |_, _, _, origin| set.contains(origin))
}

// Tokens.

fn lists_ten() -> String {
    token::claims(&(0..10).map(listed_origin).collect::<Vec<_>>())
}

/// An issuer that says so.
#[derive(Debug)]
struct Issuer(String);

impl IntrospectionClient for Issuer {
    fn introspect(&self, _: IntrospectionRequest) -> FetchFuture {
        let body = Bytes::from(self.0.clone());
        Box::pin(async { Ok(body) })
    }
}

fn bearer(page: usize) -> Head {
    let mut head = get(Some(&listed_origin(page)));
    head.headers.insert(AUTHORIZATION, token::credentials());
    head
}

fn with_bearer(verifier: impl TokenVerifier) -> Known {
    policy(
        bearer(9),
        token::policy(verifier),
        Rules::finding(by_token(10)),
    )
}

/// By hand: what follows `Bearer `, its list, and the origin in it.
fn by_token(count: usize) -> Find {
    let known: HashMap<String, Origins, RandomState> =
        [(token::text(), set(count))].into_iter().collect();
    Box::new(
        move |_: &Method, _: &Uri, headers: &HeaderMap, origin: &[u8]| {
            let credentials = headers
                .get(AUTHORIZATION)
                .and_then(|value| value.to_str().ok());
            let text = credentials.and_then(|credentials| credentials.strip_prefix("Bearer "));
            let list = text.and_then(|text| known.get(text));
            list.is_some_and(|list| list.contains(origin))
        },
    )
}

fn in_query() -> Known {
    let tokens = TokenOrigins::builder()
        .verifier(Says::new(&lists_ten()))
        .source(
            TokenSource::query("anonymousContext")
                .layers(2)
                .prefix("psat="),
        )
        .claim(OriginsClaim::delimited("ao", ';'))
        .build()
        .unwrap();
    let mut head = get(Some(&listed_origin(9)));
    let target = format!("/orders?anonymousContext=psat%253d{}", token::text());
    head.uri = target.parse().unwrap();
    let known: HashMap<String, Origins, RandomState> =
        [(format!("psat%253d{}", token::text()), set(10))]
            .into_iter()
            .collect();
    let find = move |_: &Method, uri: &Uri, _: &HeaderMap, origin: &[u8]| {
        let value = uri
            .query()
            .and_then(|query| query.strip_prefix("anonymousContext="));
        let list = value.and_then(|value| known.get(value));
        list.is_some_and(|list| list.contains(origin))
    };
    policy(head, tokens, Rules::finding(Box::new(find)))
}

// Registries and routes.

fn registry(count: usize) -> OriginRegistry {
    let origins = OriginRegistry::new();
    let mut load = SourceSnapshot::new();
    for i in 0..count {
        let id = format!("{:016x}", i + 1);
        let mut record = OriginRecord::new(&id, &format!("Application {i}"), &listed_origin(i));
        record.version = i as u64 + 1;
        record.scopes = vec!["CORS".to_owned()];
        record.created = "2026-11-21T12:00:00Z".to_owned();
        record.last_updated.clone_from(&record.created);
        record.created_by = "admin@example.com".to_owned();
        record.last_updated_by.clone_from(&record.created_by);
        load.push(record);
    }
    RegistryWriter::new(&origins)
        .load(load, Version::new(count as u64))
        .unwrap();
    origins
}

fn by_method(head: Head) -> Known {
    let rules = CorsLayer::by_method();
    let methods = [Method::POST, Method::PUT, Method::DELETE, Method::GET];
    let rules = methods.iter().fold(rules, |rules, method| {
        rules.rule([method.clone()], MethodRule::trusted_only(listed(10)))
    });
    let tables = methods.map(|method| (method, set(10)));
    let find = move |method: &Method, _: &Uri, _: &HeaderMap, origin: &[u8]| {
        let table = tables.iter().find(|(own, _)| own == method);
        table.is_some_and(|(_, set)| set.contains(origin))
    };
    between(head, Rules::finding(Box::new(find)), rules.build().unwrap())
}
