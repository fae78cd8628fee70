//! The page that makes the request: its origin, and what its policy forbids.

mod csp;
mod domain;
mod meta;
mod origin;

pub(crate) use self::{
    csp::Policies,
    domain::{is_public_name, is_reserved_name, registrable_domain},
    meta::policies_in,
    origin::Origin,
};

/// A page, as far as its requests depend on it.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) origin: Origin,
    pub(crate) policies: Policies,
}
