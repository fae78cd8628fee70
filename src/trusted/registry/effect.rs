use std::sync::Arc;

use super::events::{OriginEvent, OriginEventKind};
use crate::trusted::{
    entry::{Actor, TrustedOrigin},
    source::{Change, Position},
};

/// A change that has had an effect. The writer emits it once; followers get a [`Change`] made of it,
/// and subscribers an event.
pub(crate) enum Effect {
    /// The registry was empty, and holds so many entries now.
    Loaded { at: Position, entries: usize },
    Put {
        at: Position,
        before: Option<Arc<TrustedOrigin>>,
        entry: Arc<TrustedOrigin>,
    },
    Deleted {
        at: Position,
        entry: Arc<TrustedOrigin>,
        by: Option<Actor>,
    },
    /// Nothing but the version has changed.
    Current { at: Position },
}

impl Effect {
    /// The same for a replica that follows the registry.
    pub(crate) fn change(&self) -> Change {
        match self {
            Self::Loaded { at, .. } => Change::Reload { at: at.clone() },
            Self::Put { at, entry, .. } => Change::Put {
                at: at.clone(),
                row: Arc::clone(entry).into(),
            },
            Self::Deleted { at, entry, by } => Change::Delete {
                at: at.clone(),
                id: entry.id(),
                by: by.clone(),
            },
            Self::Current { at } => Change::Current {
                at: at.clone(),
                age: std::time::Duration::ZERO,
            },
        }
    }

    /// The same for a subscriber, who learns of entries only.
    pub(crate) fn into_event(self) -> Option<OriginEvent> {
        let (at, kind) = match self {
            Self::Loaded { at, entries } => (at, OriginEventKind::Loaded { entries }),
            Self::Put { at, before, entry } => (at, OriginEventKind::put(before, entry)),
            Self::Deleted { at, entry, by } => (at, OriginEventKind::Deleted { entry, by }),
            Self::Current { .. } => return None,
        };
        let version = at.version();
        Some(OriginEvent { version, kind })
    }
}
