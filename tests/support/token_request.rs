//! The request that a verifier is shown where a test asks it directly.

use std::sync::LazyLock;

use http::Request;
use tower_cors::token::verify::TokenRequest;

/// A `GET` without headers, for verifiers that look at the token alone.
pub(crate) fn any_request() -> TokenRequest<'static> {
    static REQUEST: LazyLock<Request<()>> = LazyLock::new(|| Request::new(()));
    TokenRequest::from(&*REQUEST)
}
