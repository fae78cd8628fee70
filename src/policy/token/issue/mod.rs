//! How lists of origins are written in tokens.

mod format;

pub use self::format::OriginsFormat;
pub(super) use self::format::is_delimiter;
