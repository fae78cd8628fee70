//! What is kept back from all output unless `--show-secrets`, and how everything else is shown.

mod escape;
mod names;
mod redactor;
mod users;
mod words;

pub(crate) use self::{
    names::{is_secret, is_subprotocol},
    redactor::Redactor,
};
