use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{policy::DenialKind, time::Stopwatch};

/// Limits the events of each kind and second. Any client can cause events, and could otherwise fill
/// the log and hide important lines.
///
/// Each kind is counted by itself, so that a flood of one kind does not hide another.
pub(crate) struct Limiter {
    started: Stopwatch,
    windows: [AtomicU64; KINDS],
}

/// At least as many as there are kinds. With fewer, two kinds would share a count.
const KINDS: usize = 16;

/// The most events of one kind that a layer logs in a second.
pub(crate) const EVENTS_A_SECOND: u32 = 20;

/// A second, and the number of events in it, including those that were not logged. Packed into one
/// atomic integer, so that requests never wait for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    second: u32,
    events: u32,
}

impl Limiter {
    pub(crate) fn new() -> Self {
        Self {
            started: Stopwatch::start(),
            windows: Default::default(),
        }
    }

    /// `None` if this event must not be logged; else how many of its kind were left out since the
    /// last one.
    pub(super) fn admit(&self, kind: DenialKind) -> Option<u32> {
        self.admit_nth(kind as usize)
    }

    /// The same for events that have kinds of their own, by number. A limiter serves one layer.
    pub(crate) fn admit_nth(&self, kind: usize) -> Option<u32> {
        let second = u32::try_from(self.started.elapsed().as_secs()).unwrap_or(u32::MAX);
        self.admit_at(kind, second)
    }

    fn admit_at(&self, kind: usize, second: u32) -> Option<u32> {
        let window = &self.windows[kind % KINDS];
        let next = |packed| Some(Window::unpack(packed).next(second).pack());
        // Relaxed, because no other memory depends on this number.
        let before = window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let before = Window::unpack(before.unwrap_or_else(|packed| packed));
        before.admits(second)
    }
}

impl Window {
    fn next(self, second: u32) -> Self {
        // A thread that was suspended may report an earlier second: count it in the current one.
        if self.second >= second {
            Self {
                events: self.events.saturating_add(1),
                ..self
            }
        } else {
            Self { second, events: 1 }
        }
    }

    fn admits(self, second: u32) -> Option<u32> {
        if self.second >= second {
            (self.events < EVENTS_A_SECOND).then_some(0)
        } else {
            Some(self.events.saturating_sub(EVENTS_A_SECOND))
        }
    }

    fn pack(self) -> u64 {
        u64::from(self.second) << 32 | u64::from(self.events)
    }

    fn unpack(packed: u64) -> Self {
        Self {
            second: (packed >> 32) as u32,
            events: packed as u32,
        }
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DenialKind::{InvalidToken, OriginNotAllowed};

    #[test]
    fn a_flood_is_cut_and_counted() {
        let limiter = Limiter::new();
        let (origin_not_allowed, invalid_token) =
            (OriginNotAllowed as usize, InvalidToken as usize);
        for second in [0, 7] {
            for _ in 0..EVENTS_A_SECOND {
                let untold = limiter.admit_at(origin_not_allowed, second);
                assert!(untold.is_some(), "{second}");
            }
            for _ in 0..5 {
                assert_eq!(limiter.admit_at(origin_not_allowed, second), None);
            }
            // A late thread does not open the second anew.
            assert_eq!(limiter.admit_at(origin_not_allowed, 0), None);
            // Another kind is not drowned.
            assert_eq!(limiter.admit_at(invalid_token, second), Some(0));
        }
        assert_eq!(limiter.admit_at(origin_not_allowed, 8), Some(6));
        assert_eq!(limiter.admit_at(origin_not_allowed, 8), Some(0));
    }

    #[test]
    fn every_kind_has_a_count_of_its_own() {
        assert!((DenialKind::Unavailable as usize) < KINDS);
    }
}
