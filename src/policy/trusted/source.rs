use std::{error::Error, fmt, future::Future, pin::Pin, sync::Arc};

use futures_util::Stream;

use super::{Actor, EntryError, EntryId, Load, OriginRecord, TrustedOrigin, Version};

/// Where a registry's entries come from: something that can be read whole, and watched.
///
/// [`Replica`](super::Replica) keeps a registry in step with a source. It calls
/// [`watch`](Self::watch) first and [`load`](Self::load) then, and applies what the feed brings
/// from the load's version on; so nothing is missed between the two. When the feed
/// ends or fails, it begins anew.
///
/// # Contract
///
/// * A **version** belongs to the whole store. Every change has a greater one than all changes
///   committed before it, deletions too: number under a lock, not from a sequence that commits out
///   of order. Several changes may share one if they were committed together, one for each entry;
///   an entry's own [`version`](OriginRecord::version) is then at most that of its change.
/// * A **load** holds everything up to the version that it returns, as of one moment, or nothing
///   older than the version says. What is no entry is pushed as it is: the load counts it.
/// * A **feed** brings every change that is committed after `watch` has resolved, in the order of
///   versions. A feed that may have lost something must end or fail; it must never be silent
///   about it.
///
/// ```
/// use tower_cors::trusted::{
///     ChangeFeed, Load, OriginRecord, OriginSource, SourceFuture, TrustedOrigins, Version,
/// };
///
/// /// Something that can be asked, and never tells by itself.
/// #[derive(Debug)]
/// struct Polled(Vec<OriginRecord>);
///
/// impl OriginSource for Polled {
///     fn watch(&self) -> SourceFuture<'_, ChangeFeed> {
///         // Loads alone bring its changes: see `Replica::resync_every`.
///         let silence: ChangeFeed = Box::pin(futures_util::stream::pending());
///         Box::pin(std::future::ready(Ok(silence)))
///     }
///
///     fn load<'a>(&'a self, load: &'a mut Load) -> SourceFuture<'a, Version> {
///         for record in &self.0 {
///             load.push(record.clone());
///         }
///         let version = load.greatest_version();
///         Box::pin(std::future::ready(Ok(version)))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut good = OriginRecord::new("0000000000000001", "Shop", "https://shop.example");
/// good.scopes = vec!["CORS".to_owned()];
/// let bad = OriginRecord::new("0000000000000002", "Docs", "docs.example");
/// let source = Polled(vec![good, bad]);
///
/// let mut load = Load::new();
/// let version = source.load(&mut load).await?;
/// let origins = TrustedOrigins::new();
/// origins.apply_load(load, version)?;
/// assert!(origins.is_trusted(&"https://shop.example".parse()?));
/// assert_eq!(origins.invalid_rows(), 1);
/// # Ok(())
/// # }
/// ```
pub trait OriginSource: fmt::Debug + Send + Sync + 'static {
    /// Opens a feed of changes; resolves when no later change can be missed.
    fn watch(&self) -> SourceFuture<'_, ChangeFeed>;

    /// Pushes every entry into `load`, and says at which version that was. Await something now and
    /// then where there are many: what the feed brings meanwhile is applied between.
    fn load<'a>(&'a self, load: &'a mut Load) -> SourceFuture<'a, Version>;

    /// Provided: at which version the source is, if that is known without a load; and if at the
    /// same version as before, it is sure to hold the same. By default that is not known, and each
    /// resync loads everything.
    fn version(&self) -> SourceFuture<'_, Option<Version>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

// Sources are used behind pointers.
const _: Option<&dyn OriginSource> = None;

impl<S: OriginSource + ?Sized> OriginSource for Arc<S> {
    fn watch(&self) -> SourceFuture<'_, ChangeFeed> {
        (**self).watch()
    }

    fn load<'a>(&'a self, load: &'a mut Load) -> SourceFuture<'a, Version> {
        (**self).load(load)
    }

    fn version(&self) -> SourceFuture<'_, Option<Version>> {
        (**self).version()
    }
}

/// What a source has to be waited for.
pub type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// Changes as they come: see [`OriginSource::watch`].
pub type ChangeFeed = Pin<Box<dyn Stream<Item = Result<Change, SourceError>> + Send>>;

/// What a feed brings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Change {
    /// There is a new entry, or a new content of one.
    Put {
        /// When.
        version: Version,
        /// The row with the entry.
        row: Row,
    },
    /// An entry is gone.
    Delete {
        /// When.
        version: Version,
        /// Which.
        id: EntryId,
        /// Who removed it, where the store tells.
        by: Option<Actor>,
    },
    /// Nothing else has changed up to this version. A source that says so every now and then
    /// lets the registry know that it is not stale.
    Current {
        /// Up to when.
        version: Version,
    },
    /// More has changed than the feed brings one by one: the whole has to be loaded.
    Reload {
        /// Since when there is something to load.
        version: Version,
    },
}

impl Change {
    /// When the change was committed.
    pub fn version(&self) -> Version {
        match self {
            Self::Put { version, .. }
            | Self::Delete { version, .. }
            | Self::Current { version }
            | Self::Reload { version } => *version,
        }
    }

    pub(super) fn is_reload(&self) -> bool {
        matches!(self, Self::Reload { .. })
    }
}

/// A row of a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Row {
    /// A record that is not checked yet.
    Record(Box<OriginRecord>),
    /// An entry.
    Entry(Arc<TrustedOrigin>),
    /// Something that is not even a record.
    Invalid {
        /// The row's key in the store.
        key: String,
        /// What is wrong with it.
        error: EntryError,
    },
}

impl Row {
    /// The row's key: the id, if it has one.
    pub fn key(&self) -> String {
        match self {
            Self::Record(record) => record.id.clone(),
            Self::Entry(entry) => entry.id().to_string(),
            Self::Invalid { key, .. } => key.clone(),
        }
    }

    pub(super) fn check(self) -> Result<Arc<TrustedOrigin>, InvalidRow> {
        let (key, error) = match self {
            Self::Entry(entry) => return Ok(entry),
            Self::Invalid { key, error } => (key, error),
            Self::Record(record) => match record.check() {
                Ok(entry) => return Ok(Arc::new(entry)),
                Err(error) => (record.id, error),
            },
        };
        Err(InvalidRow { key, error })
    }
}

impl From<OriginRecord> for Row {
    fn from(record: OriginRecord) -> Self {
        Self::Record(Box::new(record))
    }
}

impl From<Arc<TrustedOrigin>> for Row {
    fn from(entry: Arc<TrustedOrigin>) -> Self {
        Self::Entry(entry)
    }
}

/// A row that is no entry. It is skipped, counted and reported; the rest is served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {key:?}: {error}")]
#[non_exhaustive]
pub struct InvalidRow {
    /// The row's key in the store.
    pub key: String,
    /// What is wrong with it.
    pub error: EntryError,
}

impl InvalidRow {
    /// For a store that has found it.
    pub fn new(key: impl fmt::Display, error: EntryError) -> Self {
        Self {
            key: key.to_string(),
            error,
        }
    }
}

/// Why a source cannot be read for now. Keep secrets out of it: it is shown to administrators.
#[derive(Clone, Debug)]
pub struct SourceError(Arc<str>);

impl SourceError {
    /// An error with this text.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string().into())
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for SourceError {}
