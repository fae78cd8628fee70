//! The policies of this crate, and its combinators.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::header::HOST;
use tower_cors::{
    Any, CorsRequest, Origin, OriginPolicy, OriginSet, Verdict, VerdictFuture,
    policy::{BearerOr, PolicyProperties, async_policy_fn},
    policy_fn,
    preflight::{DenyPreflights, Optimistic, UnionIndex, UrlKey},
    test_util::{AllowedRequest, Expectations},
};

use super::{PAGE, conforms};

fn page() -> AllowedRequest {
    AllowedRequest::new(PAGE)
}

fn set(entries: &[&str]) -> OriginSet {
    OriginSet::parse(entries).unwrap()
}

#[test]
fn lists() {
    conforms(set(&[PAGE]), [page()]);
    conforms(Arc::new(set(&[PAGE])), [page().method("PUT")]);
    let boxed: Box<dyn OriginPolicy> = Box::new(set(&[PAGE]));
    conforms(boxed, [page()]);
    let several = [
        "http://localhost:3000",
        "https://[2001:db8::1]:8443",
        "app://shell",
        PAGE,
    ];
    conforms(set(&several), several.map(AllowedRequest::new));
}

#[test]
fn patterns() {
    let expectations = Expectations::new()
        .allows(AllowedRequest::new("https://a.shop.example"))
        .also_allows(|origin| {
            let name = origin.as_str().strip_prefix("https://");
            name.is_some_and(|name| name.ends_with(".shop.example"))
        });
    conforms(set(&["https://*.shop.example"]), expectations);
    let expectations = Expectations::new()
        .allows(AllowedRequest::new("http://localhost:5173"))
        .also_allows(|origin| {
            let text = origin.as_str();
            text == "http://localhost" || text.starts_with("http://localhost:")
        });
    conforms(set(&["http://localhost:*"]), expectations);
}

#[test]
fn anybody() {
    let everyone = Expectations::new()
        .allows(page())
        .also_allows(|_| true)
        .allows_null();
    conforms(Any, everyone);
}

fn is_page(origin: &Origin) -> bool {
    origin.as_str() == PAGE
}

#[test]
fn closures() {
    let now = policy_fn(|request| request.origin().judge_by(is_page));
    conforms(now, [page()]);
    let waiting = async_policy_fn(async |request| {
        tokio::task::yield_now().await;
        request.origin().judge_by(is_page)
    });
    conforms(waiting, [page()]);
}

#[test]
fn over_500_requests_are_judged() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let counting = policy_fn(move |request| {
        counter.fetch_add(1, Ordering::SeqCst);
        request.origin().judge_by(is_page)
    });
    conforms(counting, [page()]);
    let asked = asked.load(Ordering::SeqCst);
    assert!(asked > 500, "{asked}");
}

#[test]
fn bearer_callers() {
    let with_token =
        AllowedRequest::from_any_origin().header_with_any_value("authorization", "Bearer x");
    let with_cookie = AllowedRequest::new(PAGE);
    conforms(BearerOr::new(set(&[PAGE])), [with_token, with_cookie]);
}

/// Knows each tenant by its host, and abstains elsewhere.
#[derive(Debug)]
struct Tenant(OriginSet);

impl OriginPolicy for Tenant {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        if request.single_header(&HOST) == Some("one.example") {
            request
                .origin()
                .judge_by(|origin| self.0.contains(origin))
                .into()
        } else {
            Verdict::Abstain.into()
        }
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new().reads([HOST])
    }
}

#[test]
fn fallbacks() {
    let shop = "https://shop.one.example";
    let policy = Tenant(set(&[shop])).fallback(set(&[PAGE]));
    conforms(
        policy,
        [
            AllowedRequest::new(shop).header("host", "one.example"),
            page(),
        ],
    );
}

