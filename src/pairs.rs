//! Checks bytes together with the byte before each of them.

/// Whether `holds` is true for every pair of neighbouring bytes.
///
/// The loop takes sixteen bytes at a time and has no branch that depends on a byte. Compilers turn it
/// into vector instructions, which cost a fifth of a loop over single bytes.
#[inline(always)]
pub(crate) fn all_pairs(bytes: &[u8], holds: impl Fn(u8, u8) -> bool + Copy) -> bool {
    marks_of_pairs(bytes, |before, byte| {
        u8::from(!holds(before, byte)).wrapping_neg()
    }) == 0
}

/// The marks that any pair of neighbouring bytes has, as bits.
#[inline(always)]
pub(crate) fn marks_of_pairs(bytes: &[u8], marks: impl Fn(u8, u8) -> u8 + Copy) -> u8 {
    let ([_, behind @ ..], [before @ .., _]) = (bytes, bytes) else {
        return 0;
    };
    let (Some(last_before), Some(last_behind)) =
        (before.last_chunk::<16>(), behind.last_chunk::<16>())
    else {
        let pairs = before.iter().zip(behind);
        return pairs.fold(0, |all, (&before, &behind)| all | marks(before, behind));
    };
    let mut all = [0; 16];
    let mut look_at = |before: &[u8; 16], behind: &[u8; 16]| {
        let pairs = before.iter().zip(behind);
        for (all, (&before, &behind)) in all.iter_mut().zip(pairs) {
            *all |= marks(before, behind);
        }
    };
    let chunks = before.as_chunks().0.iter().zip(behind.as_chunks().0);
    for (before, behind) in chunks {
        look_at(before, behind);
    }
    // The last sixteen pairs overlap the ones before, so that no pair is left over.
    look_at(last_before, last_behind);
    all.into_iter().fold(0, |all, marks| all | marks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_pair_counts(bytes in proptest::collection::vec(0_u8..20, 0..70)) {
            let is_rising = |before, byte| before <= byte + 15;
            let expected = bytes.windows(2).all(|pair| is_rising(pair[0], pair[1]));
            prop_assert_eq!(all_pairs(&bytes, is_rising), expected);
        }
    }
}
