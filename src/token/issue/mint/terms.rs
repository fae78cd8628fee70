use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    error::{MAX_LIFETIME, MAX_TOKEN_LEN, MintError},
    minted::MintedToken,
    order::TokenOrder,
};
use crate::{
    preflight::{Issued, IssuedIndex},
    revocation::Revocations,
    time::Clock,
    token::{claim::OriginsFormat, issue::id_of},
};

/// All that a minter does beside signing: what tokens say, which orders are refused, and where tokens
/// are registered.
#[derive(Clone, Debug)]
pub(super) struct MintTerms {
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

/// A token before it is signed. It is registered nowhere.
pub(super) struct Draft {
    /// An object.
    pub(super) claims: Value,
    /// What the index is to know. Without an index it lists no origins.
    pub(super) issued: Issued,
}

impl MintTerms {
    /// What the token will say.
    pub(super) fn draft(&self, order: &TokenOrder) -> Result<Draft, MintError> {
        let now = self.clock.now();
        let now = now
            .duration_since(UNIX_EPOCH)
            .map_err(|_| MintError::Clock)?
            .as_secs();
        let lifetime = order.lifetime.unwrap_or(self.lifetime).as_secs();
        let most = MAX_LIFETIME.as_secs();
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
        let issued_at = now.max(first);
        let expiry = issued_at.checked_add(lifetime).ok_or(MintError::Clock)?;
        let time = |seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let expires_at = time(expiry).ok_or(MintError::Clock)?;
        let issuance = time(issued_at).ok_or(MintError::Clock)?;
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
        let origins = if self.index.is_some() {
            order.origins.to_origins().ok_or(MintError::Wildcard)?
        } else {
            Vec::new()
        };
        let mut issued = Issued::new(id, origins, expires_at).issued_at(issuance);
        if let Some(session) = session {
            issued = issued.session(&*session);
        }
        if let Some(tenant) = &order.tenant {
            issued = issued.tenant(&**tenant);
        }
        self.check_revoked(&issued)?;
        let claims = claims.into();
        Ok(Draft { claims, issued })
    }

    /// Registers the token, if there is an index. It may be handed out then.
    pub(super) fn issue(&self, issued: &Issued, jwt: &str) -> Result<MintedToken, MintError> {
        self.check_len(jwt)?;
        // Again: a signer elsewhere takes its time.
        self.check_revoked(issued)?;
        if let Some(index) = &self.index {
            index.register(issued)?;
        }
        Ok(MintedToken {
            text: [&*self.prefix, jwt].concat(),
            prefix_len: self.prefix.len(),
            id: issued.id().into(),
            expires_at: issued.expiry(),
        })
    }

    /// `jwt` may also be a part of it.
    pub(super) fn check_len(&self, jwt: &str) -> Result<(), MintError> {
        if self.prefix.len() + jwt.len() <= MAX_TOKEN_LEN {
            Ok(())
        } else {
            Err(MintError::TooLong)
        }
    }

    fn check_revoked(&self, issued: &Issued) -> Result<(), MintError> {
        match &self.revocations {
            Some(list) if list.is_revoked(&issued.identity()) => Err(MintError::Revoked),
            _ => Ok(()),
        }
    }
}

/// 128 random bits, in base64url.
fn random_id() -> Result<Box<str>, MintError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| MintError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes).into())
}
