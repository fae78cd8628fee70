//! Causes in words: what happened, what a browser's console says, and what to do.

#[cfg(test)]
mod builds;
mod console;
mod fix;
mod fix_code;
mod layer_code;
mod server;
mod status;
mod summary;

pub(crate) use self::{
    console::console,
    fix::{Fix, fix},
    summary::summary,
};
use crate::{browse::Course, case::Case, lab::Lab};

/// What explanations are made from.
pub(crate) struct Context<'a> {
    pub(crate) case: &'a Case,
    pub(crate) course: &'a Course,
    pub(crate) lab: &'a Lab<'a>,
}
