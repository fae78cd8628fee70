//! The trait [`OriginPolicy`], the types of its answers, and the small policies.
//!
//! A policy says who may use a service. It is asked for a [`Verdict`] on each cross-origin request:
//! [`Allow`](Verdict::Allow) with a [`Grant`], [`Deny`](Verdict::Deny) with a [`Denial`], or
//! [`Abstain`](Verdict::Abstain), so that the next policy is asked.

mod any;
mod array;
mod bearer_or;
mod decider;
mod denial;
mod denied_requests;
mod fallback;
mod func;
mod future;
mod grant;
mod hint;
mod judged;
mod listed;
mod listings;
mod names;
mod origin_policy;
mod properties;
mod sentence;
mod terms;
mod unchecked_list;
mod verdict;
mod with_preflight;

#[cfg_attr(
    all(target_family = "wasm", target_os = "unknown", not(feature = "js")),
    expect(
        unused_imports,
        reason = "only what needs a clock implements it elsewhere"
    )
)]
pub(crate) use self::future::PolledAgain;
pub(crate) use self::{
    array::array_code,
    grant::{Attachment, GrantedTo},
    hint::{Hint, ListedHeaders, ListedMethods},
    listed::SetAndNull,
    listings::MAX_WRITTEN,
    names::union_of_names,
    properties::{Caching, Reach, Risks},
    unchecked_list::UncheckedList,
};
pub use self::{
    bearer_or::BearerOr,
    decider::Decider,
    denial::{Denial, DenialKind},
    denied_requests::DeniedRequests,
    fallback::Fallback,
    func::{AsyncPolicyFn, PolicyFn, async_policy_fn, policy_fn},
    future::{MaybeReady, VerdictFuture},
    grant::Grant,
    origin_policy::OriginPolicy,
    properties::PolicyProperties,
    terms::Terms,
    verdict::Verdict,
    with_preflight::WithPreflight,
};
#[cfg(feature = "trusted")]
pub(crate) use self::{hint::Said, listings::ListingTexts};
#[cfg(feature = "token")]
pub(crate) use self::{
    hint::TokenList,
    judged::{Judged, JudgedFuture},
};
