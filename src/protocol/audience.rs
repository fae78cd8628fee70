use tracing::Level;

pub(crate) const TARGET: &str = "tower_cors";

/// Whether a subscriber wants events at all. If none does, the reasons for a denial need not be
/// computed.
pub(crate) fn are_wanted() -> bool {
    tracing::enabled!(target: TARGET, Level::DEBUG)
}

/// Whether a subscriber wants the events of refusals, which have a level of their own.
pub(crate) fn are_refusals_wanted() -> bool {
    tracing::enabled!(target: TARGET, Level::INFO)
}
