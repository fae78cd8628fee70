use super::grant::Grant;
use crate::origin::{Origin, is_secure};

/// How a policy grants by a list that it is handed at run time, after the layer was built: the
/// builder has not checked the list for what is risky together with credentials.
///
/// A risky entry still lists its origins, but without credentials: anybody on the network can act as
/// an `http` origin, and anybody can register a name below a public suffix.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UncheckedList {
    /// Whether origins without transport security get credentials.
    pub(crate) insecure_origins: bool,
    /// Whether origins that strangers can have get credentials.
    pub(crate) public_suffixes: bool,
}

impl UncheckedList {
    /// The grant for an origin that is listed. `beside_strangers` says whether an entry lists it that
    /// matches no strangers; it is called only where that matters.
    pub(crate) fn grant(self, origin: &Origin, beside_strangers: impl FnOnce() -> bool) -> Grant {
        let is_secure = self.insecure_origins || is_secure(origin.scheme(), origin.host());
        // Browsers that send this origin send it for every local file.
        let is_file = origin.scheme() == "file";
        if is_secure && !is_file && (self.public_suffixes || beside_strangers()) {
            Grant::new()
        } else {
            Grant::new().allow_credentials(false)
        }
    }
}
