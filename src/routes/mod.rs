//! One configuration for each method of a route.
//!
//! The rules belong to one route, so paths are not matched a second time. A second matcher could
//! disagree with the router's. [`CorsLayer::by_method`](crate::CorsLayer::by_method) goes around
//! the service of one route, and looks only at the method.

#[cfg(feature = "axum")]
mod axum;
mod method_rules;
mod rule;

#[cfg(feature = "axum")]
pub use self::axum::MethodCorsRouter;
pub use self::{method_rules::MethodRules, rule::MethodRule};
