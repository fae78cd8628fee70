use std::{fmt, sync::Arc};

use super::error::EntryError;

/// Who makes a change: a user name, a mail address, the name of a job.
///
/// One to 255 characters, none of them a control character. Cloning is one reference count.
///
/// ```
/// use tower_cors::trusted::entry::Actor;
///
/// assert_eq!(Actor::new("admin@example.com")?.as_str(), "admin@example.com");
/// assert!(Actor::new("").is_err());
/// # Ok::<(), tower_cors::trusted::entry::EntryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor(pub(super) Arc<str>);

impl Actor {
    /// The actor with this name.
    ///
    /// # Errors
    ///
    /// Nothing, more than 255 characters, or a control character.
    pub fn new(name: &str) -> Result<Self, EntryError> {
        match super::draft::name_error(name) {
            None => Ok(Self(name.into())),
            Some(reason) => Err(EntryError::Actor(reason)),
        }
    }

    /// Who it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
