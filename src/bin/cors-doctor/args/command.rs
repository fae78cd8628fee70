use std::time::Duration;

use url::Url;

use crate::{
    fetch::{Browser, PageRequest},
    net::Transport,
    page::Origin,
};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    Examine(Box<Command>),
    /// A text for standard output.
    Print(String),
}

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) planned: Vec<Planned>,
    /// The page, to be fetched for its origin and policy.
    pub(crate) page: Option<Url>,
    pub(crate) reads: Vec<String>,
    pub(crate) send: bool,
    pub(crate) browser: Browser,
    pub(crate) upstream: Option<Url>,
    pub(crate) insecure: bool,
    pub(crate) transport: Transport,
    pub(crate) probing: bool,
    pub(crate) watch: Option<Duration>,
    pub(crate) json: bool,
    pub(crate) strict: bool,
    pub(crate) show_secrets: bool,
}

/// One URL, and what the page passes to `fetch()` for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    pub(crate) url: Url,
    /// None where `--page` has to say it.
    pub(crate) origin: Option<Origin>,
    pub(crate) request: PageRequest,
}
