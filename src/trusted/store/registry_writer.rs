use crate::trusted::{
    registry::{OriginRegistry, VersionRegressed},
    source::{Change, Position, SourceSnapshot},
};

/// Writes into a registry, for those who keep one in step by other means than a
/// [`Replica`](crate::trusted::replica::Replica), or who test a source. A registry has one writer.
///
/// ```
/// use std::time::Duration;
/// use tower_cors::trusted::{
///     entry::{OriginRecord, Version},
///     registry::OriginRegistry,
///     source::{Change, SourceSnapshot},
///     store::RegistryWriter,
/// };
///
/// let origins = OriginRegistry::new();
/// let writer = RegistryWriter::new(&origins);
/// writer.load(SourceSnapshot::new(), Version::new(1))?;
///
/// let mut shop = OriginRecord::new("0000000000000001", "Shop", "https://shop.example");
/// shop.scopes = vec!["CORS".to_owned()];
/// let (at, row) = (Version::new(2).into(), shop.into());
/// assert!(writer.apply(Change::Put { at, row }));
/// assert!(origins.is_trusted(&"https://shop.example".parse().unwrap()));
///
/// // An older state is not taken.
/// assert!(writer.load(SourceSnapshot::new(), Version::new(1)).is_err());
/// # Ok::<(), tower_cors::trusted::registry::VersionRegressed>(())
/// ```
#[derive(Clone, Debug)]
pub struct RegistryWriter {
    origins: OriginRegistry,
}

impl RegistryWriter {
    /// A writer of this registry.
    pub fn new(origins: &OriginRegistry) -> Self {
        Self {
            origins: origins.clone(),
        }
    }

    /// Serves what a source holds, in place of what is served. Returns whether anything has
    /// changed. The content is as old as the snapshot's [age](SourceSnapshot::set_age) says.
    ///
    /// # Errors
    ///
    /// A version that is less than the one that is served: the source has gone back in time, and
    /// its content is not taken.
    pub fn load(
        &self,
        snapshot: SourceSnapshot,
        at: impl Into<Position>,
    ) -> Result<bool, VersionRegressed> {
        let now = self.origins.freshness().now();
        self.origins.apply_load(snapshot, &at.into(), now)
    }

    /// Serves what a source says has changed. Returns whether anything has: a change that is older
    /// than what is served, or already in it, has been seen before. At a [`Change::Reload`], and at
    /// a change that [contradicts](Position::contradicts) the registry's position, call
    /// [`load`](Self::load) instead.
    pub fn apply(&self, change: Change) -> bool {
        let now = self.origins.freshness().now();
        self.origins.apply(change, now)
    }
}
