//! Geometric means of ratios, and of what they are.

use super::{Row, common::Implementation};

/// A geometric mean of this crate's costs over another's.
pub(crate) struct Mean {
    pub(crate) mean: f64,
    pub(crate) rows: usize,
    /// Of these rows, where this crate costs less than nothing, because the inner service is
    /// spared: they count as a hundredth.
    pub(crate) clamped: usize,
    pub(crate) without_clamped: f64,
    /// Rows beside these, where the other costs next to nothing and there is no ratio.
    pub(crate) dropped: usize,
}

/// What less than nothing counts as.
const CLAMPED: f64 = 0.01;
/// What is next to nothing, in instructions or nanoseconds.
const NOTHING: f64 = 20.0;

impl Mean {
    /// Of the rows that both have been measured in.
    pub(crate) fn new<'a>(
        rows: impl Iterator<Item = &'a Row>,
        other: Implementation,
        added: fn(&Row, Implementation) -> Option<f64>,
    ) -> Self {
        let mut dropped = 0;
        let mut ratios = Vec::new();
        for row in rows {
            if let (Some(_), Some(cost)) = (added(row, Implementation::Ours), added(row, other)) {
                match ratio(row, other, added) {
                    Some(ratio) => ratios.push(ratio),
                    None if cost < NOTHING => dropped += 1,
                    None => {}
                }
            }
        }
        let unclamped: Vec<f64> = ratios.iter().copied().filter(|&r| r > CLAMPED).collect();
        Self {
            mean: geometric(&ratios),
            rows: ratios.len(),
            clamped: ratios.len() - unclamped.len(),
            without_clamped: geometric(&unclamped),
            dropped,
        }
    }
}

/// This crate's cost over the other's, and at least a hundredth.
pub(crate) fn ratio(
    row: &Row,
    other: Implementation,
    added: fn(&Row, Implementation) -> Option<f64>,
) -> Option<f64> {
    let (ours, other) = (added(row, Implementation::Ours)?, added(row, other)?);
    (other >= NOTHING).then(|| (ours / other).max(CLAMPED))
}

fn geometric(ratios: &[f64]) -> f64 {
    let logs = ratios.iter().map(|ratio| ratio.ln());
    (logs.sum::<f64>() / ratios.len() as f64).exp()
}
