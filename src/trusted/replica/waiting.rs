use std::time::Duration;

use crate::trusted::{entry::Version, source::Change};

/// Changes that have come while everything is loaded, and when they came.
///
/// A load may be long and the feed busy, so their number is bounded: beyond it, one reload stands
/// for all of them. A load that is older than that reload is followed by another load.
#[derive(Default)]
pub(super) struct Waiting {
    changes: Vec<(Change, Duration)>,
}

/// How many changes wait at most. With the usual rows these are some 50 MB.
const MOST: usize = 100_000;

impl Waiting {
    pub(super) fn push(&mut self, change: Change, received: Duration) {
        if let Some((last, _)) = self.changes.last() {
            // A bulk job sends a reload with each of its statements, and a quiet source confirms
            // every other second: the last one includes the ones before it.
            let is_repeated =
                last.is_reload() && change.is_reload() || is_current(last) && is_current(&change);
            if is_repeated {
                self.changes.pop();
            }
        }
        if self.changes.len() >= MOST {
            let at = change.at().clone();
            self.changes.clear();
            self.changes.push((Change::Reload { at }, received));
        } else {
            self.changes.push((change, received));
        }
    }

    /// The changes behind a load of this version, in their order: first those that a load can be
    /// brought up to date with, then those behind a reload.
    pub(super) fn behind(self, version: Version) -> (Vec<Change>, Behind) {
        let mut newer = self
            .changes
            .into_iter()
            .filter(|(change, _)| change.version() > version);
        let mut until_reload = Vec::new();
        for (change, _) in newer.by_ref() {
            if change.is_reload() {
                return (until_reload, Behind::Reload);
            }
            until_reload.push(change);
        }
        (until_reload, Behind::Nothing)
    }

    pub(super) fn has_reload_behind(&self, version: Version) -> bool {
        let mut changes = self.changes.iter();
        changes.any(|(change, _)| change.is_reload() && change.version() > version)
    }

    pub(super) fn into_changes(self) -> impl Iterator<Item = (Change, Duration)> {
        self.changes.into_iter()
    }
}

/// Whether more has changed than the collected changes, which a load is brought up to date with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    Nothing,
    /// More has changed than came one by one, so that another load is needed.
    Reload,
}

fn is_current(change: &Change) -> bool {
    matches!(change, Change::Current { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reload(version: u64) -> Change {
        let at = Version::new(version).into();
        Change::Reload { at }
    }

    fn gone(version: u64) -> Change {
        Change::Delete {
            at: Version::new(version).into(),
            id: crate::trusted::entry::EntryId::from_number(version).unwrap(),
            by: None,
        }
    }

    #[test]
    fn a_flood_of_changes_becomes_one_reload() {
        let mut waiting = Waiting::default();
        for version in 1..=MOST as u64 + 1 {
            waiting.push(gone(version), Duration::ZERO);
        }
        assert_eq!(waiting.changes.len(), 1);
        assert!(waiting.has_reload_behind(Version::new(MOST as u64)));
        assert!(!waiting.has_reload_behind(Version::new(MOST as u64 + 1)));
        for version in 1..1000 {
            waiting.push(reload(MOST as u64 + version), Duration::ZERO);
        }
        assert_eq!(waiting.changes.len(), 1);
    }

    #[test]
    fn only_what_a_load_does_not_have_stands_behind_it() {
        let mut waiting = Waiting::default();
        for change in [gone(1), reload(2), gone(3), gone(4), reload(5), gone(6)] {
            waiting.push(change, Duration::ZERO);
        }
        let (changes, behind) = waiting.behind(Version::new(3));
        let versions: Vec<_> = changes.iter().map(Change::version).collect();
        assert_eq!(versions, [Version::new(4)]);
        assert!(behind == Behind::Reload);
    }

    #[test]
    fn only_what_the_next_change_includes_makes_room_for_it() {
        let current = |version| Change::Current {
            at: Version::new(version).into(),
            age: Duration::ZERO,
        };
        for (first, second, len) in [
            (reload(1), reload(2), 1),
            (current(1), current(2), 1),
            (gone(1), gone(2), 2),
            (gone(1), current(2), 2),
            (gone(1), reload(2), 2),
            (current(1), gone(2), 2),
            (current(1), reload(2), 2),
            (reload(1), current(2), 2),
            (reload(1), gone(2), 2),
        ] {
            let both = format!("{first:?}, {second:?}");
            let mut waiting = Waiting::default();
            waiting.push(first, Duration::ZERO);
            waiting.push(second, Duration::ZERO);
            assert_eq!(waiting.changes.len(), len, "{both}");
            let (last, _) = waiting.changes.last().unwrap();
            assert_eq!(last.version(), Version::new(2), "{both}");
        }
    }
}
