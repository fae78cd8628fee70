//! How to: one page per task. Their Rust code is compiled and run as tests.
//!
//! | you want to | page |
//! |---|---|
//! | put a first list before an axum or tonic service | the README, then [`deploying`] |
//! | let the tokens that your service accepts say which pages may use it | [`tokens`] |
//! | let administrators edit which pages may use your service | [`trusted_origins`] |
//! | decide by a rule of your own | [`policies`] |
//! | stop forms, WebSockets and DNS rebinding, which CORS does not | [`beyond_cors`] |
//! | review the crate's security: promises, threats, tests, and the holes of others | [`security`] |
//! | know why a browser says that CORS headers are missing | [`troubleshooting`], by its words |
//! | have a program find out | [`doctor`] |
//! | know what the layer refused, and why | [`refusals`] |
//! | see in production what is decided, and tighten a list without an outage | [`observing`] |
//! | know where browsers differ, and what their consoles say | [`browsers`] |
//! | move from `tower-http`'s `cors` | [`migrating`] |
//! | put the layer in the right place, behind proxies and caches | [`deploying`] |
//! | test a layer, or a policy of your own | [`test_util`](crate::test_util) |
//! | know what the layer costs, and how that is measured | [`performance`] |

#[doc = include_str!("tokens.md")]
pub mod tokens {}

#[doc = include_str!("policies.md")]
pub mod policies {}

#[doc = include_str!("beyond_cors.md")]
pub mod beyond_cors {}

#[doc = include_str!("security.md")]
pub mod security {}

#[doc = include_str!("refusals.md")]
pub mod refusals {}

#[doc = include_str!("observing.md")]
pub mod observing {}

#[doc = include_str!("browsers.md")]
pub mod browsers {}

#[doc = include_str!("troubleshooting.md")]
pub mod troubleshooting {}

#[doc = include_str!("doctor.md")]
pub mod doctor {}

#[doc = include_str!("migrating.md")]
pub mod migrating {}

#[doc = include_str!("deploying.md")]
pub mod deploying {}

#[doc = include_str!("performance.md")]
pub mod performance {}

// Its code needs these features, too.
#[cfg(all(feature = "axum", feature = "trusted"))]
#[doc = include_str!("trusted_origins.md")]
pub mod trusted_origins {}
