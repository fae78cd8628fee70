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

#[derive(Clone, Copy)]
struct Subject {
    layer: &'static str,
    /// How many origins it knows.
    origins: usize,
    /// Whether its requests carry a bearer token of 700 bytes, which costs something by itself.
    token: bool,
    /// It gets this part of the requests that others get.
    divisor: usize,
}

const NONE: &str = "none";
const FLOOR: &str = "two constant headers";

fn subjects() -> Vec<Subject> {
    let subject = |layer, origins, token| Subject {
        layer,
        origins,
        token,
        divisor: 1,
    };
    let mut subjects = vec![
        subject(NONE, 1, false),
        subject(FLOOR, 1, false),
        subject("tower-cors", 1, false),
        subject("tower-cors", 10_000, false),
    ];
    if cfg!(feature = "trusted") {
        subjects.push(subject("tower-cors, registry", 10_000, false));
    }
    subjects.extend([
        subject("tower-http", 1, false),
        // It walks its list for each request.
        Subject {
            divisor: 10,
            ..subject("tower-http", 10_000, false)
        },
    ]);
    if cfg!(feature = "token") {
        subjects.extend([
            subject(NONE, 1, true),
            subject(FLOOR, 1, true),
            subject("tower-cors, known token", 10, true),
        ]);
    }
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
        let Subject { layer, origins, .. } = subject;
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
            headers: headers(&subject),
            rounds: Vec::new(),
        }
    }

    fn round(&mut self, version: Version, requests: usize) {
        let requests = requests / self.subject.divisor;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let process = self.process.id().to_string();
        let before = nanoseconds(&process);
        let has_cors = self.subject.layer != NONE;
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
fn headers(subject: &Subject) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let origin = HeaderValue::from_str(&listed_origin(subject.origins - 1)).unwrap();
    headers.insert(header::HOST, HeaderValue::from_static("api.example.com"));
    headers.insert(header::ORIGIN, origin);
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("bench"));
    if subject.token {
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
            let Subject {
                layer,
                origins,
                token,
                ..
            } = server.subject;
            let each = median(&server.rounds);
            let of = |other: &str| {
                let is_other = |server: &&Server| {
                    server.subject.layer == other && server.subject.token == token
                };
                let other = servers.iter().find(is_other).unwrap();
                let rounds = server.rounds.iter().zip(&other.rounds);
                median(&rounds.map(|(this, other)| this / other).collect::<Vec<_>>())
            };
            println!(
                "| {} | {layer}, {origins}{} | {:.2} | {:.0} | {:.3} | {:.3} |",
                version.name(),
                if token { ", token sent" } else { "" },
                each / 1e3,
                1e9 / each,
                of(NONE),
                of(FLOOR),
            );
        }
        servers.iter_mut().for_each(|server| server.rounds.clear());
    }
}
