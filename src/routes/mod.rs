//! One configuration for each method of a route.
//!
//! The rules belong to one route, so paths are not matched a second time: [`MethodCorsLayer`] goes
//! around the service of one route, and looks only at the method.

#[cfg(feature = "axum")]
mod axum;
#[cfg(feature = "reload")]
mod reload;
mod rule;
mod table;

#[cfg(feature = "axum")]
pub use self::axum::MethodCorsRouter;
#[cfg(feature = "reload")]
pub use self::reload::MethodCorsHandle;
pub use self::{
    rule::MethodRule,
    table::{MethodCors, MethodCorsBuilder, MethodCorsLayer},
};
