use tracing::Level;

pub(crate) const TARGET: &str = "tower_cors";

/// Whether anybody listens to what has no effect of its own, and so is not looked into otherwise.
pub(crate) fn are_wanted() -> bool {
    tracing::enabled!(target: TARGET, Level::DEBUG)
}
