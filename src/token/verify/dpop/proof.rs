use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::token::{
    claim::Claims,
    verify::jwt::{JwtKey, UnverifiedJwt},
};

/// A proof whose signature is right (RFC 9449, section 4.2).
pub(crate) struct Proof {
    pub(crate) claims: Claims,
    /// The thumbprint of the key that has signed it (RFC 7638).
    pub(crate) thumbprint: String,
}

impl Proof {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let proof = UnverifiedJwt::parse(text).map_err(|_| "the proof is not a signed JWT")?;
        let typ = proof.header("typ").and_then(Value::as_str);
        if typ != Some("dpop+jwt") {
            return Err("the typ of the proof is not dpop+jwt");
        }
        let Some(Value::Object(jwk)) = proof.header("jwk") else {
            return Err("the proof has no jwk");
        };
        // RFC 7638, section 3.2: these members, in this order.
        let members: &[&str] = match jwk.get("kty").and_then(Value::as_str) {
            Some("EC") => &["crv", "kty", "x", "y"],
            Some("OKP") => &["crv", "kty", "x"],
            Some("RSA") => &["e", "kty", "n"],
            _ => return Err("the jwk of the proof is of a kind that is not understood"),
        };
        let mut key = jwk.clone();
        // RSA keys serve several algorithms; the proof says which, and the key has to be of its kind.
        key.insert("alg".to_owned(), proof.algorithm().name().into());
        let key = JwtKey::from_jwk_value(Value::Object(key))
            .map_err(|_| "the jwk of the proof is not a public key for its alg")?;
        let claims = proof
            .signed_claims(&key)
            .map_err(|_| "the signature of the proof is wrong")?;
        Ok(Self {
            claims,
            thumbprint: thumbprint(jwk, members),
        })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }
}

/// The values are base64url and names of curves, as the key was admitted: nothing needs escaping.
fn thumbprint(jwk: &Map<String, Value>, members: &[&str]) -> String {
    let member = |name: &&str| {
        let value = jwk.get(*name).and_then(Value::as_str).unwrap_or_default();
        format!(r#""{name}":"{value}""#)
    };
    let members: Vec<_> = members.iter().map(member).collect();
    hash(&format!("{{{}}}", members.join(",")))
}

/// SHA-256 in base64url.
pub(crate) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638, section 3.1, and RFC 9449, section 7.1.
    #[test]
    fn the_examples_of_the_standards() {
        let rsa: Map<String, Value> = serde_json::from_str(
            r#"{"kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
                "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#,
        )
        .unwrap();
        assert_eq!(
            thumbprint(&rsa, &["e", "kty", "n"]),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        );
        assert_eq!(
            hash("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
            "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo",
        );
    }
}
