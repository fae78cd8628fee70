//! Servers that take turns: what one of them costs is told as a ratio inside each round.

use std::{
    env,
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use http::HeaderMap;

use crate::{
    load::{self, Version},
    process::{median, nanoseconds, number},
    serve,
    subject::{FLOOR, NONE, Subject, subjects},
};

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
        Self {
            subject,
            address: serve::address(&mut process),
            process,
            headers: subject.headers(),
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
        let has_cors = self.subject.has_cors();
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
            let subject = server.subject;
            let each = median(&server.rounds);
            let of = |other: &str| {
                let is_other = |server: &&Server| {
                    server.subject.layer == other && server.subject.token == subject.token
                };
                let other = servers.iter().find(is_other).unwrap();
                let rounds = server.rounds.iter().zip(&other.rounds);
                median(&rounds.map(|(this, other)| this / other).collect::<Vec<_>>())
            };
            println!(
                "| {} | {subject} | {:.2} | {:.0} | {:.3} | {:.3} |",
                version.name(),
                each / 1e3,
                1e9 / each,
                of(NONE),
                of(FLOOR),
            );
        }
        servers.iter_mut().for_each(|server| server.rounds.clear());
    }
}
