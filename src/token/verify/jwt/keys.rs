use std::{collections::HashMap, slice};

use serde_json::Value;

use super::{
    algorithm::JwtAlgorithm,
    error::JwtKeyError,
    key::{JwtKey, Names, may_stand_for},
};
use crate::token::claim::Claims;

/// The keys that are trusted, found by the names that tokens call them by.
///
/// A token chooses by `kid`, else by `x5t#S256`, else by `x5t`. Its other header parameters about
/// keys (`jwk`, `jku`, `x5c`, `x5u`) are ignored, because anybody may have written them.
///
/// ```
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// use tower_cors::token::verify::jwt::{JwtKey, JwtKeys};
///
/// let jwk = br#"{"kty": "OKP", "crv": "Ed25519",
///                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let key = JwtKey::from_jwk(jwk)?;
/// let keys = JwtKeys::new([key.clone().kid("2026-11"), key.clone().kid("2026-12")])?;
/// assert_eq!(keys.len(), 2);
///
/// // Which of two would be meant?
/// assert!(JwtKeys::new([key.clone().kid("2026-11"), key.kid("2026-11")]).is_err());
/// # }
/// # Ok::<(), tower_cors::token::verify::jwt::JwtKeyError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct JwtKeys {
    keys: Vec<JwtKey>,
    by_kid: HashMap<Box<str>, usize>,
    by_x5t_s256: HashMap<Box<str>, usize>,
    by_x5t: HashMap<Box<str>, usize>,
    unnamed: Unnamed,
    /// The issuers that keys of the set are bound to, those of keys that were left out among them.
    bindings: Vec<Box<str>>,
}

/// How a token without the name of a key is treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// None.
    #[default]
    Nothing,
    /// The only key of its algorithm.
    OfAlgorithm,
    /// The only key, whichever the token names.
    TheOnly,
}

impl JwtKeys {
    /// The keys given.
    ///
    /// # Errors
    ///
    /// When two keys answer to one name, or a key has none.
    pub fn new(keys: impl IntoIterator<Item = JwtKey>) -> Result<Self, JwtKeyError> {
        let mut set = Self::default();
        for key in keys {
            if key.names() == Names::default() {
                return Err(JwtKeyError::UnnamedKey);
            }
            set.insert(key)?;
        }
        Ok(set)
    }

    /// The one key, for tokens that do not say which key they mean.
    pub fn single(key: JwtKey) -> Self {
        let mut set = Self {
            unnamed: Unnamed::TheOnly,
            ..Self::default()
        };
        set.add_bindings(key.bound_to().map(Box::from));
        set.keys.push(key);
        set
    }

    /// Those keys of a JWK set (RFC 7517, section 5) that tokens can be verified with, and how
    /// many had to be left out: of unknown kinds, for encryption, without a name, or with none that
    /// an earlier one does not have.
    ///
    /// # Errors
    ///
    /// When it is not a JWK set, or has a JSON key twice, or without a backend.
    pub fn from_jwk_set(json: &[u8]) -> Result<(Self, usize), JwtKeyError> {
        let document = Claims::parse(json).map_err(|_| JwtKeyError::NotASet)?;
        Self::from_jwk_members(&document, Unnamed::Nothing)
    }

    /// Keys without a name are left out, unless a token may mean one.
    pub(crate) fn from_jwk_members(
        document: &Claims,
        unnamed: Unnamed,
    ) -> Result<(Self, usize), JwtKeyError> {
        let Some(Value::Array(members)) = document.get("keys") else {
            return Err(JwtKeyError::NotASet);
        };
        let mut set = Self {
            unnamed,
            ..Self::default()
        };
        let mut left_out = 0;
        for member in members {
            let issuer = member.get("issuer").and_then(Value::as_str);
            set.add_bindings(issuer.map(Box::from));
            match JwtKey::from_jwk_value(member.clone()) {
                Ok(key) if set.insert_where_free(&key) => set.keys.push(key),
                Err(JwtKeyError::Backend) => return Err(JwtKeyError::Backend),
                Ok(_) | Err(_) => left_out += 1,
            }
        }
        Ok((set, left_out))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn iter(&self) -> slice::Iter<'_, JwtKey> {
        self.keys.iter()
    }

