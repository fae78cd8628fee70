//! Where in a request a token travels: a header, the query, a cookie, the path, the host, or an
//! extension.

mod cookie;
mod extension;
mod find;
mod header;
mod header_list;
mod query;
mod token_source;
mod url;

pub use self::{
    cookie::CookieSource, extension::VerifiedOrigins, header::HeaderSource,
    header_list::HeaderListSource, query::QuerySource, token_source::TokenSource,
};
pub(crate) use self::{extension::Verified, find::Find};
