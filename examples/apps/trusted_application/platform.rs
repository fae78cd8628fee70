use crate::{Error, applications::Applications, tokens::Tokens};

/// What both hosts share.
pub(crate) struct Platform {
    pub(crate) tokens: Tokens,
    pub(crate) applications: Applications,
}

impl Platform {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self {
            tokens: Tokens::new()?,
            applications: Applications::default(),
        })
    }
}
