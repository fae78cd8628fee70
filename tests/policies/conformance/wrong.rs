//! Policies that are wrong on purpose. Each breaks the obligation that its test names.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use http::{
    HeaderName,
    header::{AUTHORIZATION, REFERER},
};
use tower_cors::{
    CorsRequest, Denial, DenialKind, Grant, Origin, OriginPolicy, OriginSet, Verdict,
    VerdictFuture,
    policy::{BearerOr, PolicyProperties},
    policy_fn,
    test_util::{AllowedRequest, Expectations, Obligation as O},
};

use super::{PAGE, violated};

fn page() -> [AllowedRequest; 1] {
    [AllowedRequest::new(PAGE)]
}

fn is_page(origin: &Origin) -> bool {
    origin.as_str() == PAGE
}

/// A policy of a closure, with properties of its own.
struct Made<F> {
    judge: F,
    properties: PolicyProperties,
}

impl<F> std::fmt::Debug for Made<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Made")
    }
}

impl<F> OriginPolicy for Made<F>
where
    F: Fn(&CorsRequest<'_>) -> Verdict + Send + Sync + 'static,
{
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        (self.judge)(request).into()
    }

    fn properties(&self) -> PolicyProperties {
        self.properties.clone()
    }
}

fn reading<F>(name: HeaderName, judge: F) -> Made<F>
where
    F: Fn(&CorsRequest<'_>) -> Verdict + Send + Sync + 'static,
{
    let properties = PolicyProperties::new().reads([name]);
    Made { judge, properties }
}

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

#[test]
fn expectations() {
    assert_eq!(
        violated(policy_fn(|_| false), page()).0,
        [O::Expectations, O::Preflights]
    );
    let list = || OriginSet::parse([PAGE]).unwrap();
    assert_eq!(violated(list(), []).0, [O::Expectations]);
    let wrong = [AllowedRequest::new("https://App.example/")];
    assert_eq!(violated(list(), wrong).0, [O::Expectations]);
    let wrong = [AllowedRequest::new(PAGE).header("a b", "c")];
    assert_eq!(violated(list(), wrong).0, [O::Expectations]);
}

#[test]
fn fails_closed() {
    let with_key = || {
        let request = AllowedRequest::new(PAGE).header("x-api-key", "secret-key");
        Expectations::from([request]).preflights_elsewhere()
    };
    // Without a key, the list alone decides.
    let open = reading(API_KEY, |request| {
        let is_good = request
            .single_header(&API_KEY)
            .is_none_or(|key| key == "secret-key");
        request
            .origin()
            .judge_by(|origin| is_good && is_page(origin))
    });
    // A part of the key is enough.
    let prefix = reading(API_KEY, |request| {
        let key = request.single_header(&API_KEY);
        let is_good = key.is_some_and(|key| !key.is_empty() && "secret-key".starts_with(key));
        request
            .origin()
            .judge_by(|origin| is_good && is_page(origin))
    });
    // The first of several keys counts.
    let first = reading(API_KEY, |request| {
        let is_good = request
            .headers()
            .get(&API_KEY)
            .is_some_and(|key| key == "secret-key");
        request
            .origin()
            .judge_by(|origin| is_good && is_page(origin))
    });
    // Any key will do.
    let present = reading(API_KEY, |request| {
        let is_good = request.single_header(&API_KEY).is_some();
        request
            .origin()
            .judge_by(|origin| is_good && is_page(origin))
    });
    assert_eq!(violated(open, with_key()).0, [O::FailsClosed]);
    assert_eq!(violated(prefix, with_key()).0, [O::FailsClosed]);
    assert_eq!(violated(first, with_key()).0, [O::FailsClosed]);
    assert_eq!(violated(present, with_key()).0, [O::FailsClosed]);
    // The path and the extensions are facts as well.
    let list = || OriginSet::parse([PAGE]).unwrap();
    let at = [AllowedRequest::new(PAGE).url("/projects/7")];
    assert_eq!(violated(list(), at).0, [O::FailsClosed]);
    let with_extension = [AllowedRequest::new(PAGE).extension("the tenant")];
    assert_eq!(violated(list(), with_extension).0, [O::FailsClosed]);
}

#[test]
fn whole_origins() {
    fn by(is_allowed: fn(&Origin) -> bool) -> impl OriginPolicy {
        policy_fn(move |request| request.origin().judge_by(is_allowed))
    }
    let only = |policy| {
        let (obligations, text) = violated(policy, page());
        assert!(obligations.contains(&O::WholeOrigins), "{text}");
        text
    };
    let text = only(by(|origin| origin.host() == "app.example"));
    assert!(text.contains("http://app.example"), "{text}");
    assert!(text.contains("https://app.example:8443"), "{text}");
    let text = only(by(|origin| {
        origin.as_str().starts_with("https://app.example")
    }));
    assert!(text.contains("https://app.example.evil.example"), "{text}");
    let text = only(by(|origin| origin.as_str().ends_with("app.example")));
    assert!(text.contains("https://evil-app.example"), "{text}");
    let text = only(by(|origin| origin.as_str().contains("app.example")));
    assert!(text.contains("https://evil.example.app.example"), "{text}");
    let text = only(by(|origin| origin.as_str().trim_end_matches('.') == PAGE));
    assert!(text.contains("https://app.example."), "{text}");
    let text = only(by(|origin| origin.as_str().len() > 200 || is_page(origin)));
    assert!(text.contains("aaaa"), "{text}");

    let null = policy_fn(|request| match request.origin().tuple() {
        Some(origin) => is_page(origin),
        None => true,
    });
    let (obligations, text) = violated(null, page());
    assert!(
        obligations.contains(&O::WholeOrigins) && text.contains("null"),
        "{text}"
    );

    let readable = policy_fn(|request| {
        let readable = Denial::new(DenialKind::OriginNotAllowed).readable();
        match request.origin().tuple() {
            Some(origin) if is_page(origin) => Verdict::from(true),
            _ => readable.into(),
        }
    });
    assert_eq!(violated(readable, page()).0, [O::WholeOrigins]);
}

/// Denies while it looks the origin up, instead of waiting.
#[derive(Debug, Default)]
struct Warming(Mutex<HashSet<String>>);

impl OriginPolicy for Warming {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let Some(origin) = request.origin().tuple() else {
            return DenialKind::OpaqueOrigin.into();
        };
        let is_known = !self.0.lock().unwrap().insert(origin.to_string());
        (is_known && is_page(origin)).into()
    }
}

