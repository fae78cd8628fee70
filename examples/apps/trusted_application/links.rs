//! Absolute links, to the host that the client has reached.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{
        Uri,
        header::HOST,
        request::Parts,
        uri::{Authority, PathAndQuery},
    },
};

/// Where a host of the service listens, for clients that do not say whom they have asked.
#[derive(Clone, Copy)]
pub(crate) struct Listening(pub(crate) SocketAddr);

/// The authority that the client has asked.
pub(crate) struct Asked(Authority);

impl Asked {
    /// The link to a path, which may have a query.
    pub(crate) fn link(&self, path: &str) -> String {
        format!("http://{}{path}", self.0)
    }

    /// The link to the target of a request.
    pub(crate) fn link_to(&self, uri: &Uri) -> String {
        self.link(uri.path_and_query().map_or("/", PathAndQuery::as_str))
    }

    /// The link to a path at another port of the same host.
    pub(crate) fn link_at(&self, port: u16, path: &str) -> String {
        format!("http://{}:{port}{path}", self.0.host())
    }
}

impl<S> FromRequestParts<S> for Asked
where
    S: Send + Sync,
    Listening: FromRef<S>,
{
    type Rejection = Infallible;

    /// RFC 9112, section 3.2: the authority of the target, else the one in `Host`.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let named = || Authority::try_from(parts.headers.get(HOST)?.as_bytes()).ok();
        let asked = parts.uri.authority().cloned().or_else(named);
        let Listening(address) = Listening::from_ref(state);
        let own =
            || Authority::try_from(address.to_string()).expect("a socket address is an authority");
        // User information has no place in an `http` link (RFC 9110, section 4.2.4).
        let asked = asked.filter(|asked| !asked.as_str().contains('@'));
        Ok(Self(asked.unwrap_or_else(own)))
    }
}
