use std::collections::HashMap;

use super::{issuer::Issuer, verifier::Issuers};
use crate::{debug_as_display::debug_as_display, token::verify::BuildErrors};

impl Issuers {
    /// Starts a configuration.
    pub fn builder() -> IssuersBuilder {
        IssuersBuilder {
            issuers: Vec::new(),
        }
    }
}

/// Configures [`Issuers`].
///
/// ```
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// use tower_cors::token::verify::{issuers::Issuers, jwt::{JwtKey, JwtVerifier}};
///
/// let jwk = br#"{"kty": "OKP", "crv": "Ed25519", "kid": "2026-11",
///                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// // Each issuer has keys of its own; here they stand for both.
/// let staff = JwtVerifier::builder()
///     .key(JwtKey::from_jwk(jwk)?)
///     .issuer("https://staff.example")
///     .audience("api");
/// let customers = JwtVerifier::builder()
///     .key(JwtKey::from_jwk(jwk)?)
///     .issuer("https://customers.example")
///     .audience("api");
/// let issuers = Issuers::builder().issuer(staff.clone().build()?).issuer(customers.build()?);
/// assert!(issuers.build().is_ok());
///
/// // A token could not say which of the two it is of.
/// let twice = Issuers::builder().issuer(staff.clone().build()?).issuer(staff.build()?);
/// assert!(twice.build().is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a configuration does nothing until it is built"]
pub struct IssuersBuilder {
    issuers: Vec<Issuer>,
}

impl IssuersBuilder {
    /// Adds an issuer, with its keys.
    pub fn issuer(mut self, issuer: impl Into<Issuer>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// Every mistake: there is no issuer, one has no name, two have the same, or two share the keys of
    /// one verifier.
    pub fn build(self) -> Result<Issuers, BuildErrors<IssuersConfigError>> {
        let mut mistakes = Vec::new();
        let mut by_name = HashMap::new();
        let mut by_keys = HashMap::<_, &Issuer>::new();
        if self.issuers.is_empty() {
            mistakes.push(IssuersConfigError::NoIssuer);
        }
        for (index, issuer) in self.issuers.iter().enumerate() {
            if issuer.names.is_empty() {
                mistakes.push(IssuersConfigError::Unnamed(index + 1));
            }
            for name in &issuer.names {
                if by_name.insert(name.clone(), index).is_some() {
                    mistakes.push(IssuersConfigError::Duplicate(name.to_string()));
                }
            }
            let Some(keys) = issuer.verifier.keys_id() else {
                continue;
            };
            if let Some(other) = by_keys.insert(keys, issuer) {
                let name =
                    |issuer: &Issuer| issuer.names.first().map_or("", |name| name).to_owned();
                mistakes.push(IssuersConfigError::SharedKeys(name(other), name(issuer)));
            }
        }
        BuildErrors::none_or(mistakes, || {
            let verifiers = self.issuers.into_iter().map(|issuer| issuer.verifier);
            Issuers::new(verifiers.collect(), by_name)
        })
    }
}

/// One mistake in the configuration of [`Issuers`].
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuersConfigError {
    /// Every token would be refused.
    #[error("issuer: there is none, so that every token would be refused")]
    NoIssuer,
    /// No token could choose it.
    #[error("issuer number {0}: it has no name: call `issuer` on its verifier, or `Issuer::new`")]
    Unnamed(usize),
    /// A token could not say which of two it means.
    #[error("issuer {0:?}: given twice: give all its keys to one verifier")]
    Duplicate(String),
    /// A key of one would sign for the other as well, because only the claim `iss` tells them apart.
    #[error(
        "issuers {0:?} and {1:?}: they share the keys of one verifier, so that each could sign \
         tokens of the other: build a verifier for each"
    )]
    SharedKeys(String, String),
}

debug_as_display!(IssuersConfigError);