/// Whoever stops waiting leaves the lookup locked.
#[derive(Debug, Default)]
struct Locked(Arc<AtomicBool>);

impl OriginPolicy for Locked {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let origin = request.origin().clone();
        let lock = Arc::clone(&self.0);
        VerdictFuture::new(async move {
            if lock.swap(true, Ordering::SeqCst) {
                return DenialKind::Unavailable.into();
            }
            tokio::task::yield_now().await;
            lock.store(false, Ordering::SeqCst);
            origin.judge_by(is_page)
        })
    }
}

/// Keeps the request in one place while it waits.
#[derive(Debug, Default)]
struct OnePlace(Arc<Mutex<Option<Origin>>>);

impl OriginPolicy for OnePlace {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        *self.0.lock().unwrap() = request.origin().tuple().cloned();
        let place = Arc::clone(&self.0);
        VerdictFuture::new(async move {
            tokio::task::yield_now().await;
            let origin = place.lock().unwrap().clone();
            origin.is_some_and(|origin| is_page(&origin)).into()
        })
    }
}

#[test]
fn ready_and_waiting_alike() {
    let (obligations, text) = violated(Warming::default(), page());
    assert_eq!(obligations, [O::ReadyAndWaitingAlike], "{text}");
    assert!(text.contains("the second time"), "{text}");
    let (obligations, text) = violated(Locked::default(), page());
    assert!(obligations.contains(&O::ReadyAndWaitingAlike), "{text}");
    assert!(text.contains("after another has stopped waiting"), "{text}");
    let (obligations, text) = violated(OnePlace::default(), page());
    assert_eq!(obligations, [O::ReadyAndWaitingAlike], "{text}");
    assert!(text.contains("while another asks"), "{text}");

    // Allows the first five requests.
    let asked = AtomicUsize::new(0);
    let tired = policy_fn(move |request| {
        let is_fresh = asked.fetch_add(1, Ordering::SeqCst) < 5;
        request
            .origin()
            .judge_by(|origin| is_fresh && is_page(origin))
    });
    let (obligations, text) = violated(tired, page());
    assert!(obligations.contains(&O::ReadyAndWaitingAlike), "{text}");
}

