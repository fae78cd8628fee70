//! The command line: what is to be examined, and how.

mod command;
mod curl;
mod har;
mod help;
mod parse;
mod plan;
mod shell;

pub(crate) use self::{
    command::{Asked, Command, Planned},
    parse::parse,
};
