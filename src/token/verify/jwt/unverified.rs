use std::time::SystemTime;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    algorithm::JwtAlgorithm,
    key::{JwtKey, Names},
    rules::{Rules, check},
};
use crate::token::{
    claim::Claims,
    verify::{VerifyError, VerifyResult},
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
        // RFC 7515, section 4.1.11: what must be understood and is not refuses the token; of the
        // extensions that can stand there, none is understood.
        if header.get("crit").is_some() {
            return Err(VerifyError::Malformed("its header has crit"));
        }
        // RFC 7797 names itself in crit, but a careless issuer may forget.
        if header.get("b64").is_some() || header.get("zip").is_some() {
            return Err(VerifyError::Malformed("its header has b64 or zip"));
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

    /// What the token calls its key by.
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

    /// Checks algorithm, signature and, once that is right, what the token says.
    pub(crate) fn verify(&self, key: &JwtKey, rules: &Rules, now: SystemTime) -> VerifyResult {
        // RFC 8725, section 3.1: the key says the algorithm; the token may only agree.
        if self.algorithm != key.algorithm() {
            let reason = "its alg is not its key's";
            return Err(VerifyError::NotAuthentic(reason));
        }
        if !key.verifies(self.signature, self.message.as_bytes()) {
            return Err(VerifyError::NotAuthentic("its signature is wrong"));
        }
        check(parse_object(self.payload)?, rules, now)
    }
}

fn parse_object(part: &str) -> Result<Claims, VerifyError> {
    let json = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| VerifyError::Malformed("not three parts in base64url"))?;
    Claims::parse(&json)
        .map_err(|_| VerifyError::Malformed("a part of it is no JSON object with single keys"))
}
