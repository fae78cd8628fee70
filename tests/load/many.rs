//! Many connections whose verdicts are all waited for at the same time.

use std::{
    convert::Infallible,
    env,
    net::SocketAddr,
    process::{Child, Command},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt, future::join_all, stream};
use http::Request;
use hyper::body::Incoming;
use tokio::sync::watch;
use tower::{Layer, service_fn};
use tower_cors::{CorsLayer, CorsRequest, DeniedRequests, Verdict, VerdictFuture, policy_fn};

use crate::{
    Scale,
    scene::{Answer, Calls, Client, Version, eventually, get, serve, two_threads},
};

/// The first argument of the process that plays the clients.
pub(crate) const CLIENTS: &str = "clients";
/// Streams of one HTTP/2 connection, below what hyper's server admits.
const STREAMS: usize = 100;
/// Requests of each client, one after the other.
const ROUNDS: usize = 3;

pub(crate) fn http1(scale: Scale) -> String {
    play(Version::Http1, scale.of(200, 10_000))
}

pub(crate) fn http2(scale: Scale) -> String {
    play(Version::Http2, scale.of(1_000, 10_000))
}

fn play(version: Version, clients: usize) -> String {
    let calls = Calls::default();
    let asked = Arc::new(AtomicUsize::new(0));
    let runtime = two_threads();
    let most_at_once = runtime.block_on(async {
        let gate = watch::Sender::new(false);
        let cors = CorsLayer::builder()
            .origin_policy(gated(&gate, &asked))
            .denied_requests(DeniedRequests::Refuse)
            .build()
            .unwrap();
        let inner = {
            let calls = calls.clone();
            service_fn(move |request: Request<Incoming>| {
                let response = calls.answer(&request);
                async { Ok::<_, Infallible>(response) }
            })
        };
        let address = serve(cors.layer(inner)).await;
        let mut others = start_clients(version, address, clients);
        eventually("every client waits for its verdict", || {
            let has_failed = others.try_wait().unwrap().is_some();
            assert!(!has_failed, "the clients have ended early");
            asked.load(Ordering::SeqCst) == clients
        })
        .await;
        assert_eq!(calls.in_all(), 0, "no request passes its verdict");
        let most_at_once = asked.load(Ordering::SeqCst);
        gate.send_replace(true);
        let ended = tokio::task::spawn_blocking(move || others.wait().unwrap());
        assert!(ended.await.unwrap().success(), "the clients have failed");
        most_at_once
    });
    assert_eq!(asked.load(Ordering::SeqCst), clients * ROUNDS);
    for client in 0..clients {
        for round in 0..ROUNDS {
            let expected = usize::from(is_allowed(client));
            let path = path(client, round);
            assert_eq!(calls.of(&path), expected, "{path}");
        }
    }
    assert_eq!(calls.in_all(), clients.div_ceil(2) * ROUNDS);
    format!(
        "{most_at_once} wait at once; {} requests, each answered for its own origin; each inner \
         call once",
        clients * ROUNDS
    )
}

/// Allows every other page, once the gate is open.
fn gated(gate: &watch::Sender<bool>, asked: &Arc<AtomicUsize>) -> impl tower_cors::OriginPolicy {
    let (gate, asked) = (gate.clone(), Arc::clone(asked));
    policy_fn(move |request: &CorsRequest<'_>| {
        let origin = request.origin().tuple().unwrap().as_str();
        let number = origin.trim_start_matches(|c: char| !c.is_ascii_digit());
        let number = number.strip_suffix(".example").unwrap().parse().unwrap();
        let mut gate = gate.subscribe();
        let asked = Arc::clone(&asked);
        VerdictFuture::new(async move {
            asked.fetch_add(1, Ordering::SeqCst);
            gate.wait_for(|is_open| *is_open).await.unwrap();
            Verdict::from(is_allowed(number))
        })
    })
}

fn is_allowed(client: usize) -> bool {
    client.is_multiple_of(2)
}

fn origin(client: usize) -> String {
    format!("https://page-{client}.example")
}

fn path(client: usize, round: usize) -> String {
    format!("/{client}/{round}")
}

fn start_clients(version: Version, address: SocketAddr, clients: usize) -> Child {
    let version = match version {
        Version::Http1 => "1",
        Version::Http2 => "2",
    };
    let (address, clients) = (address.to_string(), clients.to_string());
    Command::new(env::current_exe().unwrap())
        .args([CLIENTS, version, &address, &clients])
        .spawn()
        .unwrap()
}

/// What the other process does.
pub(crate) fn be_clients(args: &[String]) {
    let [version, address, clients] = args else {
        panic!("unexpected arguments: {args:?}");
    };
    let address = address.parse().unwrap();
    let clients = clients.parse().unwrap();
    two_threads().block_on(async {
        if version == "1" {
            clients_of_http1(address, clients).await;
        } else {
            clients_of_http2(address, clients).await;
        }
    });
}

/// All connections are there before the first request is sent.
async fn clients_of_http1(address: SocketAddr, clients: usize) {
    // No more at once than the listener's queue holds.
    let connections = stream::iter(0..clients)
        .map(|_| Client::connect(Version::Http1, address))
        .buffered(64);
    let connections: Vec<Client> = connections.collect().await;
    let pages = connections.into_iter().enumerate();
    let pages = pages.map(|(number, client)| tokio::spawn(page(address, client, number)));
    for page in join_all(pages).await {
        page.unwrap();
    }
}

async fn clients_of_http2(address: SocketAddr, clients: usize) {
    let mut pages = Vec::new();
    for first in (0..clients).step_by(STREAMS) {
        let Client::Http2(connection) = Client::connect(Version::Http2, address).await else {
            panic!("HTTP/2 was asked for");
        };
        for number in first..clients.min(first + STREAMS) {
            let client = Client::Http2(connection.clone());
            pages.push(tokio::spawn(page(address, client, number)));
        }
    }
    for page in join_all(pages).await {
        page.unwrap();
    }
}

async fn page(address: SocketAddr, mut client: Client, number: usize) {
    for round in 0..ROUNDS {
        let (origin, path) = (origin(number), path(number, round));
        let answer = client.ask(get(address, &path, &origin)).await.unwrap();
        let expected = if is_allowed(number) {
            Answer {
                status: 200,
                origin: Some(origin),
                exposed: None,
                body: path.into(),
            }
        } else {
            Answer {
                status: 403,
                origin: None,
                exposed: None,
                body: Default::default(),
            }
        };
        assert_eq!(answer, expected);
    }
}
