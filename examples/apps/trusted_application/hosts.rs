//! The two hosts of the service, and what their handlers are given.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, extract::FromRef, middleware::map_response, response::Response};
use tower_cors::{Denial, token::TokenOrigins};

use crate::{Error, discovery, issuing, links::Listening, messaging, platform::Platform, policy};

/// The host where tokens are issued, and which pages ask first.
pub(crate) fn api(
    platform: &Arc<Platform>,
    own: SocketAddr,
    messaging: SocketAddr,
) -> Result<Router, Error> {
    let state = ApiHost {
        platform: Arc::clone(platform),
        tokens: policy::tokens_in_query(platform)?,
        listening: Listening(own),
        messaging: MessagingPort(messaging.port()),
    };
    // Only discovery is for pages, so only discovery has a CORS layer.
    let discovery = discovery::router().layer(policy::discovery(&state.tokens)?);
    let router = issuing::router().merge(discovery);
    Ok(router.layer(map_response(log_denial)).with_state(state))
}

/// The host that carries the chat.
pub(crate) fn messaging(platform: &Arc<Platform>, own: SocketAddr) -> Result<Router, Error> {
    let state = MessagingHost {
        platform: Arc::clone(platform),
        tokens: policy::tokens_in_header(platform)?,
        listening: Listening(own),
    };
    let joining = messaging::joining().layer(policy::joining(platform, &state.tokens)?);
    let applications =
        messaging::applications().layer(policy::applications(platform, &state.tokens)?);
    let router = joining.merge(applications);
    Ok(router.layer(map_response(log_denial)).with_state(state))
}

/// Tells the operator what no client is told.
async fn log_denial(response: Response) -> Response {
    if let Some(denial) = response.extensions().get::<Denial>() {
        eprintln!("answered {}: {denial}", response.status());
    }
    response
}

/// What the handlers of the API's host are given.
#[derive(Clone)]
pub(crate) struct ApiHost {
    platform: Arc<Platform>,
    tokens: TokenOrigins,
    listening: Listening,
    messaging: MessagingPort,
}

impl FromRef<ApiHost> for Arc<Platform> {
    fn from_ref(host: &ApiHost) -> Self {
        Arc::clone(&host.platform)
    }
}

impl FromRef<ApiHost> for TokenOrigins {
    fn from_ref(host: &ApiHost) -> Self {
        host.tokens.clone()
    }
}

impl FromRef<ApiHost> for Listening {
    fn from_ref(host: &ApiHost) -> Self {
        host.listening
    }
}

impl FromRef<ApiHost> for MessagingPort {
    fn from_ref(host: &ApiHost) -> Self {
        host.messaging
    }
}

/// What the handlers of the messaging host are given.
#[derive(Clone)]
pub(crate) struct MessagingHost {
    platform: Arc<Platform>,
    tokens: TokenOrigins,
    listening: Listening,
}

impl FromRef<MessagingHost> for Arc<Platform> {
    fn from_ref(host: &MessagingHost) -> Self {
        Arc::clone(&host.platform)
    }
}

impl FromRef<MessagingHost> for TokenOrigins {
    fn from_ref(host: &MessagingHost) -> Self {
        host.tokens.clone()
    }
}

impl FromRef<MessagingHost> for Listening {
    fn from_ref(host: &MessagingHost) -> Self {
        host.listening
    }
}

/// Where the other host is.
#[derive(Clone, Copy)]
pub(crate) struct MessagingPort(pub(crate) u16);
