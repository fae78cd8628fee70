//! [`UrlKey`]: lists by a key in the URL.

use super::*;

#[test]
fn url_key_answers_for_the_key() {
    let lists = projects();
    let policy = UrlKey::new(project_of, move |key| lists.get(key).cloned());
    let policy = Arc::new(policy.max_age_at_most(Duration::from_secs(30)));
    let long = |b| listed(b).max_age(Duration::from_secs(600));

    let ask = |uri: &'static str, page: &'static str| {
        ask_both(&policy, long, move || preflight(uri, page, "content-type"))
    };
    assert_eq!(ask("/api/one/x", PAGE), passed(PAGE, Some("30")));
    assert_eq!(ask("/api/two/x", OTHER), passed(OTHER, Some("30")));
    let foreign = refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed);
    assert_eq!(ask("/api/two/x", PAGE), foreign);
    assert_eq!(
        ask("/api/one/x", "null"),
        refused(PREFLIGHT_VARY, DenialKind::OpaqueOrigin)
    );
    // No key: another policy may answer.
    assert_eq!(
        ask("/other", PAGE),
        refused(PREFLIGHT_VARY, DenialKind::NoPolicy)
    );

    let granted = ask_both(&policy, long, || actual("/api/one/x", PAGE, &[]));
    assert_eq!(
        granted,
        Answer {
            status: 200,
            headers: headers(&[("access-control-allow-origin", PAGE), ("vary", "origin")]),
            ran: true,
            denial: None,
        }
    );
}

#[test]
fn url_key_waits_for_its_lookup() {
    let policy = |outcome: fn(&str) -> Lookup| {
        UrlKey::new(project_of, move |key: &str| {
            let outcome = outcome(key);
            LookupFuture::new(async move {
                later().await;
                outcome
            })
        })
    };
    let known = policy(|key| projects().get(key).cloned().into());
    let layer = |policy| {
        listed(CorsLayer::builder())
            .origin_policy(policy)
            .build()
            .unwrap()
    };
    let known = layer(Arc::new(known) as Arc<dyn OriginPolicy>);
    assert_eq!(
        ask(&known, preflight("/api/one", PAGE, "")),
        passed(PAGE, None)
    );
    assert_eq!(
        ask(&known, preflight("/api/two", PAGE, "")),
        refused(PREFLIGHT_VARY, DenialKind::OriginNotAllowed)
    );
    let down = layer(Arc::new(policy(|_| Lookup::Unavailable)));
    let answer = ask(&down, preflight("/api/one", PAGE, ""));
    assert_eq!(answer, refused(PREFLIGHT_VARY, DenialKind::Unavailable));
    let mut unavailable = refused("origin", DenialKind::Unavailable);
    unavailable.status = 503;
    assert_eq!(ask(&down, actual("/api/one", PAGE, &[])), unavailable);
}

#[test]
fn url_key_reads_the_host_and_the_query_without_a_copy() {
    let policy = UrlKey::new(
        |url| url.host()?.strip_suffix(".api.example"),
        |tenant| (tenant == "one").then(|| set(&[PAGE])),
    );
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    let at = |host: &str| {
        let mut request = preflight("/", PAGE, "");
        request
            .headers_mut()
            .insert(header::HOST, host.parse().unwrap());
        ask(&layer, request).status
    };
    assert_eq!(at("one.api.example"), 204);
    assert_eq!(at("One.API.example:8443"), 204);
    assert_eq!(at("user@one.api.example"), 403);
    assert_eq!(at("one.api.example:x"), 403);
    assert_eq!(at("two.api.example"), 403);
    assert_eq!(at("one.api.example.evil.example"), 403);

    let policy = UrlKey::new(
        |url| url.query()?.strip_prefix("sentry_key="),
        |key| (key == "abc").then(|| set(&[PAGE])),
    );
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    assert_eq!(
        ask(&layer, preflight("/?sentry_key=abc", PAGE, "")).status,
        204
    );
    assert_eq!(
        ask(&layer, preflight("/?sentry_key=abd", PAGE, "")).status,
        403
    );

    // The whole target, for a key that is in several of its parts.
    let policy = UrlKey::new(
        |url| Some(url.uri().path_and_query()?.as_str()),
        |target| (target == "/7?v=2").then(|| set(&[PAGE])),
    );
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    assert_eq!(ask(&layer, preflight("/7?v=2", PAGE, "")).status, 204);
    assert_eq!(ask(&layer, preflight("/7?v=3", PAGE, "")).status, 403);
}

/// A store that answers when it is told to, and counts the questions.
#[derive(Clone, Default)]
struct Store {
    questions: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
}

