//! An embedded store, read by replicas.

use std::future::ready;

use futures_util::StreamExt;

use super::embedded::EmbeddedStore;
use crate::trusted::{
    registry::News,
    source::{ChangeFeed, OriginSource, Position, SourceError, SourceFuture, SourceSnapshot},
};

/// How many changes wait for a replica before it has to load anew.
const FEED_CAPACITY: usize = 4096;

impl OriginSource for EmbeddedStore {
    fn watch(&self) -> SourceFuture<'_, ChangeFeed> {
        let changes = self.origins().follow(FEED_CAPACITY).map(|news| match news {
            News::Item(change) => Ok(change),
            News::Missed(missed) => Err(SourceError::new(format_args!(
                "the replica was too slow and has missed {missed} changes"
            ))),
        });
        let feed: ChangeFeed = Box::pin(changes);
        Box::pin(ready(Ok(feed)))
    }

    fn load<'a>(&'a self, snapshot: &'a mut SourceSnapshot) -> SourceFuture<'a, Position> {
        // While the file cannot be taken, the entries are as old as the last look at it.
        snapshot.set_age(self.origins().staleness().unwrap_or_default());
        let (at, entries) = self.origins().contents();
        for entry in entries {
            snapshot.push(entry);
        }
        Box::pin(ready(Ok(at)))
    }

    fn position(&self) -> SourceFuture<'_, Option<Position>> {
        let is_true = self.origins().staleness().is_some_and(|age| age.is_zero());
        let at = is_true.then(|| self.origins().position());
        Box::pin(ready(Ok(at)))
    }
}
