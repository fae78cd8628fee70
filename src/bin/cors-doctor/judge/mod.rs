//! The browser's judgement of an answer, with all that it would complain about in turn.

mod allow_origin;
mod cors_check;
mod list;
mod preflight;
mod problem;

pub(crate) use self::{
    allow_origin::{Relation, Spelling, Value},
    cors_check::cors_check,
    list::parse_list,
    preflight::{Asked, judge_preflight},
    problem::{Credentials, Problem},
};
