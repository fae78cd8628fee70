use std::{fmt, sync::Arc, time::Duration};

use super::{
    error::{MinterConfigError, MinterConfigErrors},
    minter::TokenMinter,
    remote_minter::RemoteMinter,
    signer::Signer,
    signing_key::SigningKey,
    terms::MintTerms,
};
use crate::{
    preflight::IssuedIndex,
    revocation::Revocations,
    time::{Clock, SystemClock},
    token::claim::OriginsClaim,
};

impl TokenMinter {
    /// Starts a configuration: whose key, who issues, and for whom the tokens are.
    pub fn builder(
        key: SigningKey,
        issuer: impl Into<Box<str>>,
        audience: impl Into<Box<str>>,
    ) -> TokenMinterBuilder {
        TokenMinterBuilder::new(key, issuer.into(), audience.into())
    }
}

impl RemoteMinter {
    /// Starts a configuration: who signs, who issues, and for whom the tokens are.
    pub fn builder(
        signer: impl Signer,
        issuer: impl Into<Box<str>>,
        audience: impl Into<Box<str>>,
    ) -> TokenMinterBuilder<Arc<dyn Signer>> {
        TokenMinterBuilder::new(Arc::new(signer), issuer.into(), audience.into())
    }
}

/// A [`TokenMinter`] in the making, or a [`RemoteMinter`]: what signs makes the difference.
///
/// Examples are on [`TokenMinter`], whose key is at hand, and on [`Signer`], whose key is in a service.
#[must_use = "a configuration does nothing until it is built"]
pub struct TokenMinterBuilder<K = SigningKey> {
    key: K,
    issuer: Box<str>,
    audience: Box<str>,
    claim: OriginsClaim,
    lifetime: Duration,
    prefix: Box<str>,
    index: Option<IssuedIndex>,
    revocations: Option<Revocations>,
    clock: Arc<dyn Clock>,
}

impl<K> TokenMinterBuilder<K> {
    fn new(key: K, issuer: Box<str>, audience: Box<str>) -> Self {
        Self {
            key,
            issuer,
            audience,
            claim: OriginsClaim::delimited("ao", ';'),
            lifetime: TokenMinter::DEFAULT_LIFETIME,
            prefix: Box::default(),
            index: None,
            revocations: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets the claim that the list is written into, and how; it has a name, and is not nested.
    /// Default: `ao`, with semicolons.
    pub fn claim(mut self, claim: OriginsClaim) -> Self {
        self.claim = claim;
        self
    }

    /// Sets how long tokens live unless an order says otherwise, in whole seconds. Default: 1 hour;
    /// at most 8 hours.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Sets what stands directly before the token wherever it is presented, such as `psat=`.
    /// Default: nothing.
    pub fn prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the index that tokens are registered with before they are handed out. Its
    /// [revocations](IssuedIndex::revocations) are the minter's.
    pub fn index(mut self, index: IssuedIndex) -> Self {
        self.index = Some(index);
        self
    }

    /// Sets the list by which sessions are revoked, for a minter without an index: no token is
    /// minted for a revoked session, and the list names the claim of the session.
    pub fn revocations(mut self, revocations: impl Into<Revocations>) -> Self {
        self.revocations = Some(revocations.into());
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// The terms, once every mistake has been looked for. `mistake` is that of the key.
    fn terms(
        self,
        mistake: Option<MinterConfigError>,
    ) -> Result<(K, MintTerms), MinterConfigErrors> {
        const RESERVED: [&str; 6] = ["iss", "aud", "nbf", "iat", "exp", "jti"];
        let mut errors = Vec::from_iter(mistake);
        if self.issuer.is_empty() {
            errors.push(MinterConfigError::Issuer);
        }
        if self.audience.is_empty() {
            errors.push(MinterConfigError::Audience);
        }
        let claim = self.claim.writable_name().unwrap_or_default();
        let mistake = match self.claim.mistake() {
            Some(mistake) => Some(mistake),
            None if claim.is_empty() => {
                Some("only a text or array at the top level can be written")
            }
            None if RESERVED.contains(&claim) => Some("its name has a meaning of its own"),
            None => None,
        };
        errors.extend(mistake.map(MinterConfigError::Claim));
        let seconds = self.lifetime.as_secs();
        if !(1..=TokenMinter::MAX_LIFETIME.as_secs()).contains(&seconds) {
            errors.push(MinterConfigError::Lifetime { seconds });
        }
        let of_index = self.index.as_ref().map(IssuedIndex::revocations);
        if let (Some(own), Some(of_index)) = (&self.revocations, of_index)
            && !own.is(of_index)
        {
            errors.push(MinterConfigError::Revocations);
        }
        let revocations = of_index.or(self.revocations.as_ref()).cloned();
        let session_claim = revocations.as_ref().map_or(
            Revocations::DEFAULT_SESSION_CLAIM,
            Revocations::session_claim,
        );
        let is_taken = session_claim == claim || RESERVED.contains(&session_claim);
        if session_claim.is_empty() || is_taken {
            errors.push(MinterConfigError::SessionClaim(session_claim.to_owned()));
        }
        MinterConfigErrors::none_or(errors, || ())?;
        let terms = MintTerms {
            claim: claim.into(),
            format: self.claim.format(),
            session_claim: session_claim.into(),
            revocations,
            issuer: self.issuer,
            audience: self.audience,
            lifetime: self.lifetime,
            prefix: self.prefix,
            index: self.index,
            clock: self.clock,
        };
        Ok((self.key, terms))
    }
}

impl TokenMinterBuilder {
    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// Every mistake, not only the first.
    pub fn build(self) -> Result<TokenMinter, MinterConfigErrors> {
        let (key, terms) = self.terms(None)?;
        Ok(TokenMinter { key, terms })
    }
}

impl TokenMinterBuilder<Arc<dyn Signer>> {
    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// Every mistake, not only the first.
    pub fn build(self) -> Result<RemoteMinter, MinterConfigErrors> {
        let is_empty = self.key.key_id().is_some_and(str::is_empty);
        let (signer, terms) = self.terms(is_empty.then_some(MinterConfigError::KeyId))?;
        Ok(RemoteMinter::new(signer, terms))
    }
}

impl<K: fmt::Debug> fmt::Debug for TokenMinterBuilder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMinterBuilder")
            .field("key", &self.key)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("claim", &self.claim)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
