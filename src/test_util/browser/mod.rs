//! [`Browser`]: pages, cookies, redirects, and what is kept of preflights.

mod address;
mod clock;
mod cookie;
mod cookie_date;
mod cookie_jar;
mod engine;
mod exchange;
mod journey;
mod metadata;
#[cfg(feature = "reqwest")]
mod network;
mod outgoing;
mod page;
mod page_request;
mod played;
mod preflight_cache;
mod redirect;
mod remembered;
mod site;
mod start;
mod window;

#[cfg(feature = "reqwest")]
pub use self::network::{Network, NetworkError};
pub use self::{
    address::InvalidUrl,
    clock::ManualClock,
    engine::Engine,
    exchange::Exchange,
    page::Page,
    page_request::{PageRequest, RequestUrl},
    played::Played,
    window::Browser,
};
