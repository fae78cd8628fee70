//! Everything that listens: the two hosts of the service, and the three sites.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::{Router, response::Html, routing::get};
use tokio::net::TcpListener;

use crate::{
    Error, hosts,
    platform::Platform,
    site::{self, Site},
};

pub(crate) struct Running {
    pub(crate) api: SocketAddr,
    pub(crate) messaging: SocketAddr,
    pub(crate) sites: Vec<Site>,
    pub(crate) platform: Arc<Platform>,
}

impl Running {
    /// Binds all ports, and serves them until the process ends.
    pub(crate) async fn start(listen: SocketAddr) -> Result<Self, Error> {
        let (api_listener, api) = bind(listen).await?;
        let (messaging_listener, messaging) = bind(SocketAddr::new(listen.ip(), 0)).await?;
        let platform = Arc::new(Platform::new()?);
        serve(messaging_listener, hosts::messaging(&platform, messaging)?);

        let mut listeners = Vec::new();
        let mut origins = Vec::new();
        for _ in site::NAMES {
            let (listener, address) = bind(SocketAddr::new(LOCALHOST, 0)).await?;
            origins.push(format!("http://{address}"));
            listeners.push(listener);
        }
        let sites = site::sites(reachable(api), &origins)?;
        // People open the first address that the program prints.
        let index = site::index(&sites);
        let index = Router::new().route("/", get(async move || Html(index)));
        let service = hosts::api(&platform, api, messaging)?;
        serve(api_listener, index.merge(service));
        for (listener, site) in listeners.into_iter().zip(&sites) {
            serve(listener, site.clone().router());
        }
        Ok(Self {
            api,
            messaging,
            sites,
            platform,
        })
    }
}

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Where this machine reaches an address, which may be all addresses.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::new(LOCALHOST, address.port())
    } else {
        address
    }
}

async fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("{error}");
        }
    });
}
