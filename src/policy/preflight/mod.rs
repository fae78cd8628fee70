//! Who answers preflights for a policy that cannot, because a preflight carries no token.
//!
//! A preflight has the URL of the request that it announces, its `Origin`, and the *names* of its
//! headers; never `Authorization`, a cookie or a body
//! ([Fetch, CORS-preflight fetch](https://fetch.spec.whatwg.org/#cors-preflight-fetch)). What can
//! be known from that depends on where the token travels: see
//! [`with_preflight`](super::PolicyExt::with_preflight). None of the strategies is a judgement: the
//! request that follows is judged by itself, whoever let its preflight pass.
//!
//! Browsers keep an answer for the URL, the origin and the credentials mode, not for the token: an
//! answer won with one token serves the next one too. So dynamic strategies cap the max-age.

mod acrh_split;
mod deny_preflights;
mod issued;
mod issued_index;
mod lookup;
mod optimistic;
mod union_index;
mod url_key;

use std::time::Duration;

pub use self::{
    acrh_split::AcrhSplit,
    deny_preflights::DenyPreflights,
    issued::{Issued, IssuedSnapshot, Merged, Revocation, Revoked},
    issued_index::{IssuedIndex, RegisterError},
    lookup::{Lookup, LookupFuture},
    optimistic::Optimistic,
    union_index::{IndexFull, UnionIndex},
    url_key::UrlKey,
};

/// How long browsers may keep what a dynamic strategy answers, unless it is told otherwise.
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60);
