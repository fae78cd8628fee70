use crate::policy::DenialKind;

/// One list for the labels and for the order of the counters, so that a kind of denial without
/// either does not compile.
macro_rules! reasons {
    ($($kind:ident: $label:literal,)*) => {
        /// All kinds of denials.
        pub(super) const REASONS: &[DenialKind] = &[$(DenialKind::$kind),*];

        /// The label of a kind.
        pub(super) fn label(kind: DenialKind) -> &'static str {
            match kind {
                $(DenialKind::$kind => $label),*
            }
        }
    };
}

reasons! {
    OriginNotAllowed: "origin_not_allowed",
    OpaqueOrigin: "opaque_origin",
    MalformedOrigin: "malformed_origin",
    SeveralOrigins: "several_origins",
    NoPolicy: "no_policy",
    MalformedPreflight: "malformed_preflight",
    PreflightNotAllowed: "preflight_not_allowed",
    MethodNotAllowed: "method_not_allowed",
    HeaderNotAllowed: "header_not_allowed",
    InvalidToken: "invalid_token",
    ExpiredToken: "expired_token",
    Unavailable: "unavailable",
    VerdictTimeout: "verdict_timeout",
    MethodCase: "method_case",
}

/// The place of a reason among the counters: 0 for none.
pub(super) fn place(reason: Option<DenialKind>) -> usize {
    reason.map_or(0, |kind| kind as usize + 1)
}

/// The number of places.
pub(super) const PLACES: usize = REASONS.len() + 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_place_and_a_label_of_its_own() {
        let mut labels: Vec<&str> = REASONS.iter().map(|kind| label(*kind)).collect();
        let mut places: Vec<usize> = REASONS.iter().map(|kind| place(Some(*kind))).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), REASONS.len());
        places.sort_unstable();
        assert_eq!(places, (1..PLACES).collect::<Vec<_>>());
    }
}