#[test]
fn names_what_it_reads() {
    let unnamed = policy_fn(|request| {
        let is_good = request.single_header(&API_KEY) == Some("secret-key");
        request
            .origin()
            .judge_by(|origin| is_good && is_page(origin))
    });
    let request = AllowedRequest::new(PAGE).header("x-api-key", "secret-key");
    let with_key = Expectations::from([request]).preflights_elsewhere();
    assert_eq!(violated(unnamed, with_key).0, [O::NamesWhatItReads]);

    // Lets in who claims to come from the page, too.
    let referer = policy_fn(|request| {
        let is_from_page = request.single_header(&REFERER) == Some(PAGE);
        request
            .origin()
            .judge_by(|origin| is_from_page || is_page(origin))
    });
    assert_eq!(violated(referer, page()).0, [O::NamesWhatItReads]);

    let site = HeaderName::from_static("sec-fetch-site");
    let metadata = policy_fn(move |request| {
        let is_own = request.single_header(&site) == Some("same-origin");
        request
            .origin()
            .judge_by(|origin| is_own || is_page(origin))
    });
    assert_eq!(violated(metadata, page()).0, [O::NamesWhatItReads]);
}

#[derive(Debug, Default)]
struct Fickle(AtomicUsize);

impl OriginPolicy for Fickle {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        request.origin().judge_by(is_page).into()
    }

    fn properties(&self) -> PolicyProperties {
        if self.0.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
            PolicyProperties::new()
        } else {
            PolicyProperties::new().reads([AUTHORIZATION])
        }
    }
}

#[test]
fn constant_properties() {
    assert_eq!(
        violated(Fickle::default(), page()).0,
        [O::ConstantProperties]
    );
}

#[test]
fn grants_as_stated() {
    let grants = |grant: fn() -> Grant| {
        policy_fn(move |request| match request.origin().judge_by(is_page) {
            Verdict::Allow(_) => grant().into(),
            other => other,
        })
    };
    assert_eq!(
        violated(grants(Grant::any_origin), page()).0,
        [O::GrantsAsStated]
    );
    let credentials = grants(|| Grant::new().allow_credentials(true));
    assert_eq!(violated(credentials, page()).0, [O::GrantsAsStated]);
    let anybody_with_key = reading(API_KEY, |request| {
        let is_good = request.single_header(&API_KEY) == Some("secret-key");
        request.origin().judge_by(|_| is_good)
    });
    let request = AllowedRequest::from_any_origin().header("x-api-key", "secret-key");
    let expectations = Expectations::from([request]).preflights_elsewhere();
    assert_eq!(
        violated(anybody_with_key, expectations).0,
        [O::GrantsAsStated]
    );
}

#[test]
fn preflights() {
    // The key is in a header that no preflight has.
    let with_key = reading(API_KEY, |request| {
        let is_good = request.single_header(&API_KEY) == Some("secret-key");
        request
            .origin()
            .judge_by(|origin| is_good && is_page(origin))
    });
    let request = AllowedRequest::new(PAGE).header("x-api-key", "secret-key");
    assert_eq!(violated(with_key, [request]).0, [O::Preflights]);
    // Lets every preflight pass, and does not say so.
    let broad = policy_fn(|request| {
        let is_preflight = request.preflight().is_some();
        request
            .origin()
            .judge_by(|origin| is_preflight || is_page(origin))
    });
    assert_eq!(violated(broad, page()).0, [O::Preflights]);
}

#[test]
fn works_in_a_layer() {
    let token = reading(AUTHORIZATION, |request| request.origin().judge_by(is_page));
    // The token would never be looked at.
    let (obligations, text) = violated(BearerOr::new(token), page());
    assert_eq!(obligations, [O::WorksInALayer], "{text}");
}

#[test]
fn the_text_names_the_request_and_no_secret() {
    let open = reading(AUTHORIZATION, |request| request.origin().judge_by(is_page));
    let request = AllowedRequest::new(PAGE).header("authorization", "Bearer secret-token");
    let (_, text) = violated(open, [request]);
    assert!(text.contains("GET / of https://app.example"), "{text}");
    assert!(text.contains("without authorization"), "{text}");
    assert!(!text.contains("secret-token"), "{text}");
}
