use std::{fmt, time::Duration};

use serde_json::{Map, Value};

use crate::token::issue::AllowedOrigins;

/// The origins and claims of a token to be minted, beside the claims that a
/// [`TokenMinter`](crate::token::issue::TokenMinter) always sets.
///
/// The minter's example has an order that it fills, and one that it refuses.
#[derive(Clone)]
#[must_use = "an order is nothing until it is minted"]
pub struct TokenOrder {
    pub(crate) origins: AllowedOrigins,
    pub(crate) session: Option<Box<str>>,
    pub(crate) tenant: Option<Box<str>>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) claims: Map<String, Value>,
}

impl TokenOrder {
    /// A token that lists these origins.
    pub fn new(origins: AllowedOrigins) -> Self {
        Self {
            origins,
            session: None,
            tenant: None,
            lifetime: None,
            claims: Map::new(),
        }
    }

    /// Names the session by which the token can be [revoked](crate::revocation::Revocations). It
    /// becomes the claim that the list of revocations names, `sid` by default.
    pub fn session(mut self, session: impl Into<Box<str>>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Names the tenant, or customer, in whose share of the index of issued origins the token counts.
    /// It becomes no claim.
    pub fn tenant(mut self, tenant: impl Into<Box<str>>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Makes the token's life shorter than the minter's tokens are by default, or longer, up to
    /// 8 hours; whole seconds.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Adds a claim. Those that the minter sets cannot be replaced: to try is an error of
    /// [`mint`](crate::token::issue::TokenMinter::mint).
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }
}

/// Sessions and claims may be personal: their lengths and names are printed.
impl fmt::Debug for TokenOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenOrder")
            .field("origins", &self.origins)
            .field("session_len", &self.session.as_deref().map(str::len))
            .field("tenant", &self.tenant)
            .field("lifetime", &self.lifetime)
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish()
    }
}
