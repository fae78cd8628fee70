//! TLS with the platform's authorities, one more, or without any check.

use std::{
    io,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use tokio_rustls::{
    TlsConnector,
    rustls::{
        CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
        SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
            verify_server_name,
        },
        crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
        server::ParsedCertificate,
    },
};
use url::Url;

/// What to trust; read when the first connection needs it.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    authorities: Vec<CertificateDer<'static>>,
    unchecked: bool,
    ready: OnceLock<Arc<ClientConfig>>,
}

impl Tls {
    /// # Errors
    ///
    /// The text is no PEM, or has no certificate.
    pub(crate) fn new(pem: Option<&[u8]>, unchecked: bool) -> Result<Self, String> {
        let authorities = match pem {
            Some(pem) => CertificateDer::pem_slice_iter(pem)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| error.to_string())?,
            None => Vec::new(),
        };
        if pem.is_some() && authorities.is_empty() {
            return Err("no certificate in it".into());
        }
        Ok(Self {
            authorities,
            unchecked,
            ready: OnceLock::new(),
        })
    }

    /// A connector that offers `protocols`, and the URL's host as the name to check.
    pub(super) fn connector(
        &self,
        url: &Url,
        protocols: &[&[u8]],
    ) -> io::Result<(TlsConnector, ServerName<'static>)> {
        let base = match self.ready.get() {
            Some(ready) => ready,
            None => {
                let made = self.configure().map_err(io::Error::other)?;
                self.ready.get_or_init(|| Arc::new(made))
            }
        };
        let mut config = ClientConfig::clone(base);
        config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = match bare.parse::<IpAddr>() {
            Ok(address) => ServerName::from(address),
            Err(_) => ServerName::try_from(bare.to_owned()).map_err(io::Error::other)?,
        };
        Ok((TlsConnector::from(Arc::new(config)), name))
    }

    fn configure(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier {
            platform: (!self.unchecked)
                .then(|| self.platform(&provider))
                .flatten(),
            own: self.authorities.clone(),
            unchecked: self.unchecked,
            provider: Arc::clone(&provider),
        };
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }

    /// `None` on a machine without any authority, where nothing is trusted.
    fn platform(&self, provider: &Arc<CryptoProvider>) -> Option<Arc<WebPkiServerVerifier>> {
        let mut roots = RootCertStore::empty();
        // Stores have certificates that cannot be read; the others count.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots.add_parsable_certificates(self.authorities.iter().cloned());
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .ok()
    }
}

#[derive(Debug)]
struct Verifier {
    platform: Option<Arc<WebPkiServerVerifier>>,
    own: Vec<CertificateDer<'static>>,
    unchecked: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.unchecked {
            return Ok(ServerCertVerified::assertion());
        }
        let Some(platform) = &self.platform else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        let verified =
            platform.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // What `openssl req -x509` makes is an authority and a server's certificate at once.
            // webpki refuses the mixture; browsers accept it where it was trusted by hand.
            Err(Error::InvalidCertificate(CertificateError::Other(other)))
                if other.to_string().contains("CaUsedAsEndEntity")
                    && self.own.iter().any(|own| own == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
