//! The request path: from a request's head, the rules and a verdict to header lines.
//!
//! [`decide`](decide::decide) makes a [`Plan`], and nothing else does. [`write`] turns a plan into
//! headers, and no other module names the headers of the protocol's answers. So no header is
//! written without a decision. Both are pure functions over `http` types: they call no service and
//! never wait.

#[cfg(feature = "tracing")]
mod audience;
mod cache_control;
mod decide;
mod grpc;
mod plan;
mod prepared;
mod rules;
mod seen;
mod shortfall;
mod vary;
pub(crate) mod write;

#[cfg(feature = "tracing")]
pub(crate) use self::{audience::TARGET, plan::FullAnswer};
pub(crate) use self::{
    decide::decide,
    plan::{Answer, Edit, Plan},
    prepared::Prepared,
    rules::{Rules, ToAll},
    seen::see,
    vary::Vary,
};
