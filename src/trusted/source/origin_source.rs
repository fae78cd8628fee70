use std::{fmt, future::Future, pin::Pin, sync::Arc};

use futures_util::Stream;

use super::{change::Change, error::SourceError, position::Position, snapshot::SourceSnapshot};

/// Where a registry's entries come from: something that can be read whole, and watched.
///
/// [`Replica`](crate::trusted::replica::Replica) keeps a registry in step with a source. It calls
/// [`watch`](Self::watch) first and [`load`](Self::load) then, and applies the changes
/// of the feed from the load's version on; so nothing is missed between the two. When the feed
/// ends or fails, it begins anew.
///
/// # Contract
///
/// * A **version** belongs to the whole store. Every change has a greater one than all changes
///   committed before it, deletions too: number under a lock, not from a sequence that commits out
///   of order. Several changes may share one if they were committed together, one for each entry;
///   an entry's own [`version`](crate::trusted::entry::OriginRecord::version) is then at most that
///   of its change.
/// * A **history** tells apart stores that have the same version: one that was restored from a
///   backup and edited since, or a new one under the old name. Give every change a
///   [`HistoryId`](crate::trusted::source::HistoryId) that no other history has at this version. A
///   source without one is loaded whole at each resync, so that another history is found by its
///   content.
/// * A **load** holds everything up to the position that it returns, as of one moment, or nothing
///   older than the version says. Rows that are not entries are pushed as they are: the snapshot
///   counts them.
/// * A **feed** brings every change that is committed after `watch` has resolved, in the order of
///   versions. A feed that may have lost something must end or fail; it must never be silent
///   about it.
///
/// ```
/// use tower_cors::trusted::{
///     entry::OriginRecord,
///     registry::OriginRegistry,
///     source::{ChangeFeed, OriginSource, Position, SourceFuture, SourceSnapshot},
///     store::RegistryWriter,
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
///     fn load<'a>(&'a self, snapshot: &'a mut SourceSnapshot) -> SourceFuture<'a, Position> {
///         for record in &self.0 {
///             snapshot.push(record.clone());
///         }
///         let at = snapshot.greatest_version().into();
///         Box::pin(std::future::ready(Ok(at)))
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
/// let mut snapshot = SourceSnapshot::new();
/// let at = source.load(&mut snapshot).await?;
/// let origins = OriginRegistry::new();
/// RegistryWriter::new(&origins).load(snapshot, at)?;
/// assert!(origins.is_trusted(&"https://shop.example".parse()?));
/// assert_eq!(origins.invalid_rows(), 1);
/// # Ok(())
/// # }
/// ```
pub trait OriginSource: fmt::Debug + Send + Sync + 'static {
    /// Opens a feed of changes; resolves when no later change can be missed.
    fn watch(&self) -> SourceFuture<'_, ChangeFeed>;

    /// Pushes every entry into `snapshot`, and says where the store was then. Await something now
    /// and then where there are many: changes that the feed brings are served between two polls.
    fn load<'a>(&'a self, snapshot: &'a mut SourceSnapshot) -> SourceFuture<'a, Position>;

    /// Provided: where the store is, if that is known without a load, and if a store at the same
    /// position as before is sure to hold the same. By default that is not known, and each resync
    /// loads everything.
    fn position(&self) -> SourceFuture<'_, Option<Position>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

// Sources are used behind pointers.
const _: Option<&dyn OriginSource> = None;

impl<S: OriginSource + ?Sized> OriginSource for Arc<S> {
    fn watch(&self) -> SourceFuture<'_, ChangeFeed> {
        (**self).watch()
    }

    fn load<'a>(&'a self, snapshot: &'a mut SourceSnapshot) -> SourceFuture<'a, Position> {
        (**self).load(snapshot)
    }

    fn position(&self) -> SourceFuture<'_, Option<Position>> {
        (**self).position()
    }
}

/// Future returned by an [`OriginSource`].
pub type SourceFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// Changes as they come: see [`OriginSource::watch`].
pub type ChangeFeed = Pin<Box<dyn Stream<Item = Result<Change, SourceError>> + Send>>;
