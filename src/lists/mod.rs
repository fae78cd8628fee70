//! The lists of a configuration: allowed methods, allowed and exposed headers, and the max-age.
//!
//! Each list is parsed and checked once, when the layer is built, and keeps the value of its
//! header, so that answers only copy it.

mod allow_headers;
mod allow_methods;
mod config_list;
mod expose_headers;
mod header_name;
mod max_age;
mod token_entry;

pub use self::{
    allow_headers::AllowHeaders,
    allow_methods::AllowMethods,
    config_list::{Any, ConfigList, ListEntry},
    expose_headers::ExposeHeaders,
    max_age::MaxAge,
};

pub(crate) use self::allow_methods::known_in_another_case;
