//! Explanations: what a layer makes of a request, why, and what would have to change.
//!
//! [`CorsLayer::explain`](crate::CorsLayer::explain) asks the layer's own policy and takes its own
//! decision, then describes both in an [`Explanation`]. Nothing here decides a second time.

mod browser;
mod code;
mod display;
mod explanation;
mod finding;
mod notes;
mod of_denial;
mod of_mode;
#[cfg(feature = "serde")]
mod serialise;
mod taken_for;
mod wrap;

pub use self::{
    browser::{Block, CredentialsMode, Reading},
    explanation::Explanation,
    finding::{Finding, FixCode},
    taken_for::TakenFor,
};
