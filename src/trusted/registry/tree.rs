//! [`Node`]: a tree of hashes that shares with its clones what no edit has changed.

use std::sync::Arc;

use crate::trusted::entry::TrustedOrigin;

/// The entries whose hashes begin alike, from the lowest bits on.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Leaf(Arc<Vec<Slot>>),
    Branch(Arc<[Node; FAN_OUT]>),
}

#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) hash: u64,
    pub(super) entry: Arc<TrustedOrigin>,
}

const FAN_OUT: usize = 16;

const BITS: u32 = FAN_OUT.trailing_zeros();

/// A longer leaf becomes a branch.
const MAX_LEAF: usize = 24;

impl Default for Node {
    fn default() -> Self {
        Self::Leaf(Arc::default())
    }
}

impl Node {
    pub(super) fn leaf(&self, hash: u64) -> &[Slot] {
        let mut node = self;
        let mut rest = hash;
        loop {
            match node {
                Self::Leaf(slots) => return slots,
                Self::Branch(children) => node = &children[child(rest)],
            }
            rest >>= BITS;
        }
    }

    pub(super) fn insert(&mut self, slot: Slot, depth: u32) {
        match self {
            Self::Branch(children) => {
                let at = child(slot.hash >> (depth * BITS));
                Arc::make_mut(children)[at].insert(slot, depth + 1);
            }
            // Entries of one hash cannot be told apart by more levels.
            Self::Leaf(slots) if slots.len() < MAX_LEAF || depth * BITS >= u64::BITS => {
                Arc::make_mut(slots).push(slot);
            }
            Self::Leaf(slots) => {
                let mut children: [Node; FAN_OUT] = std::array::from_fn(|_| Node::default());
                for slot in slots.iter().cloned().chain([slot]) {
                    children[child(slot.hash >> (depth * BITS))].insert(slot, depth + 1);
                }
                *self = Self::Branch(Arc::new(children));
            }
        }
    }

    pub(super) fn remove(&mut self, hash: u64, entry: &TrustedOrigin, depth: u32) -> bool {
        match self {
            Self::Branch(children) => {
                let at = child(hash >> (depth * BITS));
                Arc::make_mut(children)[at].remove(hash, entry, depth + 1)
            }
            Self::Leaf(slots) => {
                let is_it = |slot: &Slot| slot.entry.id() == entry.id();
                match slots.iter().position(is_it) {
                    Some(at) => {
                        Arc::make_mut(slots).swap_remove(at);
                        true
                    }
                    None => false,
                }
            }
        }
    }
}

fn child(hash: u64) -> usize {
    usize::try_from(hash % FAN_OUT as u64).expect("less than 16")
}
