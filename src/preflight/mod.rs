//! Who answers preflights for a policy that cannot judge them, because a preflight carries no token.
//!
//! A preflight has the URL of the request that it announces, its `Origin`, and the *names* of its
//! headers; never `Authorization`, a cookie or a body
//! ([Fetch, CORS-preflight fetch](https://fetch.spec.whatwg.org/#cors-preflight-fetch)). What can be
//! known from that depends on where the token travels. Name a strategy with
//! [`with_preflight`](crate::OriginPolicy::with_preflight), and combine several with
//! [`fallback`](crate::OriginPolicy::fallback): the first that does not abstain answers.
//!
//! | strategy | what it knows at the preflight | for |
//! |---|---|---|
//! | the token's policy itself | the token | a token in the URL |
//! | [`UrlKey`] | the tenant or session | a key in the path, the query or the host |
//! | [`UnionIndex`] | that some tenant trusts the origin | lists that the service holds |
//! | [`IssuedIndex`] | that some live token names the origin | tokens that the service issues |
//! | [`BearerOr`](crate::policy::BearerOr) | whether a bearer token will come | services that take cookies and bearer tokens |
//! | [`Optimistic`] | nothing | tokens of other issuers in a header |
//! | [`DenyPreflights`] | nothing | services that simple requests suffice for |
//!
//! No strategy replaces the judgement: the request that follows is judged by its token, whichever
//! strategy let its preflight pass.
//!
//! Browsers keep an answer for the URL, the origin and the credentials mode, not for the token: an
//! answer that was given for one token serves the next one too. So strategies whose answers can change
//! limit the max-age.

mod deny_preflights;
// These two read the clock, which this target has with the feature `js` only.
#[cfg(any(
    not(all(target_family = "wasm", target_os = "unknown")),
    feature = "js"
))]
mod issued;
#[cfg(any(
    not(all(target_family = "wasm", target_os = "unknown")),
    feature = "js"
))]
mod keyed;
mod optimistic;
mod union_index;

pub use self::{
    deny_preflights::DenyPreflights,
    optimistic::Optimistic,
    union_index::{IndexFull, UnionIndex},
};
#[cfg(any(
    not(all(target_family = "wasm", target_os = "unknown")),
    feature = "js"
))]
pub use self::{
    issued::{Issued, IssuedChanges, IssuedCursor, IssuedIndex, Merged, RegisterError},
    keyed::{Lookup, LookupFuture, RequestUrl, UrlKey},
};

use std::time::Duration;

/// How long browsers may keep what a dynamic strategy answers, unless it is told otherwise.
pub(crate) const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60);
