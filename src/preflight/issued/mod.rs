//! The index of the origins in live tokens: [`IssuedIndex`].

mod error;
mod index;
mod live_tokens;
mod shared;
mod token;

pub use self::{
    error::RegisterError,
    index::IssuedIndex,
    token::{Issued, IssuedChanges, IssuedCursor, Merged},
};
