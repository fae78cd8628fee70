use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{Uri, header::AUTHORIZATION};
use serde_json::Value;

use super::{
    proof::{Proof, hash},
    replay::{ReplayMemory, Use},
};
use crate::{
    origin::Origin,
    time::Clock,
    token::verify::{
        KeysId, TokenRequest, TokenVerifier, VerifiedToken, VerifyError, VerifyFuture,
        numeric_date, unmendable,
    },
};

/// Checks that requests prove to hold the key which their token is bound to
/// ([RFC 9449, section 4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)).
///
/// The proof must be the only one, signed with the key of the token's `cnf.jkt`, for this token, this
/// method and this URL, young, and not used before. Bearer tokens are refused, and so is a bound
/// token that comes as one.
///
/// ```
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// use tower_cors::token::verify::{dpop::Dpop, jwt::{JwtKey, JwtVerifier}};
///
/// let jwk = br#"{"kty": "OKP", "crv": "Ed25519", "kid": "2026-11",
///                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
/// let tokens = JwtVerifier::builder().key(JwtKey::from_jwk(jwk)?).audience("api").build()?;
/// let verifier = Dpop::builder(tokens.clone()).public_url("https://api.example.com").build()?;
///
/// // A request does not say under which URL its page knows the service.
/// assert!(Dpop::builder(tokens).build().is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Dpop<V> {
    verifier: V,
    shared: Arc<Shared>,
}

struct Shared {
    rules: ProofRules,
    replays: ReplayMemory,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
pub(crate) struct ProofRules {
    pub(crate) bases: Vec<Base>,
    pub(crate) max_age: Duration,
    pub(crate) leeway: Duration,
    pub(crate) accepts_bearer: bool,
}

/// A URL of this service: its origin, and a path without a slash at its end.
#[derive(Debug)]
pub(crate) struct Base {
    origin: Origin,
    path: String,
}

impl Base {
    pub(crate) fn parse(url: &str) -> Option<Self> {
        if url.contains(['?', '#']) {
            return None;
        }
        let (origin, path) = split(url)?;
        let path = path.trim_end_matches('/').to_owned();
        Some(Self { origin, path })
    }
}

/// Origin and path of a URL without query and fragment.
fn split(url: &str) -> Option<(Origin, String)> {
    let url = url.split(['?', '#']).next()?;
    let uri: Uri = url.parse().ok()?;
    // RFC 3986, section 6.2.3: an origin is written in lower case and without its default port.
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let authority = uri.authority()?.as_str().to_ascii_lowercase();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    let origin = format!("{scheme}://{authority}");
    Some((origin.parse().ok()?, normalized(uri.path())))
}

/// RFC 3986, section 6.2.2: the same path in one spelling, as far as that needs no guess.
fn normalized(path: &str) -> String {
    let mut rest = path;
    let mut normal = String::with_capacity(path.len());
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        // `from_str_radix` alone would take a sign.
        let byte = after
            .get(..2)
            .filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) => {
                if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                    normal.push(char::from(byte));
                } else {
                    normal.push_str(&format!("%{byte:02X}"));
                }
                rest = &after[2..];
            }
            None => {
                normal.push('%');
                rest = after;
            }
        }
    }
    normal.push_str(rest);
    normal
}

impl<V> Dpop<V> {
    pub(crate) fn new(
        verifier: V,
        rules: ProofRules,
        replays: ReplayMemory,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shared = Shared {
            rules,
            replays,
            clock,
        };
        Self {
            verifier,
            shared: Arc::new(shared),
        }
    }
}

impl<V: TokenVerifier> TokenVerifier for Dpop<V> {
    fn verify(&self, token: &str, request: &TokenRequest<'_>) -> VerifyFuture {
        self.verifier.verify(token, request)
    }

    fn cache_scope<'a>(&self, request: &TokenRequest<'a>) -> Cow<'a, str> {
        self.verifier.cache_scope(request)
    }

    /// Checks the proof, which is used up thereby. The other verifier is not asked about a bound
    /// token: it would refuse it. A token that is revoked is refused before its proof is looked at,
    /// and one that has expired before its proof is remembered.
    fn check_request(
        &self,
        token: &str,
        verified: &VerifiedToken,
        request: &TokenRequest<'_>,
    ) -> Result<(), VerifyError> {
        if verified.is_bound() {
            if self.verifier.is_revoked(verified) {
                return Err(VerifyError::Revoked);
            }
            let now = self.shared.clock.now();
            self.shared.check(token, verified, request, now)
        } else if !self.shared.rules.accepts_bearer {
            Err(VerifyError::ProofOfPossession(unmendable::UNBOUND))
        } else if request.headers().contains_key(DPOP) {
            Err(VerifyError::ProofOfPossession(unmendable::BESIDE_UNBOUND))
        } else {
            self.verifier.check_request(token, verified, request)
        }
    }

    fn epoch(&self) -> u64 {
        self.verifier.epoch()
    }

    fn is_revoked(&self, token: &VerifiedToken) -> bool {
        self.verifier.is_revoked(token)
    }

    fn keys_id(&self) -> Option<KeysId> {
        self.verifier.keys_id()
    }
}