impl Store {
    fn policy(&self, clock: &TestClock) -> UrlKey {
        let store = self.clone();
        let look_up = move |key: &str| {
            store.questions.fetch_add(1, Ordering::Relaxed);
            let (key, answers) = (key.to_owned(), Arc::clone(&store.answers));
            LookupFuture::new(async move {
                std::future::poll_fn(|cx| {
                    if answers.load(Ordering::Relaxed) > 0 {
                        return Poll::Ready(());
                    }
                    cx.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
                match &*key {
                    "down" => Lookup::Unavailable,
                    key => projects().get(key).cloned().into(),
                }
            })
        };
        UrlKey::new(project_of, look_up).clock(clock.clone())
    }

    fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }
}

#[test]
fn url_key_asks_its_store_once_for_many() {
    let (store, clock) = (Store::default(), TestClock::new());
    let layer = listed(CorsLayer::builder())
        .origin_policy(store.policy(&clock))
        .build()
        .unwrap();
    let mut services: Vec<_> = (0..500).map(|_| layer.layer(Spy::default())).collect();
    let mut waiting: Vec<_> = services
        .iter_mut()
        .map(|service| Box::pin(service.call(preflight("/api/one", PAGE, ""))))
        .collect();
    let mut cx = Context::from_waker(Waker::noop());
    for future in &mut waiting {
        assert!(future.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(store.questions(), 1);
    store.answers.store(1, Ordering::Relaxed);
    // Whichever of them is polled drives the lookup.
    for future in waiting.iter_mut().rev() {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(Ok(response)) => assert_eq!(response.status(), 204),
            other => panic!("{other:?}"),
        }
    }
    // What was answered is remembered for a moment, and for another page, too.
    clock.wait(4);
    assert_eq!(ask(&layer, preflight("/api/one", PAGE, "")).status, 204);
    assert_eq!(ask(&layer, preflight("/api/one", EVIL, "")).status, 403);
    assert_eq!(store.questions(), 1);
    clock.wait(1);
    assert_eq!(ask(&layer, preflight("/api/one", PAGE, "")).status, 204);
    assert_eq!(store.questions(), 2);
    // A key of nobody, too; that the store is down not for as long.
    for _ in 0..2 {
        assert_eq!(ask(&layer, preflight("/api/none", PAGE, "")).status, 403);
        assert_eq!(ask(&layer, preflight("/api/down", PAGE, "")).status, 403);
    }
    assert_eq!(store.questions(), 4);
    clock.wait(1);
    ask(&layer, preflight("/api/none", PAGE, ""));
    ask(&layer, preflight("/api/down", PAGE, ""));
    assert_eq!(store.questions(), 5);
    // A clock that is set back makes no answer last longer.
    clock.0.fetch_sub(3600, Ordering::Relaxed);
    ask(&layer, preflight("/api/none", PAGE, ""));
    assert_eq!(store.questions(), 6);
}

#[test]
fn url_key_gives_up_a_lookup_that_nobody_waits_for() {
    let (store, clock) = (Store::default(), TestClock::new());
    let policy = store.policy(&clock).lookup_ttl(Duration::ZERO);
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..200 {
        let mut service = layer.layer(Spy::default());
        let mut future = Box::pin(service.call(preflight("/api/one", PAGE, "")));
        assert!(future.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(store.questions(), 200);
    // With a time to live of nothing, only what is under way is shared.
    store.answers.store(1, Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(ask(&layer, preflight("/api/one", PAGE, "")).status, 204);
    }
    assert_eq!(store.questions(), 202);
}

/// A key that a header carries would need a `Vary` that nobody writes: the closure cannot see it.
#[test]
fn url_key_varies_on_the_origin_only() {
    let policy = Arc::new(UrlKey::new(
        |url| url.path().get(1..),
        |_| None::<OriginSet>,
    ));
    let answer = ask_both(&policy, listed, || actual("/one", PAGE, &[]));
    assert_eq!(answer.header("vary"), Some("origin"));
}

#[test]
fn url_key_admits_any_origin_to_an_open_tenant_only_where_that_is_said() {
    let look_up = |key: &str| match key {
        "open" => Lookup::AnyOrigin,
        "nobody" => Lookup::Known(OriginSet::default()),
        _ => Lookup::Known(set(&[PAGE])),
    };
    let with_credentials = |b| listed(b).allow_credentials(true);
    let send = |policy: UrlKey, uri: &'static str, page, sent: &'static [(HeaderName, &str)]| {
        ask_both(&Arc::new(policy), with_credentials, || {
            actual(uri, page, sent)
        })
    };
    let open = || UrlKey::new(project_of, look_up).open_tenants();
    let granted = send(open(), "/api/open", EVIL, &[]);
    assert_eq!(granted.header("access-control-allow-origin"), Some(EVIL));
    assert_eq!(granted.header("access-control-allow-credentials"), None);
    assert_eq!(granted.header("vary"), Some("origin,cookie"));
    let preflighted = ask_both(&Arc::new(open()), with_credentials, || {
        preflight("/api/open", EVIL, "")
    });
    assert_eq!(preflighted.status, 204);
    assert_eq!(preflighted.header("access-control-allow-credentials"), None);

    const COOKIE: &[(HeaderName, &str)] = &[(header::COOKIE, "session=1")];
    for (uri, page, sent) in [
        ("/api/open", EVIL, COOKIE),
        ("/api/open", "null", &[]),
        ("/api/nobody", EVIL, &[]),
        ("/api/listed", EVIL, &[]),
    ] {
        let denied = send(open(), uri, page, sent);
        assert_eq!((denied.status, denied.ran), (403, false), "{uri} {page}");
    }
    let listed = send(open(), "/api/listed", PAGE, COOKIE);
    assert_eq!(
        listed.header("access-control-allow-credentials"),
        Some("true")
    );
    // Without the word of the configuration an open tenant is nobody.
    let closed = send(UrlKey::new(project_of, look_up), "/api/open", EVIL, &[]);
    assert_eq!((closed.status, closed.ran), (403, false));
}

/// A tenant writes its list, and nobody looks at it before the layer is built.
#[test]
fn url_key_gives_no_credentials_to_origins_that_a_tenant_lists_at_its_peril() {
    // As an application that reads a tenant's origins, and not entries of a list, would have it.
    let file: OriginSet = ["file://".parse::<Origin>().unwrap()].into_iter().collect();
    for policy in [
        UrlKey::new(project_of, {
            let file = file.clone();
            move |_: &str| Some(file.clone())
        }),
        UrlKey::new(project_of, move |_: &str| Some(file.clone()))
            .dangerously_allow_insecure_origins()
            .dangerously_allow_public_suffixes(),
    ] {
        let granted = ask_both(&Arc::new(policy), with_credentials, || {
            actual("/api/one", "file://", &[])
        });
        let origin = granted.header("access-control-allow-origin");
        assert_eq!(origin, Some("file://"));
        assert_eq!(granted.header("access-control-allow-credentials"), None);
    }

    const LIST: &[&str] = &[
        "https://own.example",
        "https://*.own.example",
        "http://localhost:*",
        "http://shop.example",
        "http://*.shop.example",
        "https://*.github.io",
        "https://named.github.io",
        "https://*.team.github.io",
        "moz-extension://*",
    ];
    let policy = || UrlKey::new(project_of, |_: &str| Some(set(LIST)));
    let credentials = |policy: UrlKey, page: &'static str| {
        let policy = Arc::new(policy);
        let granted = ask_both(&policy, with_credentials, || actual("/api/one", page, &[]));
        let passed = ask_both(&policy, with_credentials, || {
            preflight("/api/one", page, "content-type")
        });
        for answer in [&granted, &passed] {
            assert_eq!(answer.header("access-control-allow-origin"), Some(page));
        }
        let of = |answer: &Answer| answer.header("access-control-allow-credentials").is_some();
        assert_eq!(of(&granted), of(&passed), "{page}");
        // A form or a WebSocket has its effect without a header in the answer.
        let cookie: &[_] = &[(header::COOKIE, "session=1")];
        let with_cookie = ask_both(&policy, with_credentials, || {
            actual("/api/one", page, cookie)
        });
        assert_eq!(of(&with_cookie), of(&granted), "{page}");
        let expected = if of(&granted) {
            (200, true)
        } else {
            (403, false)
        };
        assert_eq!((with_cookie.status, with_cookie.ran), expected, "{page}");
        of(&granted)
    };
    for (page, by_default, with_http, with_strangers) in [
        ("https://own.example", true, true, true),
        ("https://a.own.example", true, true, true),
        ("http://localhost:5173", true, true, true),
        ("https://named.github.io", true, true, true),
        ("https://a.team.github.io", true, true, true),
        ("http://shop.example", false, true, false),
        ("http://a.shop.example", false, true, false),
        ("https://evil.github.io", false, false, true),
        ("moz-extension://evil", false, false, true),
    ] {
        assert_eq!(credentials(policy(), page), by_default, "{page}");
        let http = policy().dangerously_allow_insecure_origins();
        assert_eq!(credentials(http, page), with_http, "{page}");
        let strangers = policy().dangerously_allow_public_suffixes();
        assert_eq!(credentials(strangers, page), with_strangers, "{page}");
    }
}

/// Made-up keys are all different, so that sharing a lookup does not bound how many there are.
#[test]
fn url_key_bounds_the_lookups_that_are_under_way() {
    let (store, clock) = (Store::default(), TestClock::new());
    let layer = listed(CorsLayer::builder())
        .origin_policy(store.policy(&clock).max_outstanding(64))
        .build()
        .unwrap();
    let at = |key: usize| preflight(&format!("/api/made-up-{key}"), PAGE, "");
    let mut services: Vec<_> = (0..64).map(|_| layer.layer(Spy::default())).collect();
    let mut cx = Context::from_waker(Waker::noop());
    let mut waiting: Vec<_> = services
        .iter_mut()
        .enumerate()
        .map(|(key, service)| Box::pin(service.call(at(key))))
        .collect();
    for future in &mut waiting {
        assert!(future.as_mut().poll(&mut cx).is_pending());
    }
    // One more is refused at once, and costs the store nothing, also where a lookup begins its work
    // when it is called; one that is under way is joined.
    for key in 64..70 {
        let mut service = layer.layer(Spy::default());
        let mut future = Box::pin(service.call(at(key)));
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(Ok(response)) => {
                let denial = response.extensions().get::<Denial>().map(Denial::kind);
                assert_eq!(denial, Some(DenialKind::Unavailable));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(store.questions(), 64);
    let mut service = layer.layer(Spy::default());
    let mut joined = Box::pin(service.call(at(3)));
    assert!(joined.as_mut().poll(&mut cx).is_pending());
    // What nobody waits for any more leaves its place, and so does what has an answer.
    drop(waiting.pop());
    store.answers.store(1, Ordering::Relaxed);
    assert_eq!(
        ask(&layer, at(70)).denial,
        Some(DenialKind::OriginNotAllowed)
    );
    for mut future in waiting {
        assert!(future.as_mut().poll(&mut cx).is_ready());
    }
    // The refusal was not remembered.
    assert_eq!(ask(&layer, preflight("/api/one", PAGE, "")).status, 204);
    assert_eq!(
        ask(&layer, at(64)).denial,
        Some(DenialKind::OriginNotAllowed)
    );
}

#[test]
fn url_key_takes_a_lookup_that_panics_for_one_that_cannot_tell() {
    let panics = |key: &str| {
        let key = key.to_owned();
        LookupFuture::new(async move {
            later().await;
            assert_ne!(key, "one", "the store has a fault");
            Lookup::from(projects().get(&key).cloned())
        })
    };
    let layer = listed(CorsLayer::builder())
        .origin_policy(UrlKey::new(project_of, panics))
        .build()
        .unwrap();
    let mut services: Vec<_> = (0..3).map(|_| layer.layer(Spy::default())).collect();
    let mut waiting: Vec<_> = services
        .iter_mut()
        .map(|service| Box::pin(service.call(preflight("/api/one", PAGE, ""))))
        .collect();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waiting[0].as_mut().poll(&mut cx).is_pending());
    // The second one drives it into the panic, and the others learn of that.
    for mut future in waiting.into_iter().rev() {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(Ok(response)) => {
                let denial = response.extensions().get::<Denial>().map(Denial::kind);
                assert_eq!(denial, Some(DenialKind::Unavailable));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ask(&layer, preflight("/api/two", OTHER, "")).status, 204);
}

/// The function may panic before there is a future: the request must not go down with it.
#[test]
fn url_key_takes_a_function_that_panics_for_a_lookup_that_cannot_tell() {
    let calls = Arc::new(AtomicUsize::new(0));
    let clock = TestClock::new();
    let counted = Arc::clone(&calls);
    let panics = move |key: &str| {
        counted.fetch_add(1, Ordering::Relaxed);
        assert_ne!(key, "one", "the store has a fault");
        LookupFuture::from(projects().get(key).cloned())
    };
    let policy = UrlKey::new(project_of, panics).clock(clock.clone());
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    let mut unavailable = refused("origin", DenialKind::Unavailable);
    unavailable.status = 503;
    // It is remembered for a moment, as when the store is down.
    for calls_so_far in [1, 2] {
        for _ in 0..3 {
            let answer = ask(&layer, preflight("/api/one", PAGE, ""));
            assert_eq!(answer, refused(PREFLIGHT_VARY, DenialKind::Unavailable));
            assert_eq!(ask(&layer, actual("/api/one", PAGE, &[])), unavailable);
        }
        assert_eq!(calls.load(Ordering::Relaxed), calls_so_far);
        clock.wait(1);
    }
    assert_eq!(ask(&layer, preflight("/api/two", OTHER, "")).status, 204);
}

/// It would wait for ever, and hold its place. Another key may be asked for.
#[test]
fn url_key_lets_no_lookup_wait_for_itself() {
    let layer = Arc::new(OnceLock::<CorsLayer>::new());
    let own = Arc::clone(&layer);
    let look_up = move |key: &str| {
        let asked = match key {
            "one" => "/api/one",
            "two" => "/api/three",
            _ => return LookupFuture::from(projects().get("one").cloned()),
        };
        let layer = Arc::clone(&own);
        LookupFuture::new(async move {
            later().await;
            let inner = layer.get().unwrap().explain(&preflight(asked, PAGE, ""));
            if inner.await.is_allowed() {
                Lookup::Known(set(&[PAGE]))
            } else {
                Lookup::Unavailable
            }
        })
    };
    let (done, outcome) = std::sync::mpsc::channel();
    // In a thread of its own: it would not come back from a lock that it holds.
    std::thread::spawn(move || {
        let built = listed(CorsLayer::builder())
            .origin_policy(UrlKey::new(project_of, look_up))
            .build()
            .unwrap();
        let layer = layer.get_or_init(|| built);
        for uri in ["/api/one", "/api/two"] {
            done.send(ask(layer, preflight(uri, PAGE, "")).status)
                .unwrap();
        }
    });
    let next = || outcome.recv_timeout(Duration::from_secs(30));
    assert_eq!(next(), Ok(403));
    assert_eq!(next(), Ok(204));
}

#[derive(Default)]
struct CountedWaker(AtomicUsize);

impl Wake for CountedWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Anybody can send preflights for one slow key.
#[test]
fn url_key_wakes_each_of_many_once() {
    const WAITING: usize = 10_000;
    let wake: Arc<Mutex<Vec<Waker>>> = Arc::default();
    let (answers, polls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let policy = {
        let (wake, answers, polls) = (Arc::clone(&wake), Arc::clone(&answers), Arc::clone(&polls));
        UrlKey::new(project_of, move |_: &str| {
            let (wake, answers, polls) =
                (Arc::clone(&wake), Arc::clone(&answers), Arc::clone(&polls));
            LookupFuture::new(std::future::poll_fn(move |cx| {
                polls.fetch_add(1, Ordering::Relaxed);
                *wake.lock().unwrap() = vec![cx.waker().clone()];
                if answers.load(Ordering::Relaxed) > 0 {
                    Poll::Ready(Lookup::Known(set(&[PAGE])))
                } else {
                    Poll::Pending
                }
            }))
        })
    };
    let layer = listed(CorsLayer::builder())
        .origin_policy(policy)
        .build()
        .unwrap();
    let wait = |_| -> Pin<Box<dyn Future<Output = u16>>> {
        let mut service = layer.layer(Spy::default());
        let response = service.call(preflight("/api/one", PAGE, ""));
        Box::pin(async { response.await.unwrap().status().as_u16() })
    };
    let mut waiting: Vec<_> = (0..WAITING).map(wait).collect();
    let wakers: Vec<Arc<CountedWaker>> = (0..WAITING).map(|_| Arc::default()).collect();
    let woken = || -> Vec<usize> {
        let woken = wakers
            .iter()
            .map(|waker| waker.0.swap(0, Ordering::Relaxed));
        woken.collect()
    };
    let mut poll_all = || {
        let polled = waiting.iter_mut().zip(&wakers).map(|(future, waker)| {
            let waker = Waker::from(Arc::clone(waker));
            future.as_mut().poll(&mut Context::from_waker(&waker))
        });
        polled.filter(|polled| *polled == Poll::Ready(204)).count()
    };
    // Twice: a waker that is registered again takes the place of the earlier one.
    for _ in 0..2 {
        assert_eq!(poll_all(), 0);
    }
    assert_eq!(woken(), vec![0; WAITING]);
    let wake_all = || {
        let wakers = std::mem::take(&mut *wake.lock().unwrap());
        wakers.into_iter().for_each(Waker::wake);
    };
    wake_all();
    assert_eq!(woken(), vec![1; WAITING]);
    assert_eq!(poll_all(), 0);
    assert_eq!(polls.load(Ordering::Relaxed), 3 * WAITING);
    answers.store(1, Ordering::Relaxed);
    wake_all();
    assert_eq!(poll_all(), WAITING);
    // The first one drives the lookup to its end, and wakes itself, at most.
    assert_eq!(polls.load(Ordering::Relaxed), 3 * WAITING + 1);
    assert!(woken().into_iter().all(|times| times <= 2));
}
