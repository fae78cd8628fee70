use std::{fmt, future::Future, pin::Pin, sync::Arc};

use futures_util::Stream;

use super::{change::Change, error::SourceError, snapshot::SourceSnapshot};
use crate::trusted::entry::Version;

/// Where a registry's entries come from: something that can be read whole, and watched.
///
/// [`Replica`](crate::trusted::replica::Replica) keeps a registry in step with a source. It calls
/// [`watch`](Self::watch) first and [`load`](Self::load) then, and applies what the feed brings
/// from the load's version on; so nothing is missed between the two. When the feed
/// ends or fails, it begins anew.
///
/// # Contract
///
/// * A **version** belongs to the whole store. Every change has a greater one than all changes
///   committed before it, deletions too: number under a lock, not from a sequence that commits out
///   of order. Several changes may share one if they were committed together, one for each entry;
///   an entry's own [`version`](crate::trusted::entry::OriginRecord::version) is then at most that of its change.
/// * A **load** holds everything up to the version that it returns, as of one moment, or nothing
///   older than the version says. What is no entry is pushed as it is: the load counts it.
/// * A **feed** brings every change that is committed after `watch` has resolved, in the order of
///   versions. A feed that may have lost something must end or fail; it must never be silent
///   about it.
///
/// ```
/// use tower_cors::trusted::{
///     entry::{OriginRecord, Version},
///     registry::OriginRegistry,
///     source::{ChangeFeed, SourceSnapshot, OriginSource, SourceFuture},
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
///     fn load<'a>(&'a self, load: &'a mut SourceSnapshot) -> SourceFuture<'a, Version> {
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
/// let mut load = SourceSnapshot::new();
/// let version = source.load(&mut load).await?;
/// let origins = OriginRegistry::new();
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
    fn load<'a>(&'a self, load: &'a mut SourceSnapshot) -> SourceFuture<'a, Version>;

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

    fn load<'a>(&'a self, load: &'a mut SourceSnapshot) -> SourceFuture<'a, Version> {
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
