//! The [Public Suffix List](https://publicsuffix.org/list/): below which names strangers can
//! register names.
//!
//! The list is data: `nodes.bin` and `labels.txt`, which `scripts/public-suffixes.sh` makes and
//! [`table`] reads. [`suffix::PublicSuffix`] applies the list's rules to a host, and
//! [`crosses_public_suffix`] judges the base of a wildcard by them.

mod base;
mod suffix;
mod table;

pub(super) use self::base::is_registry_suffix;
pub(crate) use self::base::{crosses_public_suffix, own_name_instead};
#[cfg(feature = "test-util")]
pub(crate) use self::suffix::PublicSuffix;
