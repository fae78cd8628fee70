//! Causes in words: what happened, what a browser's console says, and what to do.

#[cfg(test)]
mod builds;
mod console;
mod context;
mod fix;
mod fix_code;
mod layer_code;
mod server;
mod status;
mod summary;

pub(crate) use self::{
    console::console,
    context::Context,
    fix::{Fix, fix},
    summary::summary,
};
