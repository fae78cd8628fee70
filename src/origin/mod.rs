//! Origins ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)), patterns for origins, and sets of
//! both.
//!
//! [`Origin`] is a parsed web origin in the spelling that browsers send. [`OriginPattern`] is one
//! entry of a configured list: an origin, or a family of origins such as `https://*.example.com`.
//! [`OriginSet`] holds any number of entries and finds a match at a cost that does not depend on
//! how many there are. [`RequestOrigin`] is what an `Origin` header says: a tuple origin, or
//! `null`.

mod byte_set;
mod error;
mod grammar;
mod pattern;
mod public_suffix;
mod punycode;
mod set;
mod shape;
mod suggest;
mod tuple;

#[cfg(any(feature = "token", feature = "trusted"))]
pub(crate) use self::grammar::is_loopback_host;
#[cfg(feature = "token")]
pub(crate) use self::grammar::{MAX_IPV6_LEN, MAX_SCHEME_LEN, serialise_ipv6};
pub use self::{
    error::{OriginError, OriginErrorKind},
    pattern::OriginPattern,
    set::OriginSet,
    tuple::{Origin, RequestOrigin},
};
#[cfg(feature = "trusted")]
pub(crate) use self::{grammar::MAX_HOST_LEN, shape::PortPattern};
pub(crate) use self::{
    grammar::{MAX_ORIGIN_LEN, default_port, is_secure},
    pattern::PatternRef,
    public_suffix::{crosses_public_suffix, own_name_instead},
    set::{LookUp, OriginSetBuilder},
    shape::{HostPattern, Permitted},
    suggest::{explain, suggested_origin},
};
