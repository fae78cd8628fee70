use std::{
    fmt,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::Header;
use serde_json::{Map, Value};

use super::{
    error::{self, MintError},
    minted::MintedToken,
    order::TokenOrder,
    signing_key::SigningKey,
};
use crate::{
    preflight::{Issued, IssuedIndex},
    revocation::{Revocations, TokenIdentity},
    time::Clock,
    token::{claim::OriginsFormat, issue::id_of},
};

/// Mints signed tokens that list origins.
///
/// Every token says who issued it (`iss`), for whom (`aud`), from when to when it is good (`nbf`,
/// `iat`, `exp`), which one it is (`jti`, at random), and which key signed it (`kid`). If the
/// minter has an [`IssuedIndex`], a token is registered there before it is handed out, so that
/// preflights of the pages that it names pass, until it expires or is
/// [revoked](IssuedIndex::revocations).
///
/// ```
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// use tower_cors::token::{
///     claim::OriginsFormat,
///     issue::{AllowedOrigins, IssueRules, SigningKey, TokenMinter, TokenOrder},
///     verify::jwt::JwtAlgorithm,
/// };
///
/// let pem = "-----BEGIN PRIVATE KEY-----\n\
///            MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
///            -----END PRIVATE KEY-----\n";
/// let key = SigningKey::from_pem(pem.as_bytes(), JwtAlgorithm::EdDsa, "2026-11")?;
/// let minter = TokenMinter::builder(key, "https://id.example", "chat").prefix("psat=").build()?;
///
/// let semicolons = OriginsFormat::Delimited(';');
/// let asked = AllowedOrigins::parse_request("https://contoso.com", semicolons, &IssueRules::new())?;
/// let token = minter.mint(&TokenOrder::new(asked.clone()).claim("asi", "session-7"))?;
/// assert!(token.to_query_value(2).starts_with("psat%253deyJ"));
///
/// assert!(minter.mint(&TokenOrder::new(asked).claim("exp", u64::MAX)).is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct TokenMinter {
    pub(super) key: SigningKey,
    pub(super) issuer: Box<str>,
    pub(super) audience: Box<str>,
    pub(super) claim: Box<str>,
    pub(super) format: OriginsFormat,
    pub(super) lifetime: Duration,
    pub(super) prefix: Box<str>,
    pub(super) index: Option<IssuedIndex>,
    pub(super) revocations: Option<Revocations>,
    pub(super) session_claim: Box<str>,
    pub(super) clock: Arc<dyn Clock>,
}

impl TokenMinter {
    /// How long a token lives by default: 1 hour.
    pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(60 * 60);
    /// The longest that a token may live: 8 hours.
    pub const MAX_LIFETIME: Duration = error::MAX_LIFETIME;
    /// The longest token that is minted, in bytes, with its prefix.
    pub const MAX_TOKEN_LEN: usize = error::MAX_TOKEN_LEN;

    /// Mints a token, and registers it with the index, if there is one.
    ///
    /// # Errors
    ///
    /// When the order cannot be filled, the index is full, or the key or the operating system
    /// fails.
    pub fn mint(&self, order: &TokenOrder) -> Result<MintedToken, MintError> {
        let now = self.clock.now();
        let issued_at = now
            .duration_since(UNIX_EPOCH)
            .map_err(|_| MintError::Clock)?
            .as_secs();
        let lifetime = order.lifetime.unwrap_or(self.lifetime).as_secs();
        let most = Self::MAX_LIFETIME.as_secs();
        if !(1..=most).contains(&lifetime) {
            return Err(MintError::Lifetime { most });
        }
        // A second in which everything was revoked is over for new tokens.
        let revoked = self
            .revocations
            .as_ref()
            .and_then(Revocations::issued_until);
        let revoked = revoked.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let first = revoked.map_or(0, |since| since.as_secs().saturating_add(1));
        let (now, issued_at) = (issued_at, issued_at.max(first));
        let expiry = issued_at.checked_add(lifetime).ok_or(MintError::Clock)?;
        let time = |seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let expires_at = time(expiry).ok_or(MintError::Clock)?;
        let id = random_id()?;
        let mut claims = Map::from_iter([
            ("iss".to_owned(), Value::from(&*self.issuer)),
            ("aud".to_owned(), Value::from(&*self.audience)),
            ("nbf".to_owned(), Value::from(now)),
            ("iat".to_owned(), Value::from(issued_at)),
            ("exp".to_owned(), Value::from(expiry)),
            ("jti".to_owned(), Value::from(&*id)),
        ]);
        claims.insert(self.claim.to_string(), order.origins.to_claim(self.format)?);
        if let Some(session) = &order.session {
            claims.insert(self.session_claim.to_string(), Value::from(&**session));
        }
        for (name, value) in &order.claims {
            if claims.insert(name.clone(), value.clone()).is_some() {
                return Err(MintError::ReservedClaim(name.clone()));
            }
        }
        // Also one that the order has written as a claim by itself: readers see no difference.
        let session = claims.get(&*self.session_claim).and_then(id_of);
        let issuance = time(issued_at).ok_or(MintError::Clock)?;
        if let (Some(session), Some(revocations)) = (&session, &self.revocations)
            && revocations.is_revoked(&TokenIdentity::new().session(session).issued_at(issuance))
        {
            return Err(MintError::Revoked);
        }
        let text = self.sign(&claims)?;
        if let Some(index) = &self.index {
            let origins = order.origins.to_origins().ok_or(MintError::Wildcard)?;
            let mut issued = Issued::new(&*id, origins, expires_at).issued_at(issuance);
            if let Some(session) = &session {
                issued = issued.session(&**session);
            }
            if let Some(tenant) = &order.tenant {
                issued = issued.tenant(&**tenant);
            }
            index.register(&issued)?;
        }
        Ok(MintedToken {
            text,
            prefix_len: self.prefix.len(),
            id,
            expires_at,
        })
    }

    /// The prefix and the signed token.
    fn sign(&self, claims: &Map<String, Value>) -> Result<String, MintError> {
        let mut header = Header::new(self.key.algorithm.of_backend());
        header.kid = Some(self.key.kid.to_string());
        header.x5t = self.key.x5t.as_deref().map(str::to_owned);
        let jwt = jsonwebtoken::encode(&header, claims, &self.key.key)
            .map_err(|_| MintError::Signature)?;
        if self.prefix.len() + jwt.len() <= Self::MAX_TOKEN_LEN {
            Ok([&*self.prefix, &*jwt].concat())
        } else {
            Err(MintError::TooLong)
        }
    }
}

/// 128 random bits, in base64url.
fn random_id() -> Result<Box<str>, MintError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| MintError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}

impl fmt::Debug for TokenMinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMinter")
            .field("key", &self.key)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("claim", &self.claim)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
