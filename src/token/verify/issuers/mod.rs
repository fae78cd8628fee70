//! Several issuers in one verifier, each with its own keys.
//!
//! An issuer is its name, its keys, its audience and the types of its tokens: a
//! [`JwtVerifier`](super::jwt::JwtVerifier) whose keys are at hand, or a
//! [`JwksVerifier`](super::jwks::JwksVerifier) that fetches them. One of them is a verifier already;
//! [`Issuers`] chooses among several, by the token's `iss`.
//!
//! The usual ones, as [`TokenOrigins`](crate::token::TokenOrigins) takes them:
//!
//! ```
//! # #[cfg(all(feature = "jwt-rust-crypto", feature = "reqwest"))] {
//! use reqwest::Client;
//! use tower_cors::token::{
//!     claim::Claims,
//!     verify::{
//!         issuers::Issuers,
//!         jwks::JwksVerifier,
//!         jwt::{JwtAlgorithm, JwtKey, JwtVerifier},
//!     },
//! };
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let our_public_key = include_bytes!("../../../../tests/data/ed25519.pub.pem");
//!
//! let keycloak = JwksVerifier::discover(Client::builder(), "https://id.example/realms/shop")?
//!     .audience("orders")
//!     .build()?;
//!
//! let auth0 = JwksVerifier::discover(Client::builder(), "https://example.eu.auth0.com/")?
//!     .audience("https://orders.example")
//!     .build()?;
//!
//! let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
//! let entra = format!("https://login.microsoftonline.com/{tenant}/v2.0");
//! let entra = JwksVerifier::discover(Client::builder(), &entra)?
//!     .audience("6731de76-14a6-49ae-97bc-6eba6914391e")
//!     .build()?;
//!
//! // A session token of Clerk has no audience: `azp` is the page that got it.
//! let is_ours = |claims: &Claims| claims.get("azp").is_some_and(|azp| azp == "https://shop.example");
//! let clerk = JwksVerifier::discover(Client::builder(), "https://clerk.shop.example")?
//!     .dangerously_any_audience()
//!     .require("azp https://shop.example", is_ours)
//!     .build()?;
//!
//! let ours = JwtVerifier::builder()
//!     .key(JwtKey::from_pem(our_public_key, JwtAlgorithm::EdDsa)?.kid("2026-11"))
//!     .issuer("https://shop.example")
//!     .audience("orders")
//!     .build()?;
//!
//! let all = Issuers::builder()
//!     .issuer(keycloak)
//!     .issuer(auth0)
//!     .issuer(entra)
//!     .issuer(clerk)
//!     .issuer(ours)
//!     .build()?;
//! # let _ = all;
//! # Ok(())
//! # }
//! # main().unwrap();
//! # }
//! ```

mod builder;
mod issuer;
mod verifier;

pub use self::{
    builder::{IssuersBuilder, IssuersConfigError},
    issuer::Issuer,
    verifier::Issuers,
};
