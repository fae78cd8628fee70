//! The set-ups, by what is wrong with them.

mod credentials;

mod origins;
mod policies;
mod preflights;
mod registry;
mod routes;
mod schemes;
mod tokens;

use http::Request;
use tower_cors::explain::CredentialsMode;

use crate::{
    setup::Setup,
    table::{Code, Row},
};

pub(crate) fn all() -> Vec<Row> {
    [
        origins::rows(),
        preflights::rows(),
        credentials::rows(),
        policies::rows(),
        routes::rows(),
        registry::rows(),
        tokens::rows(),
        schemes::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A page that sends no credentials.
fn row(
    name: &'static str,
    setup: Setup,
    request: Request<()>,
    cause: &'static str,
    fix: &'static str,
    code: Code,
) -> Row {
    Row {
        name,
        setup,
        request,
        mode: CredentialsMode::SameOrigin,
        cause,
        fix,
        code,
    }
}

const ADD_IT: &str = "add it to allow_origins, or to what the policy reads";
