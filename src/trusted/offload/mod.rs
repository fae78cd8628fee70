//! Work that takes long, on a thread of its own where there are threads.

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod inline;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod threads;

#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) use self::inline::{offload, offload_within};
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(crate) use self::threads::{offload, offload_within};
