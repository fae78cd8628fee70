use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::Request,
    middleware::{Next, from_fn},
};
use http::{HeaderMap, Method};
use tokio::{net::TcpListener, task::JoinHandle};

/// A server of axum on a port of its own, which remembers what it was asked.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: JoinHandle<()>,
}

#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
}

impl Server {
    pub(crate) async fn start(router: Router) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let app = router.layer(from_fn({
            let seen = Arc::clone(&seen);
            move |request: Request, next: Next| {
                seen.lock().unwrap().push(Seen {
                    method: request.method().clone(),
                    headers: request.headers().clone(),
                });
                next.run(request)
            }
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self {
            address,
            seen,
            task,
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
