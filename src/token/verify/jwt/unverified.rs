use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{
    algorithm::JwtAlgorithm,
    key::{JwtKey, Names},
    keys::JwtKeys,
    rules::JwtRules,
};
use crate::token::{
    claim::Claims,
    verify::{Mismatch, VerifyError, VerifyResult},
};

/// A JWT in compact form (RFC 7515, section 7.1) of which nothing is known to be true.
///
/// It gives away what is needed to choose a key, and nothing else before the signature is checked.
pub(crate) struct UnverifiedJwt<'a> {
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
    header: Claims,
    algorithm: JwtAlgorithm,
}

impl<'a> UnverifiedJwt<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, VerifyError> {
        let malformed = VerifyError::Malformed("not three parts in base64url");
        let Some((message, signature)) = token.rsplit_once('.') else {
            return Err(malformed);
        };
        let Some((header, payload)) = message.split_once('.') else {
            return Err(malformed);
        };
        if payload.contains('.') {
            return Err(malformed);
        }
        let header = parse_object(header)?;
        // RFC 7515, section 4.1.11: a token with an unknown critical extension is refused; none is
        // supported.
        if header.get("crit").is_some() {
            return Err(VerifyError::Malformed("its header has crit"));
        }
        // RFC 7797 names itself in crit, but a careless issuer may forget.
        if header.get("b64").is_some() || header.get("zip").is_some() {
            return Err(VerifyError::Malformed("its header has b64 or zip"));
        }
        // Otherwise such a token would be one that names no key.
        let is_text = |name: &&str| header.get(name).is_none_or(Value::is_string);
        if !["kid", "x5t", "x5t#S256", "typ"].iter().all(is_text) {
            return Err(VerifyError::Malformed(
                "its kid, x5t, x5t#S256 or typ is not a text",
            ));
        }
        let algorithm = header
            .get("alg")
            .and_then(|name| JwtAlgorithm::from_name(name.as_str()?))
            .ok_or(VerifyError::NotAuthentic("its alg is none, or unknown"))?;
        Ok(Self {
            message,
            payload,
            signature,
            header,
            algorithm,
        })
    }

    /// The issuer that the payload names. Nobody has checked it: good for choosing keys, no more.
    pub(crate) fn issuer(&self) -> Result<Option<Box<str>>, VerifyError> {
        let claims = parse_object(self.payload)?;
        let issuer = claims.get("iss").and_then(Value::as_str);
        Ok(issuer.map(Into::into))
    }

    /// The names by which the token calls its key.
    pub(crate) fn names(&self) -> Names<'_> {
        let text = |name| self.header.get(name).and_then(|value| value.as_str());
        Names {
            kid: text("kid"),
            x5t: text("x5t"),
            x5t_s256: text("x5t#S256"),
        }
    }

    /// The algorithm that the token says it is signed with: good for choosing a key, no more.
    pub(crate) fn algorithm(&self) -> JwtAlgorithm {
        self.algorithm
    }

    /// Checks algorithm, signature and, once that is right, the claims, with the key that the token
    /// names.
    pub(crate) fn verify(&self, keys: &JwtKeys, rules: &JwtRules, now: SystemTime) -> VerifyResult {
        let key = keys
            .find(self.names(), self.algorithm())
            .ok_or(VerifyError::NotAuthentic(UNKNOWN_KEY))?;
        let claims = self.signed_claims(key)?;
        // RFC 8725, section 3.8: the key must belong to the issuer.
        if !keys.may_sign(key, &claims, &rules.claims.issuers) {
            let issuer = claims.get("iss");
            return Err(VerifyError::WrongIssuer(match key.bound_to() {
                Some(bound) => Mismatch::new("iss", issuer, [bound]),
                None => Mismatch::with_expected("iss", issuer, OF_NO_OTHER_KEY),
            }));
        }
        rules.check(self.header.get("typ"), claims, now)
    }

    /// The claims, once the signature is right: whether they are good is another question.
    pub(crate) fn signed_claims(&self, key: &JwtKey) -> Result<Claims, VerifyError> {
        // RFC 8725, section 3.1: the key says the algorithm; the token may only agree.
        if self.algorithm != key.algorithm() {
            return Err(VerifyError::NotAuthentic(WRONG_ALGORITHM));
        }
        if !key.verifies(self.signature, self.message.as_bytes()) {
            return Err(VerifyError::NotAuthentic(WRONG_SIGNATURE));
        }
        parse_object(self.payload)
    }

    /// A header parameter. A stranger wrote it.
    #[cfg(feature = "dpop")]
    pub(crate) fn header(&self, name: &str) -> Option<&Value> {
        self.header.get(name)
    }
}

const OF_NO_OTHER_KEY: &str = "one that no other key is bound to, since its key is bound to none";

/// Reasons that lead to another look at the issuer's keys.
pub(crate) const UNKNOWN_KEY: &str = "its key is unknown";
pub(crate) const WRONG_SIGNATURE: &str = "its signature is wrong";
pub(crate) const WRONG_ALGORITHM: &str = "its alg is not its key's";

fn parse_object(part: &str) -> Result<Claims, VerifyError> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| VerifyError::Malformed("not three parts in base64url"))?;
    Claims::parse(&json).map_err(|_| {
        VerifyError::Malformed("a part of it is not a JSON object, or has a key twice")
    })
}
