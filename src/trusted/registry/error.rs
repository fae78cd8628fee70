use crate::{debug_as_display::debug_as_display, trusted::entry::Version};

/// A source offers a version that is less than the one that is served: it was restored from a
/// backup, or is another store.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the source is at version {offered}, and version {served} is served: it was restored from a \
     backup, or is another store; restart to take its content"
)]
#[non_exhaustive]
pub struct VersionRegressed {
    /// The version that is served.
    pub served: Version,
    /// The version that the source offers.
    pub offered: Version,
}

debug_as_display!(VersionRegressed);
