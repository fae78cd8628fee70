//! What the network or its server has to change.

use super::{Fix, call::call};
use crate::{
    cause::Cause,
    explain::Context,
    failure::{CertificateProblem, Said},
};

pub(super) fn of_the_network(context: &Context<'_>, cause: &Cause) -> Fix {
    // Not the first failure of all: the page of `--page` may fail as well.
    let url = context.url();
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    match cause {
        Cause::HostNotFound => Fix::new(format!(
            "The name {host} has no address: check its spelling, DNS, and whether it is known \
             outside of your network."
        )),
        Cause::ConnectionRefused => Fix::new(format!(
            "Nothing answers on port {port} of {host}: start the server, check port and address \
             that it listens on (0.0.0.0, not 127.0.0.1, for other machines and containers)."
        )),
        Cause::ConnectionClosed(Said::Nothing) => Fix::new(
            "The server closed the connection without an answer: look into its log for a panic or \
             a crash. In axum, CatchPanicLayer inside the CORS layer turns panics into answers.",
        )
        .code_if(
            context.is_tower(),
            "axum",
            "app.layer(CatchPanicLayer::new()).layer(cors)",
        ),
        Cause::ConnectionClosed(Said::NotTls) => Fix::new(format!(
            "On port {port} something answers that speaks neither HTTP nor TLS, as servers of SSH, \
             mail or databases do: check the port."
        )),
        Cause::ConnectionClosed(Said::NotHttp) => Fix::new(format!(
            "On port {port} something answers that does not speak HTTP: check the port. If it is \
             your server, look into its log for a panic or a crash."
        )),
        Cause::Timeout {
            is_preflight: true, ..
        } => Fix::new(format!(
            "The answer to OPTIONS {} hangs: let the CORS layer answer preflights before anything \
             waits.",
            url.path()
        )),
        Cause::Timeout {
            connecting: true, ..
        } => Fix::new(format!(
            "No connection to port {port} of {host}: a firewall drops it, or the server hangs. No \
             answer of a handler is waited for yet."
        )),
        Cause::Timeout { .. } => Fix::new(format!(
            "The answer of the handler of {} hangs: see what it waits for. With --timeout the \
             doctor waits longer.",
            url.path()
        )),
        Cause::Certificate(problem) => Fix::new(match problem {
            CertificateProblem::Authority => format!(
                "No authority that browsers trust has signed the certificate of {host}. Use one of \
                 a public authority, or trust yours on the machine (here with --cacert)."
            ),
            CertificateProblem::Expired => {
                format!("The certificate of {host} has expired, or is not valid yet: renew it.")
            }
            CertificateProblem::Name => format!(
                "The certificate is for another name than {host}: add the name to the certificate, \
                 or call the server by a name that it has."
            ),
            CertificateProblem::Other => {
                format!("The certificate of {host} is not valid: check its name, dates, authority.")
            }
        }),
        Cause::TlsMismatch { server_speaks_tls } => {
            let scheme = if *server_speaks_tls { "https" } else { "http" };
            let scheme = if url.scheme().starts_with("ws") {
                scheme.replace("http", "ws")
            } else {
                scheme.into()
            };
            let (_, rest) = url.as_str().split_once("://").unwrap_or_default();
            let better = format!("{scheme}://{rest}");
            Fix::new(format!(
                "Call {better}: on this port the server speaks {}.",
                if *server_speaks_tls {
                    "TLS"
                } else {
                    "plain HTTP, without TLS"
                }
            ))
            .code("page", call(context.case, &better))
        }
        _ => Fix::default(),
    }
}
