//! Servers with TLS.

use std::{net::SocketAddr, sync::Arc};

use rcgen::KeyPair;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
    server::TlsStream,
};

/// Grants everybody everything, by HTTP/1.1 or h2.
pub(crate) async fn tls(certificate: &CertificateDer<'static>, key: &KeyPair) -> SocketAddr {
    tls_stream(certificate, key, |stream| async move {
        let service = hyper::service::service_fn(
            |request: http::Request<hyper::body::Incoming>| async move {
                let version = format!("{:?}", request.version());
                http::Response::builder()
                    .header("access-control-allow-origin", "*")
                    .header("x-version", version)
                    .body(String::new())
            },
        );
        let io = hyper_util::rt::TokioIo::new(stream);
        let executor = hyper_util::rt::TokioExecutor::new();
        let _ = hyper_util::server::conn::auto::Builder::new(executor)
            .serve_connection(io, service)
            .await;
    })
    .await
}

/// Leaves all that is inside TLS to `serve`; h2 is preferred.
pub(crate) async fn tls_stream<F, R>(
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
    serve: F,
) -> SocketAddr
where
    F: Fn(TlsStream<TcpStream>) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, serve) = (acceptor.clone(), serve.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream).await;
                }
            });
        }
    });
    address
}
