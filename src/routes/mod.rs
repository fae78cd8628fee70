//! CORS endpoint by endpoint: which rule each method of a route has.
//!
//! The rules are the route's own, so there is no second matching of paths: [`MethodCorsLayer`]
//! goes around the service of one route, and looks only at the method.

#[cfg(feature = "axum")]
mod axum;
mod layer;
#[cfg(feature = "reload")]
mod reload;
mod rule;

#[cfg(feature = "axum")]
pub use self::axum::CorsMethodRouter;
#[cfg(feature = "reload")]
pub use self::reload::MethodCorsHandle;
pub use self::{
    layer::{MethodCors, MethodCorsBuilder, MethodCorsLayer},
    rule::RouteCors,
};
