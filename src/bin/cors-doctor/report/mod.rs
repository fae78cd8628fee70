//! What is printed.

mod diagnosis;
mod diagram;
mod human;
mod json;
mod style;
mod wrap;

pub(crate) use self::{
    diagnosis::{Diagnosis, Outcome},
    human::human,
    json::json,
    style::Style,
};
