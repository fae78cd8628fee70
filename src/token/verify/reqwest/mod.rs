//! Key sets and introspection over `reqwest`.
//!
//! The `https` connections need a TLS feature of `reqwest`, which is the application's choice.

mod client_auth;
#[cfg(feature = "jwt")]
mod discovery;
mod endpoint;
mod introspection;
mod key_set;

#[cfg(feature = "jwt")]
pub use self::discovery::Discovery;
pub use self::{
    client_auth::ClientAuth, endpoint::EndpointError, introspection::ReqwestIntrospectionClient,
    key_set::ReqwestKeySetFetcher,
};
