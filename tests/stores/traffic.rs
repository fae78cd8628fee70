use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use axum::{Router, routing::get};
use reqwest::Client;
use tokio::{net::TcpListener, task::JoinHandle};
use tower_cors::{CorsLayer, trusted::registry::OriginRegistry};

/// A service with a registry, and pages that call it without a pause.
pub(crate) struct Traffic {
    requests: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    pages: Vec<JoinHandle<Vec<String>>>,
}

impl Traffic {
    /// Calls by a page that is trusted all the time, and by one that never is.
    pub(crate) async fn start(origins: OriginRegistry, trusted: &str) -> Self {
        let cors = CorsLayer::builder().origin_policy(origins).build().unwrap();
        let router = Router::new().route("/", get(async || "hello")).layer(cors);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut load = Self {
            requests: Arc::default(),
            stop: Arc::default(),
            pages: Vec::new(),
        };
        for (origin, status) in [(trusted, 200), ("https://stranger.example.com", 403)] {
            let page = Page {
                url: url.clone(),
                origin: origin.to_owned(),
                status,
                requests: Arc::clone(&load.requests),
                stop: Arc::clone(&load.stop),
            };
            load.pages.push(tokio::spawn(page.call()));
        }
        load
    }

    /// How many requests were answered so far.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// Fails if any request has failed.
    pub(crate) async fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        for page in self.pages {
            assert_eq!(page.await.unwrap(), [""; 0]);
        }
    }
}

struct Page {
    url: String,
    origin: String,
    status: u16,
    requests: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Page {
    async fn call(self) -> Vec<String> {
        let client = Client::builder().no_proxy().build().unwrap();
        let mut failures = Vec::new();
        while !self.stop.load(Ordering::SeqCst) {
            let request = client.get(&self.url).header("origin", &self.origin);
            match request.header("cookie", "session=1").send().await {
                Ok(answer) => {
                    let granted = answer.headers().get("access-control-allow-origin");
                    let is_granted = granted.is_some_and(|granted| *granted == *self.origin);
                    if answer.status() != self.status || is_granted != (self.status == 200) {
                        failures.push(format!("{} {}: {answer:?}", self.origin, self.status));
                    }
                }
                Err(error) => failures.push(error.to_string()),
            }
            self.requests.fetch_add(1, Ordering::SeqCst);
        }
        failures
    }
}
