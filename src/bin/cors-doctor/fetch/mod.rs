//! What `fetch()` makes of what a page passes to it: the Fetch standard's tables, and where Chromium
//! differs.

mod forbidden;
#[path = "../../../fetch/forbidden_request.rs"]
mod forbidden_request;
mod method;
mod page_request;
mod ports;
mod safelist;
#[path = "../../../fetch/safelisted_value.rs"]
mod safelisted_value;
mod site;

pub(crate) use self::{
    forbidden_request::is_forbidden_method,
    page_request::PageRequest,
    ports::is_blocked,
    safelist::unsafe_names,
    site::{Site, is_same_site, registrable},
};

/// Whose rules count where they differ: `--browser`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Browser {
    #[default]
    Chromium,
    Standard,
}
