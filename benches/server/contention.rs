//! One layer under several threads: a request counts the references to its configuration up and
//! down, which the threads share.

use std::{
    future::Future,
    pin::pin,
    sync::{Barrier, Mutex},
    task::{Context, Waker},
    thread,
    time::Instant,
};

use http::Request;
use tower::{Layer, Service};
use tower_cors::{Cors, CorsLayer};

use crate::{
    common::{Config, Inner, Origins, build_layer, listed_origin},
    process::{median, nanoseconds, number},
};

#[derive(Clone, Copy)]
enum Sharing {
    /// Each thread has a service of one layer.
    Services,
    /// Each thread makes a service of the one layer for each request.
    Layer,
    /// Each thread has a layer of its own, with the same configuration.
    Nothing,
}

impl Sharing {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Services, "a clone of one service for each thread"),
        (Self::Layer, "one layer, a service for each request"),
        (Self::Nothing, "a layer for each thread"),
    ];
}

fn layer() -> CorsLayer {
    build_layer(&Config::new(Origins::List(10)))
}

/// Requests per second by the clock, and nanoseconds of processor time for each.
fn round(sharing: Sharing, threads: usize, requests: usize) -> (f64, f64) {
    let shared = layer();
    let (barrier, used) = (Barrier::new(threads + 1), Mutex::new(0));
    let begun = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let layer = match sharing {
                    Sharing::Services | Sharing::Layer => shared.clone(),
                    Sharing::Nothing => layer(),
                };
                let mut service = layer.layer(Inner::<()>::new(None));
                let request = Request::get("/orders").header("origin", listed_origin(9));
                let request = request.body(()).unwrap();
                barrier.wait();
                let before = nanoseconds("thread-self");
                for _ in 0..requests / threads {
                    match sharing {
                        Sharing::Layer => ask(&mut shared.layer(Inner::new(None)), request.clone()),
                        Sharing::Services | Sharing::Nothing => ask(&mut service, request.clone()),
                    }
                }
                *used.lock().unwrap() += nanoseconds("thread-self") - before;
            });
        }
        barrier.wait();
        Instant::now()
    });
    let elapsed = begun.elapsed().as_secs_f64();
    let used = used.into_inner().unwrap();
    (requests as f64 / elapsed, used as f64 / requests as f64)
}

fn ask(service: &mut Cors<Inner<()>>, request: Request<()>) {
    let mut cx = Context::from_waker(Waker::noop());
    let response = pin!(service.call(request));
    assert!(response.poll(&mut cx).is_ready());
}

pub(crate) fn print() {
    // Many for each thread: Linux adds up the time of a thread that runs a few hundred times in a
    // second only.
    let (rounds, requests) = (number("ROUNDS", 11), number("THREAD_REQUESTS", 2_000_000));
    println!(
        "\n| shared by the threads | threads | requests a second by the clock | ns of processor time for each | of one thread |"
    );
    println!("|---|---:|---:|---:|---:|");
    for (sharing, name) in Sharing::ALL {
        let mut measured = [1, 2, 4].map(|threads| (threads, Vec::new(), Vec::new()));
        for _ in 0..rounds {
            for (threads, rates, times) in &mut measured {
                let (rate, time) = round(sharing, *threads, requests);
                rates.push(rate);
                times.push(time);
            }
        }
        let alone = measured[0].2.clone();
        for (threads, rates, times) in &measured {
            let ratios = times.iter().zip(&alone).map(|(time, alone)| time / alone);
            println!(
                "| {name} | {threads} | {:.0} | {:.0} | {:.2} |",
                median(rates),
                median(times),
                median(&ratios.collect::<Vec<_>>()),
            );
        }
    }
}