#[test]
fn by_the_url() {
    let policy = UrlKey::new(
        |url| url.path().strip_prefix("/projects/")?.split('/').next(),
        |key| (key == "7").then(|| OriginSet::parse([PAGE]).unwrap()),
    );
    conforms(policy, [page().url("/projects/7")]);
}

#[test]
fn strategies_for_preflights() {
    let expectations = || Expectations::from([page()]);
    conforms(
        set(&[PAGE]).with_preflight(DenyPreflights),
        expectations().preflights_elsewhere(),
    );
    conforms(
        set(&[PAGE]).with_preflight(Optimistic::new()),
        expectations(),
    );
    let index = UnionIndex::new(10);
    index.set("one", [PAGE.parse().unwrap()]).unwrap();
    conforms(set(&[PAGE]).with_preflight(index), expectations());
}

#[cfg(feature = "jwt-rust-crypto")]
mod tokens {
    use std::time::{Duration, SystemTime};

    use tower_cors::{
        preflight::{Issued, IssuedIndex},
        token::{TokenOrigins, claim::OriginsClaim, source::TokenSource},
    };

    use super::*;
    use crate::support::tokens::{CONTOSO, LIST, LITWARE, token, verifier};

    fn policy(source: impl Into<TokenSource>) -> TokenOrigins {
        TokenOrigins::builder()
            .verifier(verifier())
            .source(source)
            .claim(OriginsClaim::delimited("ao", ';'))
            .build()
            .unwrap()
    }

    #[test]
    fn in_a_header() {
        let bearer = format!("Bearer {}", token(LIST));
        let requests = || {
            [CONTOSO, LITWARE]
                .map(|page| AllowedRequest::new(page).header("authorization", &*bearer))
        };
        let alone = policy(TokenSource::bearer());
        conforms(alone, Expectations::from(requests()).preflights_elsewhere());
        let optimistic = policy(TokenSource::bearer()).with_preflight(Optimistic::new());
        conforms(optimistic, requests());
    }

    #[test]
    fn in_the_url() {
        let url = format!("/discover?token={}", token(LIST));
        conforms(
            policy(TokenSource::query("token")),
            [AllowedRequest::new(CONTOSO).url(&*url)],
        );
    }

    #[test]
    fn with_an_index_of_live_tokens() {
        let bearer = format!("Bearer {}", token(LIST));
        let index = IssuedIndex::new(10);
        let pages = [CONTOSO, LITWARE].map(|page| page.parse().unwrap());
        let in_an_hour = SystemTime::now() + Duration::from_secs(3600);
        index
            .register(&Issued::new("id", pages, in_an_hour))
            .unwrap();
        let requests = [CONTOSO, LITWARE]
            .map(|page| AllowedRequest::new(page).header("authorization", &*bearer));
        conforms(
            policy(TokenSource::bearer()).with_preflight(index),
            requests,
        );
    }
}

#[cfg(feature = "trusted")]
mod registries {
    use tower_cors::trusted::{
        entry::{Actor, OriginDraft, Scope},
        registry::OriginRegistry,
        store::{EmbeddedStore, OriginStore},
    };

    use super::*;

    fn registry() -> OriginRegistry {
        let store = EmbeddedStore::in_memory();
        let entry = OriginDraft::new("page", PAGE, Scope::Cors).unwrap();
        let entry = entry.allow_credentials(true).unwrap();
        let other = OriginDraft::new("login", "https://login.example", Scope::Redirect).unwrap();
        for entry in [entry, other] {
            let actor = Actor::new("admin@example.com").unwrap();
            crate::conformance::block_on(store.create(entry, actor)).unwrap();
        }
        store.origins().clone()
    }

    #[test]
    fn callers_with_cookies() {
        conforms(registry(), [page()]);
    }

    #[test]
    fn callers_with_cookies_or_tokens() {
        let with_token =
            AllowedRequest::from_any_origin().header_with_any_value("authorization", "Bearer x");
        conforms(BearerOr::new(registry()), [with_token, page()]);
    }
}