const DPOP: &str = "dpop";

/// A proof for this token and this request, which may have been used before.
struct Checked {
    thumbprint: String,
    id: Box<str>,
}

impl Shared {
    fn check(
        &self,
        token: &str,
        verified: &VerifiedToken,
        request: &TokenRequest<'_>,
        now: SystemTime,
    ) -> Result<(), VerifyError> {
        let proof = self
            .check_proof(token, verified, request, now)
            .map_err(VerifyError::ProofOfPossession)?;
        // Only good proofs for good tokens take up memory.
        if !verified.is_good_at(now) {
            return Err(VerifyError::Expired(verified.clone()));
        }
        let refused = match self.replays.note(&proof.thumbprint, &proof.id, now) {
            Use::First => return Ok(()),
            Use::Again => "the proof was used before",
            Use::KeyFull => unmendable::KEY_FULL,
            Use::Full => unmendable::FULL,
        };
        Err(VerifyError::ProofOfPossession(refused))
    }

    fn check_proof(
        &self,
        token: &str,
        verified: &VerifiedToken,
        request: &TokenRequest<'_>,
        now: SystemTime,
    ) -> Result<Checked, &'static str> {
        // RFC 9449, section 7.2: a bound token must not do as a bearer token.
        let mut credentials = request.headers().get_all(AUTHORIZATION).iter();
        let is_dpop = |value: &http::HeaderValue| {
            let scheme = value.as_bytes().get(..5);
            scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"dpop "))
        };
        if !credentials.all(is_dpop) {
            return Err("a bound token comes in another scheme than DPoP");
        }
        let mut lines = request.headers().get_all(DPOP).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else {
            return Err("there is not exactly one header DPoP");
        };
        let line = line.to_str().map_err(|_| "the proof is not a signed JWT")?;
        let proof = Proof::parse(line)?;

        // The key first: what follows is of no interest if a stranger has signed it.
        let confirmation = verified.claims().get("cnf");
        let bound_to = confirmation
            .and_then(|cnf| cnf.get("jkt"))
            .and_then(Value::as_str);
        if bound_to != Some(&proof.thumbprint) {
            return Err("the proof is signed with another key than the token's cnf.jkt");
        }
        if proof.text("ath") != Some(&hash(token)) {
            return Err("the ath of the proof is not that of the token");
        }
        if proof.text("htm") != Some(request.method().as_str()) {
            return Err("the htm of the proof is not the request's method");
        }
        if !self.is_url_of(&proof, request) {
            return Err("the htu of the proof is not the request's URL below a public_url");
        }
        let made = numeric_date(&proof.claims, "iat").ok().flatten();
        let made = made.ok_or("the proof has no iat, or one that is not a time")?;
        if now
            .duration_since(made)
            .is_ok_and(|age| age >= self.rules.max_age)
        {
            return Err("the proof is too old");
        }
        if made
            .duration_since(now)
            .is_ok_and(|ahead| ahead > self.rules.leeway)
        {
            return Err("the proof is from the future");
        }
        let id = proof.text("jti").filter(|id| !id.is_empty());
        let id = id.ok_or("the proof has no jti")?.into();
        let thumbprint = proof.thumbprint;
        Ok(Checked { thumbprint, id })
    }

    fn is_url_of(&self, proof: &Proof, request: &TokenRequest<'_>) -> bool {
        let Some((origin, path)) = proof.text("htu").and_then(split) else {
            return false;
        };
        let requested = normalized(request.uri().path());
        self.rules.bases.iter().any(|base| {
            base.origin == origin && path.strip_prefix(&*base.path) == Some(&*requested)
        })
    }
}

impl<V: fmt::Debug> fmt::Debug for Dpop<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dpop")
            .field("verifier", &self.verifier)
            .field("rules", &self.shared.rules)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        for (path, expected) in [
            ("/v1/%6Frders", "/v1/orders"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%", "/a%"),
            ("/a%g1", "/a%g1"),
            // A sign is no digit: this is not `%01`.
            ("/a%+1", "/a%+1"),
        ] {
            assert_eq!(normalized(path), expected, "{path}");
        }
    }
}
