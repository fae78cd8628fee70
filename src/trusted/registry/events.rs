use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::Stream;

use super::subscribers::{News, Subscription};
use crate::trusted::entry::{Actor, Status, TrustedOrigin, Version};

/// A change of a registry, and the version with which it came.
///
/// The change is served before the event is delivered. The registry may have changed again since.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OriginEvent {
    /// The store's version. It never is less than that of an earlier event.
    pub version: Version,
    /// What has changed.
    pub kind: OriginEventKind,
}

/// What has changed in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginEventKind {
    /// The registry was empty, and now holds what its source had.
    Loaded {
        /// How many entries there are.
        entries: usize,
    },
    /// There is a new entry.
    Created {
        /// The entry.
        entry: Arc<TrustedOrigin>,
    },
    /// An entry has other content; its status may be another one, too.
    Replaced {
        /// The entry as it was.
        before: Arc<TrustedOrigin>,
        /// The entry as it is.
        entry: Arc<TrustedOrigin>,
    },
    /// An entry counts again, and is the same otherwise.
    Activated {
        /// The entry.
        entry: Arc<TrustedOrigin>,
    },
    /// An entry counts no more, and is the same otherwise.
    Deactivated {
        /// The entry.
        entry: Arc<TrustedOrigin>,
    },
    /// An entry is gone, or its row has become no entry.
    Deleted {
        /// The entry as it was.
        entry: Arc<TrustedOrigin>,
        /// Who removed it, where the store tells.
        by: Option<Actor>,
    },
}

impl OriginEventKind {
    /// An entry was written where this one was `before`.
    pub(crate) fn put(before: Option<Arc<TrustedOrigin>>, entry: Arc<TrustedOrigin>) -> Self {
        let Some(before) = before else {
            return Self::Created { entry };
        };
        let status = entry.status();
        let is_same_otherwise = before.draft().clone().with_status(status) == *entry.draft();
        if before.status() == status || !is_same_otherwise {
            return Self::Replaced { before, entry };
        }
        match status {
            Status::Active => Self::Activated { entry },
            Status::Inactive => Self::Deactivated { entry },
        }
    }
}

/// An item of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Received {
    /// The next change.
    Event(OriginEvent),
    /// The subscriber was too slow: so many changes before the next one are lost to it. The
    /// registry itself is not affected; read it again where every change matters.
    Lagged(u64),
}

/// The changes of what a registry serves, each once and in order: see
/// [`OriginRegistry::subscribe`](crate::trusted::registry::OriginRegistry::subscribe).
///
/// A stream, which ends with the registry. At most `capacity` changes wait for their subscriber;
/// beyond that the oldest are dropped, and their number is received in their place.
pub struct Events {
    subscription: Subscription<OriginEvent>,
}

impl Events {
    pub(crate) fn new(subscription: Subscription<OriginEvent>) -> Self {
        Self { subscription }
    }

    /// The next change, if there is one already.
    pub fn try_next(&mut self) -> Option<Received> {
        self.subscription.try_next().map(Received::from)
    }
}

impl From<News<OriginEvent>> for Received {
    fn from(news: News<OriginEvent>) -> Self {
        match news {
            News::Item(event) => Self::Event(event),
            News::Missed(count) => Self::Lagged(count),
        }
    }
}

impl Stream for Events {
    type Item = Received;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        let next = Pin::new(&mut self.subscription).poll_next(cx);
        next.map(|news| news.map(Received::from))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
