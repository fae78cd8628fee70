//! Configuration: what people write, and how it becomes a layer.
//!
//! [`CorsLayerBuilder::build`] is the only way from here to [`CorsLayer`](crate::CorsLayer). It
//! reports every mistake at once, and writes every header that does not depend on a request.

mod build;
mod builder;
mod dangerous;
#[cfg(feature = "serde")]
mod file;
mod observed;
mod origins;
mod report_only;
mod risks;
mod trusted;

#[cfg(feature = "serde")]
pub use self::file::CorsConfig;
pub(crate) use self::{
    build::success_status, builder::WithinTable, dangerous::DangerousOptIns, origins::InsecureList,
    trusted::CredentialedOrigins,
};
pub use self::{builder::CorsLayerBuilder, origins::OriginList, report_only::ReportOnly};
