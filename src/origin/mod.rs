//! Origins ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)), patterns for origins, and sets of
//! both.
//!
//! [`Origin`] is a parsed web origin in the spelling that browsers send. [`OriginPattern`] is one
//! entry of a configured list: an origin, or a family of origins such as `https://*.example.com`.
//! [`OriginSet`] holds any number of entries and finds a match at a cost that does not depend on
//! how many there are. [`RequestOrigin`] is what an `Origin` header says: a tuple origin, or
//! `null`.

mod byte_set;
#[cfg(feature = "idna")]
mod domain;
mod error;
mod families;
mod grammar;
mod host;
mod ipv6;
mod mistake;
mod nearest;
mod pattern;
mod public_suffix;
mod punycode;
mod set;
mod shape;
#[cfg(feature = "trusted")]
mod spelling;
mod suggest;
mod tuple;

#[cfg(any(feature = "token", feature = "trusted"))]
pub(crate) use self::host::is_loopback_host;
#[cfg(feature = "test-util")]
pub(crate) use self::public_suffix::PublicSuffix;
#[cfg(feature = "token")]
pub(crate) use self::{
    domain::{domain_to_ascii, split_host},
    grammar::{MAX_SCHEME_LEN, names_hosts},
    ipv6::{MAX_IPV6_LEN, serialise_ipv6},
};
pub use self::{
    error::{OriginError, OriginErrorKind},
    pattern::OriginPattern,
    set::OriginSet,
    tuple::{Origin, RequestOrigin},
};
pub(crate) use self::{
    families::ListMatch,
    grammar::{MAX_ORIGIN_LEN, default_port, is_secure},
    mistake::leftover,
    nearest::{Difference, Listing, Nearest},
    pattern::PatternRef,
    public_suffix::{crosses_public_suffix, own_name_instead},
    set::OriginSetBuilder,
    shape::{HostPattern, Permitted},
    suggest::{explain, explain_where, suggested_origin},
};
#[cfg(feature = "trusted")]
pub(crate) use self::{host::MAX_HOST_LEN, shape::PortPattern, spelling::parse_in_any_spelling};
