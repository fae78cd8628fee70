use std::time::Duration;

use serde_json::{Map, Value};

use crate::token::issue::AllowedOrigins;

/// What a token is to say, beside what a [`TokenMinter`](crate::token::issue::TokenMinter) always says.
#[derive(Clone, Debug)]
pub struct TokenOrder {
    pub(crate) origins: AllowedOrigins,
    pub(crate) session: Option<Box<str>>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) claims: Map<String, Value>,
}

impl TokenOrder {
    /// A token that lists these origins.
    pub fn new(origins: AllowedOrigins) -> Self {
        Self {
            origins,
            session: None,
            lifetime: None,
            claims: Map::new(),
        }
    }

    /// Names the session by which the index of issued origins can revoke the token. It does not
    /// become a claim by itself.
    #[must_use]
    pub fn session(mut self, session: impl Into<Box<str>>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// Makes the token's life shorter than the minter's tokens are by default, or longer, up to
    /// 8 hours; whole seconds.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Adds a claim. Those that the minter sets cannot be replaced: to try is an error of
    /// [`mint`](crate::token::issue::TokenMinter::mint).
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }
}
