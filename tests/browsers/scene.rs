use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    extract::Request,
    http::Method,
    middleware::{Next, from_fn},
    response::Html,
    routing::get,
};
use tokio::net::TcpListener;

/// A server of the test, on a port of its own.
pub(crate) struct Scene {
    pub(crate) port: u16,
    preflights: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Scene {
    /// A server without anything but a blank page.
    pub(crate) async fn blank() -> Self {
        let page = "<!doctype html><link rel=icon href='data:,'><title>A page</title>";
        Self::serve(Router::new().route("/", get(async move || Html(page)))).await
    }

    /// Counts what arrives, before the router sees it.
    pub(crate) async fn serve(router: Router) -> Self {
        let preflights = Arc::new(AtomicUsize::new(0));
        let requests = Arc::new(AtomicUsize::new(0));
        let counters = (Arc::clone(&preflights), Arc::clone(&requests));
        let count = from_fn(move |request: Request, next: Next| {
            let counter = match *request.method() {
                Method::OPTIONS => &counters.0,
                _ => &counters.1,
            };
            counter.fetch_add(1, Ordering::SeqCst);
            next.run(request)
        });
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        tokio::spawn(async move { axum::serve(listener, router.layer(count)).await });
        Self {
            port,
            preflights,
            requests,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.url_at("127.0.0.1", path)
    }

    /// The same server by another name.
    pub(crate) fn url_at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    pub(crate) fn preflights(&self) -> usize {
        self.preflights.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}
