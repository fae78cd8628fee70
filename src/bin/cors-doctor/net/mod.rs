//! The wire: names, connections, TLS and HTTP, all of it within bounds.
//!
//! Nothing here knows CORS.

mod connect;
mod http_client;
mod tls;
mod transport;
mod watched;

pub(crate) use self::{
    connect::{ConnectTo, is_loopback_host, is_private},
    tls::Tls,
    transport::{Reading, Transport},
};
