//! Stores that replicas share. Each file can be taken into an application as it is.

pub(crate) mod nats;
pub(crate) mod postgres;
