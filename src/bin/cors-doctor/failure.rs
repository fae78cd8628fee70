use std::fmt;

use tokio_rustls::rustls::{self, CertificateError};

/// Why there is no HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    HostNotFound(String),
    Refused(String),
    /// The connection ended without an answer.
    Closed(String),
    /// Something came, and it was not HTTP.
    NotHttp(String),
    /// `https:` to a server of another protocol: what came was neither TLS nor HTTP.
    NotTls(String),
    Timeout {
        connecting: bool,
        seconds: u64,
    },
    Certificate(CertificateProblem, String),
    /// `https:` to a server without TLS, or the reverse.
    TlsMismatch {
        server_speaks_tls: bool,
    },
    /// TLS that fails for another reason.
    Tls(String),
}

/// What a server said before its connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Nothing,
    NotHttp,
    /// In answer to TLS.
    NotTls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateProblem {
    Authority,
    Expired,
    Name,
    Other,
}

impl Failure {
    /// The failure of a TLS handshake.
    pub(crate) fn of_tls(error: &std::io::Error) -> Self {
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(problem)) => {
                Self::Certificate(CertificateProblem::of(problem), problem.to_string())
            }
            Some(other) => Self::Tls(other.to_string()),
            None if is_end(error) => Self::Closed("closed during the TLS handshake".into()),
            None => Self::Tls(error.to_string()),
        }
    }

    /// The failure of an exchange over a connection that stands.
    pub(crate) fn of_http(error: &hyper::Error) -> Self {
        let text = with_sources(error);
        if error.is_parse() {
            Self::NotHttp(text)
        } else {
            Self::Closed(text)
        }
    }
}

impl CertificateProblem {
    fn of(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::Expired,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::Name
            }
            CertificateError::UnknownIssuer => Self::Authority,
            // A certificate of an authority that a server presents as its own is most often signed
            // by itself. webpki has no variant for it in rustls.
            CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                Self::Authority
            }
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostNotFound(text) => write!(f, "host not found: {text}"),
            Self::Refused(text) => write!(f, "connection refused: {text}"),
            Self::Closed(text) => write!(f, "connection closed without an answer: {text}"),
            Self::NotHttp(text) => write!(f, "the answer is not HTTP: {text}"),
            Self::NotTls(text) => write!(f, "the answer is neither TLS nor HTTP: {text}"),
            Self::Timeout {
                connecting: true,
                seconds,
            } => {
                write!(f, "no connection within {seconds} s")
            }
            Self::Timeout {
                connecting: false,
                seconds,
            } => {
                write!(f, "no answer within {seconds} s")
            }
            Self::Certificate(_, text) => write!(f, "certificate: {text}"),
            Self::TlsMismatch {
                server_speaks_tls: true,
            } => f.write_str("the server speaks TLS, and the URL says http"),
            Self::TlsMismatch {
                server_speaks_tls: false,
            } => f.write_str("the server answers in plain text, and the URL says https"),
            Self::Tls(text) => write!(f, "TLS: {text}"),
        }
    }
}

fn is_end(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
