use std::time::Duration;

use jsonwebtoken::Header;
use serde_json::Value;

use super::{
    error::{self, MintError},
    minted::MintedToken,
    order::TokenOrder,
    signing_key::SigningKey,
    terms::MintTerms,
};

/// Mints signed tokens that list origins.
///
/// Every token says who issued it (`iss`), for whom (`aud`), from when to when it is good (`nbf`,
/// `iat`, `exp`), which one it is (`jti`, at random), and which key signed it (`kid`). If the
/// minter has an [`IssuedIndex`], a token is registered there before it is handed out, so that
/// preflights of the pages that it names pass, until it expires or is
/// [revoked]. Where the key is not in this process, a
/// [`RemoteMinter`](crate::token::issue::RemoteMinter) does the same.
///
/// [`IssuedIndex`]: crate::preflight::IssuedIndex
/// [revoked]: crate::preflight::IssuedIndex::revocations
///
/// ```
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// use tower_cors::token::{
///     claim::OriginsFormat,
///     issue::{AllowedOrigins, IssueRules, SigningKey, TokenMinter, TokenOrder},
///     verify::jwt::JwtAlgorithm,
/// };
///
/// # let pem = "-----BEGIN PRIVATE KEY-----\n\
/// #            MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
/// #            -----END PRIVATE KEY-----\n";
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
#[derive(Clone, Debug)]
pub struct TokenMinter {
    pub(super) key: SigningKey,
    pub(super) terms: MintTerms,
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
        let draft = self.terms.draft(order)?;
        let jwt = self.sign(&draft.claims)?;
        self.terms.issue(&draft.issued, &jwt)
    }

    fn sign(&self, claims: &Value) -> Result<String, MintError> {
        let mut header = Header::new(self.key.algorithm.of_backend());
        header.kid = Some(self.key.kid.to_string());
        header.x5t = self.key.x5t.as_deref().map(str::to_owned);
        jsonwebtoken::encode(&header, claims, &self.key.key).map_err(|_| MintError::Signature)
    }
}
