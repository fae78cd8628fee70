use serde_json::Value;

use crate::{
    debug_as_display::debug_as_display,
    token::{
        claim::Claims,
        verify::jwt::{JwtKeyError, JwtKeys, Unnamed},
    },
};

/// The keys of a JWK set ([RFC 7517, section 5](https://www.rfc-editor.org/rfc/rfc7517#section-5))
/// that tokens can be verified with.
///
/// ```
/// use tower_cors::token::verify::jwks::{JwkSet, JwkSetError};
///
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// let json = br#"{"keys": [
///     {"kty": "OKP", "crv": "Ed25519", "kid": "2026-11",
///      "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty": "RSA", "use": "enc", "kid": "for something else", "n": "AQAB", "e": "AQAB"}
/// ]}"#;
/// let set = JwkSet::parse(json, 64)?;
/// assert_eq!((set.keys().len(), set.left_out()), (1, 1));
///
/// assert_eq!(JwkSet::parse(json, 1).unwrap_err(), JwkSetError::TooManyKeys);
/// # }
/// # Ok::<(), JwkSetError>(())
/// ```
#[derive(Clone, Debug)]
pub struct JwkSet {
    keys: JwtKeys,
    left_out: usize,
}

impl JwkSet {
    /// Reads a document with at most `max_keys` keys.
    ///
    /// Keys that are of unknown kinds, for encryption, malformed, without a name, or of a name
    /// that an earlier one has are left out and counted.
    ///
    /// # Errors
    ///
    /// When it is not a JWK set, has a JSON key twice, too many keys, or none that is of use.
    pub fn parse(json: &[u8], max_keys: usize) -> Result<Self, JwkSetError> {
        Self::parse_with(json, max_keys, Unnamed::Nothing)
    }

    pub(crate) fn parse_with(
        json: &[u8],
        max_keys: usize,
        unnamed: Unnamed,
    ) -> Result<Self, JwkSetError> {
        // The number of keys is known before any is looked at, which costs cryptography.
        let document = Claims::parse(json).map_err(|_| JwkSetError::Document)?;
        match document.get("keys") {
            Some(Value::Array(keys)) if keys.len() > max_keys => {
                return Err(JwkSetError::TooManyKeys);
            }
            Some(Value::Array(_)) => {}
            _ => return Err(JwkSetError::Document),
        }
        let (keys, left_out) =
            JwtKeys::from_jwk_members(&document, unnamed).map_err(|error| match error {
                JwtKeyError::Backend => JwkSetError::Backend,
                _ => JwkSetError::Document,
            })?;
        if keys.is_empty() {
            return Err(JwkSetError::NoKeys);
        }
        Ok(Self { keys, left_out })
    }

    /// The keys that can be used.
    pub fn keys(&self) -> &JwtKeys {
        &self.keys
    }

    pub(crate) fn into_keys(self) -> JwtKeys {
        self.keys
    }

    /// How many keys had to be left out.
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

/// Why a document holds no keys to verify tokens with.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwkSetError {
    /// It is not a JSON object with an array `keys`, or has a key twice.
    #[error("the issuer's keys are not a JWK set, or have a JSON key twice")]
    Document,
    /// It holds more keys than the bound.
    #[error("the issuer's keys are more than the bound")]
    TooManyKeys,
    /// No key in it is of use.
    #[error("none of the issuer's keys can verify a token")]
    NoKeys,
    /// `jsonwebtoken` has no cryptography to work with.
    #[error("{}", JwtKeyError::Backend)]
    Backend,
}

debug_as_display!(JwkSetError);

