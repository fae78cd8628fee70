//! Everything that listens: the replicas, and the two sites.

use std::{io, net::SocketAddr, sync::Arc};

use axum::Router;
use tokio::net::TcpListener;

use crate::{
    Error, Options,
    access::AdminHosts,
    admin,
    backend::Backend,
    demo::{self, Site},
    peers::Peers,
    replica::Replica,
    service,
};

pub(crate) struct Running {
    pub(crate) replicas: Vec<Arc<Replica>>,
    pub(crate) sites: Vec<Site>,
}

impl Running {
    /// Binds all ports, and serves them until the process ends.
    pub(crate) async fn start(options: &Options) -> Result<Self, Error> {
        let backend = Backend::open(&options.store).await?;
        let mut listeners = Vec::new();
        let mut replicas = Vec::new();
        for index in 0..options.replicas {
            let port = if index == 0 { options.listen.port() } else { 0 };
            let (listener, address) = bind(SocketAddr::new(options.listen.ip(), port)).await?;
            listeners.push(listener);
            replicas.push(Replica::start(address, backend.connect()?).await);
        }
        let all = Arc::new(replicas.clone());
        let token = &options.admin_token;
        let peers = Peers::new(&options.peers, token.clone())?;
        let hosts = AdminHosts::new(&options.hosts);
        for (listener, replica) in listeners.into_iter().zip(&replicas) {
            let admin = admin::router(
                Arc::clone(replica),
                Arc::clone(&all),
                peers.clone(),
                token.clone(),
                hosts.clone(),
            );
            serve(listener, service::router(replica)?.merge(admin));
        }
        let mut sites = Vec::new();
        for name in ["trusted", "untrusted"] {
            let (listener, address) = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
            let site = Site::new(name, address);
            serve(listener, demo::router(&site, &replicas));
            sites.push(site);
        }
        Ok(Self { replicas, sites })
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
