//! Servers that take turns: what one of them costs is told as a ratio inside each round.

use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use http::{HeaderMap, HeaderValue, header};

use crate::{
    common::listed_origin,
    load::{self, Version},
    process::{median, nanoseconds, number},
};

/// The layer, how many origins it knows, and how many requests it gets of those that others get.
type Subject = (&'static str, usize, usize);

fn subjects() -> Vec<Subject> {
    let mut subjects = vec![
        ("none", 1, 1),
        ("two constant headers", 1, 1),
        ("tower-cors", 1, 1),
        ("tower-cors", 10_000, 1),
    ];
    if cfg!(feature = "trusted") {
        subjects.push(("tower-cors, registry", 10_000, 1));
    }
    if cfg!(feature = "token") {
        subjects.push(("tower-cors, known token", 10, 1));
    }
    // The last one walks its list for each request.
    subjects.extend([("tower-http", 1, 1), ("tower-http", 10_000, 10)]);
    subjects
}

struct Server {
    subject: Subject,
    process: Child,
    address: SocketAddr,
    headers: HeaderMap,
    /// Processor time of each round, in nanoseconds for each request.
    rounds: Vec<f64>,
}

impl Server {
    fn start(subject: Subject) -> Self {
        let (layer, origins, _) = subject;
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["serve", layer, &origins.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").unwrap();
        Self {
            subject,
            address: address.parse().unwrap(),
            process,
            headers: headers(layer, origins),
            rounds: Vec::new(),
        }
    }

    fn round(&mut self, version: Version, requests: usize) {
        let (layer, _, divisor) = self.subject;
        let requests = requests / divisor;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let process = self.process.id().to_string();
        let before = nanoseconds(&process);
        let has_cors = layer != "none";
        runtime.block_on(load::send(
            version,
            self.address,
            &self.headers,
            requests,
            has_cors,
        ));
        let used = nanoseconds(&process) - before;
        self.rounds.push(used as f64 / requests as f64);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The origin is the last one of the list, which every implementation has to find.
fn headers(layer: &str, origins: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let origin = HeaderValue::from_str(&listed_origin(origins - 1)).unwrap();
    headers.insert(header::HOST, HeaderValue::from_static("api.example.com"));
    headers.insert(header::ORIGIN, origin);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("bench"));
    if layer.ends_with("token") {
        let token = format!("Bearer {}", "eyJ0eXAi".repeat(88));
        headers.insert(header::AUTHORIZATION, token.parse().unwrap());
    }
    headers
}

pub(crate) fn print() {
    let (rounds, requests) = (number("ROUNDS", 11), number("REQUESTS", 16_000));
    let mut servers: Vec<Server> = subjects().into_iter().map(Server::start).collect();
    println!(
        "Medians of {rounds} alternating rounds of {requests} requests each; the server's \
         processor time.\n"
    );
    println!(
        "| | server, origins | µs for each request | requests a second | of none | of two constant headers |"
    );
    println!("|---|---|---:|---:|---:|---:|");
    for version in Version::BOTH {
        // The first round warms up.
        for round in 0..=rounds {
            for server in &mut servers {
                server.round(version, requests);
                if round == 0 {
                    server.rounds.clear();
                }
            }
        }
        for server in &servers {
            let (layer, origins, _) = server.subject;
            let each = median(&server.rounds);
            let of = |other: &Server| {
                let rounds = server.rounds.iter().zip(&other.rounds);
                median(&rounds.map(|(this, other)| this / other).collect::<Vec<_>>())
            };
            println!(
                "| {} | {layer}, {origins} | {:.2} | {:.0} | {:.3} | {:.3} |",
                version.name(),
                each / 1e3,
                1e9 / each,
                of(&servers[0]),
                of(&servers[1]),
            );
        }
        servers.iter_mut().for_each(|server| server.rounds.clear());
    }
}
