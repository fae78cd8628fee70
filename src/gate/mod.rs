//! What the layers beside CORS have in common: a request is checked, and what fails is answered
//! without the inner service.

#[cfg(feature = "tracing")]
mod events;
mod refusal;

#[cfg(feature = "tracing")]
pub(crate) use self::events::{Refused, emit};
pub(crate) use self::refusal::refusal;
