//! The layers beside CORS: a form and a WebSocket of another site, and a name that was rebound.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::ws::WebSocketUpgrade,
    response::Html,
    routing::{any, get, post},
};
use serde_json::json;
use tokio::time::sleep;
use tower_cors::{fetch_metadata::FetchMetadataLayer, host::HostLayer};

use crate::{
    browser::{FAILED, PATIENCE, Window, in_browser},
    engine::{Engine, in_each_engine},
    scene::Scene,
};

in_each_engine! {
    forms_and_sockets_of_other_sites_are_refused,
    a_name_that_was_rebound_is_refused,
}

/// A page with a form that posts to the URL in the query, into this window.
const FORM: &str = "<!doctype html><link rel=icon href='data:,'><title>A form</title>
    <a id=link>link</a>
    <form method=post><button id=send>send</button></form>
    <script>
        const to = new URLSearchParams(location.search).get('to');
        document.forms[0].action = to;
        document.getElementById('link').href = to;
    </script>";

fn pages() -> Router {
    Router::new().route("/form", get(async || Html(FORM)))
}

/// A service with the check of where requests come from, which counts the calls of its handlers. It
/// serves the page with the form, too.
struct Checked {
    scene: Scene,
    transfers: Arc<AtomicUsize>,
}

impl Checked {
    async fn serve(layer: FetchMetadataLayer) -> Self {
        let transfers = Arc::new(AtomicUsize::new(0));
        let count = || {
            let transfers = Arc::clone(&transfers);
            async move || {
                transfers.fetch_add(1, Ordering::SeqCst);
                Html("<!doctype html><link rel=icon href='data:,'>done")
            }
        };
        // Stays open until the page closes it.
        let socket = async |upgrade: WebSocketUpgrade| {
            upgrade.on_upgrade(async |mut socket| while socket.recv().await.is_some() {})
        };
        let router = pages()
            .route("/transfer", post(count()).get(count()))
            .route("/socket", any(socket));
        Self {
            scene: Scene::serve(router.layer(layer)).await,
            transfers,
        }
    }

    /// Submits the page's form to this service, and says whether its handler was called.
    async fn takes_form(&self, window: &Window, page: &str) -> bool {
        self.takes(window, page, "#send").await
    }

    /// The same for a link.
    async fn takes_link(&self, window: &Window, page: &str) -> bool {
        self.takes(window, page, "#link").await
    }

    async fn takes(&self, window: &Window, page: &str, css: &str) -> bool {
        let to = self.scene.url("/transfer");
        window.open(&format!("{page}?to={to}")).await;
        let (requests, transfers) = (self.scene.requests(), self.transfers.load(Ordering::SeqCst));
        // In the next task, since Firefox fails a click that ends at an answer without a body.
        let click = format!("setTimeout(() => document.querySelector('{css}').click())");
        let clicked = window.client.execute(&click, vec![]).await;
        clicked.expect("the script runs");
        // The answer is made before it can arrive, so whatever has been called was called by then.
        let deadline = Instant::now() + PATIENCE;
        while self.scene.requests() == requests {
            assert!(Instant::now() < deadline, "the request does not arrive");
            sleep(Duration::from_millis(50)).await;
        }
        window.open("about:blank").await;
        self.transfers.load(Ordering::SeqCst) > transfers
    }

    /// Whether a socket of the page opens.
    async fn opens_to(&self, window: &Window, page: &str) -> bool {
        window.open(page).await;
        let script = "return new Promise((resolve) => {
            const socket = new WebSocket(args[0]);
            socket.onopen = () => { resolve('open'); socket.close(); };
            socket.onclose = () => resolve('refused');
        });";
        let url = self.scene.url("/socket").replace("http://", "ws://");
        let outcome = window.run(script, vec![json!(url)]).await;
        assert!(outcome == "open" || outcome == "refused", "{outcome}");
        outcome == "open"
    }
}

async fn forms_and_sockets_of_other_sites_are_refused(engine: Engine) {
    let elsewhere = Scene::serve(pages()).await;
    let closed = Checked::serve(FetchMetadataLayer::builder().build().unwrap()).await;
    let trusted = FetchMetadataLayer::builder().allow_origins([elsewhere.url("")]);
    let trusting = Checked::serve(trusted.build().unwrap()).await;
    in_browser(engine, move |window| async move {
        // `localhost` is another site than `127.0.0.1`, where the services are.
        let other_site = elsewhere.url_at("localhost", "/form");
        let other_origin = elsewhere.url("/form");
        let own = closed.scene.url("/form");
        for (page, passes) in [(&other_site, false), (&other_origin, false), (&own, true)] {
            assert_eq!(closed.takes_form(&window, page).await, passes, "{page}");
            assert_eq!(closed.opens_to(&window, page).await, passes, "{page}");
            // A link is followed from wherever it is.
            assert!(closed.takes_link(&window, page).await, "{page}");
        }
        for (page, passes) in [(&other_origin, true), (&other_site, false)] {
            assert_eq!(trusting.takes_form(&window, page).await, passes, "{page}");
            assert_eq!(trusting.opens_to(&window, page).await, passes, "{page}");
        }
    })
    .await;
}

/// `localhost` stands for a name whose owner has it point at the service: the page loads from it, so
/// it is of the same origin, and the check of where requests come from lets it pass.
async fn a_name_that_was_rebound_is_refused(engine: Engine) {
    let layer = |host: &str| HostLayer::builder().allow_hosts([host]).build().unwrap();
    let check = || FetchMetadataLayer::builder().build().unwrap();
    let secret = || Router::new().route("/secret", get(async || "secret"));
    let careless = Scene::serve(pages().merge(secret().layer(check()))).await;
    let guarded = secret().layer(check()).layer(layer("127.0.0.1:*"));
    let careful = Scene::serve(pages().merge(guarded)).await;
    in_browser(engine, move |window| async move {
        for (service, rebound) in [(&careless, 200), (&careful, 421)] {
            window.open(&service.url_at("localhost", "/form")).await;
            let answer = window.fetch("/secret", json!({})).await;
            assert_eq!(answer["status"], rebound);
            window.open(&service.url("/form")).await;
            let answer = window.fetch("/secret", json!({})).await;
            assert_eq!(answer, json!({ "status": 200, "text": "secret" }));
        }
        // Over its right name, another site reads nothing anyway.
        window.open(&careful.url_at("localhost", "/form")).await;
        let answer = window.fetch(&careful.url("/secret"), json!({})).await;
        assert_eq!(answer, FAILED);
    })
    .await;
}