#[cfg(test)]
#[cfg(feature = "jwt-rust-crypto")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn ed25519(more: &str) -> String {
        format!(r#"{{"kty": "OKP", "crv": "Ed25519", "x": "{X}"{more}}}"#)
    }

    fn parse(members: &[String]) -> Result<(usize, usize), JwkSetError> {
        let json = format!(r#"{{"keys": [{}]}}"#, members.join(","));
        JwkSet::parse(json.as_bytes(), 4).map(|set| (set.keys().len(), set.left_out()))
    }

    #[test]
    fn keys_that_are_of_no_use_are_left_out_and_counted() {
        let good = ed25519(r#", "kid": "a""#);
        for (other, expected) in [
            (ed25519(r#", "kid": "b""#), (2, 0)),
            (ed25519(r#", "kid": "a""#), (1, 1)),
            (ed25519(r#", "kid": "a", "x5t": "t""#), (2, 0)),
            (ed25519(r#", "x5t#S256": "t""#), (2, 0)),
            (ed25519(""), (1, 1)),
            (ed25519(r#", "kid": "b", "use": "enc""#), (1, 1)),
            (ed25519(r#", "kid": "b", "use": "sig""#), (2, 0)),
            (ed25519(r#", "kid": "b", "key_ops": ["sign"]"#), (1, 1)),
            (ed25519(r#", "kid": "b", "key_ops": ["verify"]"#), (2, 0)),
            (ed25519(r#", "kid": "b", "alg": "EdDSA""#), (2, 0)),
            (ed25519(r#", "kid": "b", "alg": "RS256""#), (1, 1)),
            (ed25519(r#", "kid": "b", "alg": "HS256""#), (1, 1)),
            (ed25519(r#", "kid": "b", "alg": "none""#), (1, 1)),
            (
                r#"{"kty": "oct", "kid": "b", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}"#.to_owned(),
                (1, 1),
            ),
            (
                r#"{"kty": "EC", "crv": "P-521", "kid": "b", "x": "AA", "y": "AA"}"#.to_owned(),
                (1, 1),
            ),
            (
                r#"{"kty": "EC", "crv": "P-256", "kid": "b", "x": "AA", "y": "AA"}"#.to_owned(),
                (1, 1),
            ),
            (
                r#"{"kty": "RSA", "kid": "b", "n": "AQAB", "e": "AQAB"}"#.to_owned(),
                (1, 1),
            ),
            (r#"{"kty": "new"}"#.to_owned(), (1, 1)),
            ("null".to_owned(), (1, 1)),
            ("[]".to_owned(), (1, 1)),
        ] {
            assert_eq!(
                parse(&[good.clone(), other.clone()]),
                Ok(expected),
                "{other}"
            );
        }
    }

    #[test]
    fn documents_that_are_none() {
        for (json, error) in [
            ("", JwkSetError::Document),
            ("[]", JwkSetError::Document),
            ("{}", JwkSetError::Document),
            (r#"{"keys": {}}"#, JwkSetError::Document),
            (r#"{"keys": [], "keys": []}"#, JwkSetError::Document),
            (
                r#"{"keys": [{"kid": "a", "kid": "b"}]}"#,
                JwkSetError::Document,
            ),
            (r#"{"keys": []}"#, JwkSetError::NoKeys),
            (r#"{"keys": [1, 2, 3, 4]}"#, JwkSetError::NoKeys),
            (r#"{"keys": [1, 2, 3, 4, 5]}"#, JwkSetError::TooManyKeys),
        ] {
            assert_eq!(
                JwkSet::parse(json.as_bytes(), 4).unwrap_err(),
                error,
                "{json}"
            );
        }
    }

    fn member() -> impl Strategy<Value = String> {
        let value = prop_oneof![
            "[A-Za-z0-9_-]{0,90}".prop_map(|text| format!("{text:?}")),
            Just(format!("{X:?}")),
            Just("null".to_owned()),
            Just(r#"["verify"]"#.to_owned()),
            Just(r#""sig""#.to_owned()),
            Just(r#""RSA""#.to_owned()),
            Just(r#""EC""#.to_owned()),
            Just(r#""OKP""#.to_owned()),
            Just(r#""P-256""#.to_owned()),
            Just(r#""P-384""#.to_owned()),
            Just(r#""Ed25519""#.to_owned()),
            Just(r#""AQAB""#.to_owned()),
        ];
        let name = prop::sample::select(vec![
            "kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "key_ops", "x5t", "x5t#S256",
        ]);
        prop::collection::btree_map(name, value, 0..8).prop_map(|members| {
            let members: Vec<String> = members
                .into_iter()
                .map(|(name, value)| format!("{name:?}: {value}"))
                .collect();
            format!("{{{}}}", members.join(","))
        })
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = JwkSet::parse(&bytes, 4);
        }

        #[test]
        fn every_member_is_used_or_left_out(members in prop::collection::vec(member(), 0..4)) {
            match parse(&members) {
                Ok((keys, left_out)) => prop_assert_eq!(keys + left_out, members.len()),
                Err(error) => prop_assert_eq!(error, JwkSetError::NoKeys),
            }
        }
    }
}
