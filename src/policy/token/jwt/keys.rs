use std::collections::HashMap;

use serde_json::Value;

use super::{JwtError, JwtKey, key::Names};
use crate::policy::token::Claims;

/// The keys that are trusted, found by the names that tokens call them by.
///
/// A token chooses by `kid`, else by `x5t#S256`, else by `x5t`. What else its header says of keys
/// (`jwk`, `jku`, `x5c`, `x5u`) is ignored: a stranger wrote it.
///
/// ```
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// use tower_cors::token::{JwtKey, JwtKeys};
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
/// # Ok::<(), tower_cors::token::JwtError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct JwtKeys {
    keys: Vec<JwtKey>,
    by_kid: HashMap<Box<str>, usize>,
    by_x5t_s256: HashMap<Box<str>, usize>,
    by_x5t: HashMap<Box<str>, usize>,
    accepts_unnamed: bool,
}

impl JwtKeys {
    /// The keys given.
    ///
    /// # Errors
    ///
    /// When two keys answer to one name, or a key has none.
    pub fn new(keys: impl IntoIterator<Item = JwtKey>) -> Result<Self, JwtError> {
        let mut set = Self::default();
        for key in keys {
            if key.names() == Names::default() {
                return Err(JwtError::UnnamedKey);
            }
            set.insert(key)?;
        }
        Ok(set)
    }

    /// The one key, for tokens that do not say which key they mean.
    pub fn single(key: JwtKey) -> Self {
        Self {
            keys: vec![key],
            accepts_unnamed: true,
            ..Self::default()
        }
    }

    /// Those keys of a JWK set (RFC 7517, section 5) that tokens can be verified with, and how
    /// many had to be left out: of unknown kinds, for encryption, without a name, or with none that
    /// an earlier one does not have.
    ///
    /// # Errors
    ///
    /// When it is no JWK set or has a JSON key twice, or without a backend.
    pub fn from_jwk_set(json: &[u8]) -> Result<(Self, usize), JwtError> {
        Self::from_jwk_members(&Claims::parse(json).map_err(|_| no_set())?)
    }

    pub(super) fn from_jwk_members(document: &Claims) -> Result<(Self, usize), JwtError> {
        let Some(Value::Array(members)) = document.get("keys") else {
            return Err(no_set());
        };
        let mut set = Self::default();
        let mut left_out = 0;
        for member in members {
            match JwtKey::from_jwk_value(member.clone()) {
                Ok(key) if set.insert_where_free(&key) => set.keys.push(key),
                Err(JwtError::Backend) => return Err(JwtError::Backend),
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

    fn insert(&mut self, key: JwtKey) -> Result<(), JwtError> {
        let index = self.keys.len();
        let names = key.names();
        for (map, name) in [
            (&mut self.by_kid, names.kid),
            (&mut self.by_x5t_s256, names.x5t_s256),
            (&mut self.by_x5t, names.x5t),
        ] {
            let Some(name) = name else { continue };
            if map.insert(name.into(), index).is_some() {
                return Err(JwtError::DuplicateKey(name.to_owned()));
            }
        }
        self.keys.push(key);
        Ok(())
    }

    /// Gives the next key those of its names that no earlier one has; whether there is any.
    fn insert_where_free(&mut self, key: &JwtKey) -> bool {
        let index = self.keys.len();
        let names = key.names();
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
    pub(super) fn find(&self, names: Names<'_>) -> Option<&JwtKey> {
        if self.accepts_unnamed {
            return self.keys.first();
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

fn no_set() -> JwtError {
    JwtError::Key(String::new(), "no JWK set")
}
