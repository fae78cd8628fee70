//! [`ByteSet`]: many short byte strings in two allocations.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;

use super::grammar::MAX_ORIGIN_LEN;

/// A set of byte strings, each at most [`MAX_ORIGIN_LEN`] bytes long, that only grows.
///
/// All strings are in one buffer; a linear-probing table of offsets finds them. A
/// `HashSet<Box<[u8]>>` would need an allocation for each string.
#[derive(Default)]
pub(super) struct ByteSet<S = RandomState> {
    bytes: Vec<u8>,
    /// Their number is zero or a power of two, so that a mask maps a hash to a slot.
    slots: Vec<Slot>,
    len: usize,
    hasher: S,
}

impl<S: BuildHasher> ByteSet<S> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Reserves room for this many more strings and bytes.
    pub(super) fn reserve(&mut self, strings: usize, bytes: usize) {
        self.bytes.reserve(bytes);
        self.make_room(self.len.saturating_add(strings));
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
        if slots_for(self.len) < self.slots.len() {
            self.rehash(slots_for(self.len));
        }
    }

    /// Adds the string. Returns whether it is new.
    pub(super) fn insert(&mut self, string: &[u8]) -> bool {
        debug_assert!(string.len() <= MAX_ORIGIN_LEN, "the grammar bounds origins");
        self.make_room(self.len + 1);
        let hash = self.hash(string);
        let Err(free) = self.find(hash, string) else {
            return false;
        };
        self.slots[free] = Slot::new(hash, self.bytes.len(), string.len());
        self.bytes.extend_from_slice(string);
        self.len += 1;
        true
    }

    #[inline]
    pub(super) fn contains(&self, string: &[u8]) -> bool {
        // A longer string cannot be in the set; do not spend time on hashing it.
        self.len > 0
            && string.len() <= MAX_ORIGIN_LEN
            && self.find(self.hash(string), string).is_ok()
    }

    #[inline]
    fn hash(&self, string: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(string);
        hasher.finish()
    }

    /// The slot of the string, or the free one where it would be inserted.
    #[inline]
    fn find(&self, hash: u64, string: &[u8]) -> Result<usize, usize> {
        let wanted = Slot::new(hash, 0, string.len());
        let last = self.slots.len() - 1;
        // The lower bits of the hash choose the slot. The upper ones are stored in it, so that most
        // other strings are told apart without reading their bytes.
        let mut at = hash as usize & last;
        loop {
            let slot = self.slots[at];
            if slot.is_free() {
                return Err(at);
            }
            if slot.resembles(wanted) && self.string(slot) == string {
                return Ok(at);
            }
            at = (at + 1) & last;
        }
    }

    /// The strings, in the order in which they were inserted.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let filled = self.slots.iter().copied().filter(|slot| !slot.is_free());
        let mut filled: Vec<Slot> = filled.collect();
        filled.sort_unstable_by_key(|slot| slot.start());
        filled.into_iter().map(|slot| self.string(slot))
    }

    fn string(&self, slot: Slot) -> &[u8] {
        &self.bytes[slot.start()..slot.start() + slot.len()]
    }

    fn make_room(&mut self, strings: usize) {
        if slots_for(strings) > self.slots.len() {
            self.rehash(slots_for(strings));
        }
    }

    fn rehash(&mut self, count: usize) {
        let slots = std::mem::replace(&mut self.slots, vec![Slot::default(); count]);
        for slot in slots.into_iter().filter(|slot| !slot.is_free()) {
            let string = self.string(slot);
            let hash = self.hash(string);
            if let Err(free) = self.find(hash, string) {
                self.slots[free] = slot;
            }
        }
    }
}

/// Twice as many as strings, so that a search soon meets a free slot.
fn slots_for(strings: usize) -> usize {
    match strings {
        0 => 0,
        _ => (2 * strings).next_power_of_two(),
    }
}

/// From the top: 16 bits of the hash, 38 bits for the offset of the string, and 10 bits for its
/// length plus one. So zero is a free slot.
#[derive(Clone, Copy, Default)]
struct Slot(u64);

impl Slot {
    const LEN_BITS: u32 = 10;
    const LEN: u64 = (1 << Self::LEN_BITS) - 1;
    const HASH: u64 = 0xffff << 48;

    fn new(hash: u64, start: usize, len: usize) -> Self {
        Self(hash & Self::HASH | (start as u64) << Self::LEN_BITS | (len as u64 + 1))
    }

    fn is_free(self) -> bool {
        self.0 == 0
    }

    /// Whether hash and length say that the strings may be equal.
    fn resembles(self, other: Self) -> bool {
        (self.0 ^ other.0) & (Self::HASH | Self::LEN) == 0
    }

    fn start(self) -> usize {
        ((self.0 & !Self::HASH) >> Self::LEN_BITS) as usize
    }

    fn len(self) -> usize {
        (self.0 & Self::LEN) as usize - 1
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, hash::BuildHasherDefault};

    use proptest::prelude::*;

    use super::*;

    /// Few hashes, which differ in the lower bits, in the upper ones, or in neither.
    #[derive(Default)]
    struct Weak(u64);

    impl Hasher for Weak {
        fn write(&mut self, bytes: &[u8]) {
            let sum: u64 = bytes.iter().map(|&byte| u64::from(byte)).sum();
            self.0 = (sum & 1) << 63 | (sum & 2);
        }

        fn finish(&self) -> u64 {
            self.0
        }
    }

    /// Strings of which many are equal, or differ in one byte.
    fn strings() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let long = (0..MAX_ORIGIN_LEN, 0_u8..3).prop_map(|(at, byte)| {
            let mut string = vec![b'a'; MAX_ORIGIN_LEN];
            string[at] += byte;
            string
        });
        let short = proptest::collection::vec(b'a'..=b'c', 0..5);
        proptest::collection::vec(prop_oneof![3 => short, 1 => long], 0..80)
    }

    fn agrees<S: BuildHasher + Default>(
        inserted: &[Vec<u8>],
        probed: &[Vec<u8>],
        reserved: usize,
    ) -> Result<(), TestCaseError> {
        let mut model = HashSet::new();
        let mut set = ByteSet::<S>::default();
        set.reserve(reserved, 0);
        for string in inserted {
            prop_assert_eq!(set.insert(string), model.insert(string));
        }
        set.shrink_to_fit();
        prop_assert_eq!(set.len(), model.len());
        for string in inserted.iter().chain(probed) {
            prop_assert_eq!(set.contains(string), model.contains(string));
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn agrees_with_the_set_of_the_standard_library(
            inserted in strings(),
            probed in strings(),
            reserved in 0_usize..200,
        ) {
            agrees::<RandomState>(&inserted, &probed, reserved)?;
            agrees::<BuildHasherDefault<Weak>>(&inserted, &probed, reserved)?;
        }
    }

    #[test]
    fn what_is_longer_than_an_origin_is_not_there() {
        let mut set: ByteSet = ByteSet::default();
        assert!(!set.contains(b""));
        set.insert(b"");
        assert!(set.contains(b""));
        assert!(!set.contains(&[0; 1024]));
        assert!(!set.contains(&[0; 1 << 16]));
    }
}
