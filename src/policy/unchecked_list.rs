use super::{
    denial::{Denial, DenialKind},
    grant::Grant,
    verdict::Verdict,
};
use crate::origin::{Origin, is_secure};

/// How a policy grants by a list that it is handed at run time, after the layer was built: the
/// builder has not checked the list for what is risky together with credentials.
///
/// A risky entry still lists its origins, but without credentials: anybody on the network can act as
/// an `http` origin, and anybody can register a name below a public suffix. So a request with cookies
/// is denied: a form or a WebSocket has its effect without a header in the answer.
///
/// That makes the verdict depend on `Cookie`, and policies do not name it in `Vary`. What a cache keeps
/// of such an origin is the answer to a request without cookies, which anybody may have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UncheckedList {
    /// Whether origins without transport security get credentials.
    pub(crate) insecure_origins: bool,
    /// Whether origins that strangers can have get credentials.
    pub(crate) public_suffixes: bool,
}

impl UncheckedList {
    /// The verdict on an origin, if it is listed. `beside_strangers` says whether an entry lists it that
    /// matches no strangers. It is asked first, so that the usual origin costs one lookup.
    pub(crate) fn judge(
        self,
        origin: &Origin,
        has_cookies: bool,
        is_listed: impl FnOnce() -> bool,
        beside_strangers: impl FnOnce() -> bool,
    ) -> Option<Verdict> {
        let may_have_credentials = match origin.scheme_bytes() {
            b"https" => true,
            // Browsers that send this origin send it for every local file.
            b"file" => false,
            _ => self.insecure_origins || is_secure(origin.scheme(), origin.host()),
        };
        if may_have_credentials && !self.public_suffixes && beside_strangers() {
            return Some(Grant::new().into());
        }
        if !is_listed() {
            return None;
        }
        Some(if may_have_credentials && self.public_suffixes {
            Grant::new().into()
        } else if has_cookies {
            let reason = "the entry that lists the origin counts without credentials only, and the \
                          request has cookies";
            let denial = Denial::new(DenialKind::OriginNotAllowed);
            denial.reason(reason).into()
        } else {
            Grant::new().allow_credentials(false).into()
        })
    }
}
