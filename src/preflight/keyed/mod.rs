//! The preflights of requests whose URL names a tenant or session: [`UrlKey`].

mod flight;
mod lookup;
mod lookup_cache;
mod request_url;
mod url_key;
mod wakers;

pub use self::{
    lookup::{Lookup, LookupFuture},
    request_url::RequestUrl,
    url_key::UrlKey,
};
