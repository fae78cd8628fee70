use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use crate::policy::DenialKind;

/// How many events of one kind may be told within a second: whoever can send requests could
/// otherwise fill the log, and drown what matters in it.
///
/// Each kind has its own count, so that a flood of one does not hide another.
pub(crate) struct Limiter {
    base: Instant,
    windows: [AtomicU64; KINDS],
}

/// No fewer than there are kinds; were there more, two would share a count.
const KINDS: usize = 16;

/// Of each kind, in each second, by each layer.
pub(crate) const EVENTS_A_SECOND: u32 = 20;

/// The second, and how many events there were in it, the untold ones too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    second: u32,
    events: u32,
}

impl Limiter {
    pub(crate) fn new() -> Self {
        Self {
            base: Instant::now(),
            windows: Default::default(),
        }
    }

    /// How many events of the kind were left untold since the last one that was told, if this one
    /// may be.
    pub(super) fn admit(&self, kind: DenialKind) -> Option<u32> {
        let second = u32::try_from(self.base.elapsed().as_secs()).unwrap_or(u32::MAX);
        self.admit_at(kind, second)
    }

    fn admit_at(&self, kind: DenialKind, second: u32) -> Option<u32> {
        let window = &self.windows[kind as usize % KINDS];
        let next = |packed| Some(Window::unpack(packed).next(second).pack());
        let before = window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let before = Window::unpack(before.unwrap_or_else(|packed| packed));
        before.admits(second)
    }
}

impl Window {
    fn next(self, second: u32) -> Self {
        // Seconds do not go back, but threads may be late.
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
        for second in [0, 7] {
            for _ in 0..EVENTS_A_SECOND {
                let untold = limiter.admit_at(OriginNotAllowed, second);
                assert!(untold.is_some(), "{second}");
            }
            for _ in 0..5 {
                assert_eq!(limiter.admit_at(OriginNotAllowed, second), None);
            }
            // A late thread does not open the second anew.
            assert_eq!(limiter.admit_at(OriginNotAllowed, 0), None);
            // Another kind is not drowned.
            assert_eq!(limiter.admit_at(InvalidToken, second), Some(0));
        }
        assert_eq!(limiter.admit_at(OriginNotAllowed, 8), Some(6));
        assert_eq!(limiter.admit_at(OriginNotAllowed, 8), Some(0));
    }

    #[test]
    fn every_kind_has_a_count_of_its_own() {
        assert!((DenialKind::Unavailable as usize) < KINDS);
    }
}
