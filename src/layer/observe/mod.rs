//! The observers of a layer's decisions. Everything here is out of line: a layer that nobody
//! observes has one branch for it.

mod detour;
mod observation;
mod observer;
mod shadow;
#[cfg(feature = "tracing")]
mod shadow_event;

pub(crate) use self::{
    detour::{Detour, Recorded},
    observation::Observation,
    observer::Observer,
    shadow::{JudgementHook, ShadowSettings, Spawn},
};
