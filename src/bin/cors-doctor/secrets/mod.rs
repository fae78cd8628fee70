//! Hides secrets in all output, unless `--show-secrets`, and escapes everything else.

mod escape;
mod names;
mod redactor;
mod users;
mod words;

pub(crate) use self::{
    names::{is_secret, is_subprotocol},
    redactor::Redactor,
};