    pub(crate) fn into_keys(self) -> Vec<JwtKey> {
        self.keys
    }

    /// Whether the only key is meant by every token.
    pub(crate) fn is_single(&self) -> bool {
        self.unnamed == Unnamed::TheOnly
    }

    /// Whether the key, one of these, may speak for the issuer that the claims name, where these
    /// issuers are accepted (RFC 8725, section 3.8).
    ///
    /// A bound key speaks for its own issuer. A key that is bound to none speaks for no issuer that
    /// another key is bound to, unless that issuer is the only one accepted: then the
    /// configuration says whose keys all of them are.
    pub(crate) fn may_sign(&self, key: &JwtKey, claims: &Claims, accepted: &[Box<str>]) -> bool {
        if key.bound_to().is_some() {
            return key.may_sign(claims);
        }
        let is_of_the_only = |bound: &str| match accepted {
            [] => false,
            accepted => accepted.iter().all(|issuer| **issuer == *bound),
        };
        let mut of_others = self.bindings().filter(|bound| !is_of_the_only(bound));
        match claims.get("iss") {
            None => true,
            Some(Value::String(issuer)) => !of_others.any(|bound| may_stand_for(bound, issuer)),
            Some(_) => of_others.next().is_none(),
        }
    }

    pub(crate) fn bindings(&self) -> impl Iterator<Item = &str> {
        self.bindings.iter().map(AsRef::as_ref)
    }

    pub(crate) fn add_bindings(&mut self, issuers: impl IntoIterator<Item = Box<str>>) {
        for issuer in issuers {
            if !self.bindings.contains(&issuer) {
                self.bindings.push(issuer);
            }
        }
    }

    fn insert(&mut self, key: JwtKey) -> Result<(), JwtKeyError> {
        let index = self.keys.len();
        let names = key.names();
        for (map, name) in [
            (&mut self.by_kid, names.kid),
            (&mut self.by_x5t_s256, names.x5t_s256),
            (&mut self.by_x5t, names.x5t),
        ] {
            let Some(name) = name else { continue };
            if map.insert(name.into(), index).is_some() {
                return Err(JwtKeyError::DuplicateKey(name.to_owned()));
            }
        }
        self.add_bindings(key.bound_to().map(Box::from));
        self.keys.push(key);
        Ok(())
    }

    /// Gives the next key those of its names that no earlier one has; whether a token can mean it.
    fn insert_where_free(&mut self, key: &JwtKey) -> bool {
        let index = self.keys.len();
        let names = key.names();
        if names == Names::default() {
            return self.unnamed == Unnamed::OfAlgorithm;
        }
        let mut has_name = false;
        for (map, name) in [
            (&mut self.by_kid, names.kid),
            (&mut self.by_x5t_s256, names.x5t_s256),
            (&mut self.by_x5t, names.x5t),
        ] {
            let free = name.filter(|name| !map.contains_key(*name));
            if let Some(name) = free {
                map.insert(name.into(), index);
                has_name = true;
            }
        }
        has_name
    }

    /// The key that a token means. A name that is unknown is not made up for by another one.
    pub(crate) fn find(&self, names: Names<'_>, algorithm: JwtAlgorithm) -> Option<&JwtKey> {
        match self.unnamed {
            Unnamed::TheOnly => return self.keys.first(),
            Unnamed::OfAlgorithm if names == Names::default() => {
                let mut meant = self.keys.iter().filter(|key| key.algorithm() == algorithm);
                return meant.next().filter(|_| meant.next().is_none());
            }
            Unnamed::OfAlgorithm | Unnamed::Nothing => {}
        }
        let index = match names {
            Names { kid: Some(kid), .. } => self.by_kid.get(kid),
            Names {
                x5t_s256: Some(thumbprint),
                ..
            } => self.by_x5t_s256.get(thumbprint),
            Names {
                x5t: Some(thumbprint),
                ..
            } => self.by_x5t.get(thumbprint),
            Names { .. } => None,
        };
        self.keys.get(*index?)
    }
}
