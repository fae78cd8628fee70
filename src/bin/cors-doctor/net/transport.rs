//! [`Transport`]: sends one request, and says what became of it within the time.

use std::{
    net::IpAddr,
    time::{Duration, Instant as Clock},
};

use tokio::time::{Instant, timeout_at};

use super::{
    connect::{self, ConnectTo},
    http_client,
    tls::Tls,
    watched::{Seen, Watched},
};
use crate::{
    exchange::{Answer, Sent},
    failure::Failure,
};

#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) connect_to: Vec<ConnectTo>,
    pub(crate) tls: Tls,
    /// For each exchange.
    pub(crate) timeout: Duration,
}

/// What is wanted of an answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Its beginning, if that comes at once.
    Answer,
    /// All of it, up to the bound: a page, whose policy may stand in it.
    Page,
}

#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) result: Result<Answer, Failure>,
    pub(crate) ms: u128,
    pub(crate) address: Option<IpAddr>,
}

impl Transport {
    pub(crate) async fn send(&self, sent: &Sent, reading: Reading, timeout: Duration) -> Received {
        let start = Clock::now();
        let until = Instant::now() + timeout;
        let mut address = None;
        let result = self
            .exchange(sent, reading, timeout, until, &mut address)
            .await;
        Received {
            result,
            ms: start.elapsed().as_millis(),
            address,
        }
    }

    async fn exchange(
        &self,
        sent: &Sent,
        reading: Reading,
        timeout: Duration,
        until: Instant,
        found: &mut Option<IpAddr>,
    ) -> Result<Answer, Failure> {
        let seconds = timeout.as_secs();
        let late = |connecting| {
            move |_| Failure::Timeout {
                connecting,
                seconds,
            }
        };
        let url = &sent.url;
        let (addresses, is_rerouted) = timeout_at(until, connect::resolve(url, &self.connect_to))
            .await
            .map_err(|_| {
                let host = url.host_str().unwrap_or_default();
                Failure::HostNotFound(format!("no answer for {host} within {seconds} s"))
            })??;
        let (stream, address) = timeout_at(until, connect::connect(&addresses))
            .await
            .map_err(late(true))??;
        if !is_rerouted {
            *found = Some(address.ip());
        }
        // Small requests in one packet; the answer is waited for anyway.
        let _ = stream.set_nodelay(true);

        let seen = Seen::default();
        let watched = Watched::new(stream, seen.clone());
        let exchange = async {
            if matches!(url.scheme(), "https" | "wss") {
                let is_handshake = sent.header("upgrade").is_some();
                let protocols: &[&[u8]] = if is_handshake {
                    &[b"http/1.1"]
                } else {
                    &[b"h2", b"http/1.1"]
                };
                let (connector, name) = self
                    .tls
                    .connector(url, protocols)
                    .map_err(|error| Failure::of_tls(&error))?;
                let stream = connector.connect(name, watched).await.map_err(|error| {
                    if seen.is_http() {
                        Failure::TlsMismatch {
                            server_speaks_tls: false,
                        }
                    } else if !seen.is_empty() && !seen.is_tls() {
                        Failure::NotTls(format!("it begins with {}", seen.quoted()))
                    } else {
                        Failure::of_tls(&error)
                    }
                })?;
                let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                http_client::send(stream, is_h2, sent).await
            } else {
                http_client::send(watched, false, sent)
                    .await
                    .map_err(|failure| {
                        if seen.is_tls() {
                            Failure::TlsMismatch {
                                server_speaks_tls: true,
                            }
                        } else if !seen.is_empty() && !seen.is_http() {
                            Failure::NotHttp(format!("it begins with {}", seen.quoted()))
                        } else {
                            failure
                        }
                    })
            }
        };
        let (response, _connection) = timeout_at(until, exchange).await.map_err(late(false))??;
        Ok(http_client::read(response, reading, until).await)
    }
}
