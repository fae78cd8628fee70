//! Checks bytes together with the byte before each of them.

/// Whether all bytes are lower-case letters, digits or one of two marks, `first_mark` and the byte
/// behind it, where the marks up to `last_apart` never stand side by side.
///
/// Each byte gets a rank, and each pair a number that is as great as the rank of a wrong byte if it is
/// wrong. So only the greatest of all these has to be compared, once.
#[inline(always)]
pub(crate) fn are_usual(bytes: &[u8], first_mark: u8, last_apart: u8) -> bool {
    debug_assert!(first_mark + 1 < b'0' && last_apart <= first_mark + 1);
    const USUAL: u8 = 26;
    // The letters have the ranks 0 to 25, the digits 16 to 25, the marks 24 and 25.
    let rank = |byte: u8| {
        let letter = byte.wrapping_sub(b'a');
        let digit = byte.wrapping_sub(b'0').saturating_add(USUAL - 10);
        let mark = byte.wrapping_sub(first_mark).saturating_add(USUAL - 2);
        letter.min(digit).min(mark)
    };
    // The marks are less than letters and digits. So the greater of two bytes is one of the marks
    // that stand apart only if both are.
    let side_by_side = |before: u8, byte: u8| (last_apart + USUAL).saturating_sub(before.max(byte));
    let rate = |before: u8, byte: u8| rank(byte).max(side_by_side(before, byte));
    let first = bytes.first().map_or(0, |&first| rank(first));
    fold_pairs(bytes, rate, u8::max).max(first) < USUAL
}

/// What `join` makes of the numbers of all pairs of neighbouring bytes, beginning with zero. A number
/// may be joined twice.
///
/// The loop takes sixteen bytes at a time and has no branch that depends on a byte. Compilers turn it
/// into vector instructions, which cost a fifth of a loop over single bytes.
#[inline(always)]
pub(crate) fn fold_pairs(
    bytes: &[u8],
    number: impl Fn(u8, u8) -> u8 + Copy,
    join: impl Fn(u8, u8) -> u8 + Copy,
) -> u8 {
    let ([_, behind @ ..], [before @ .., _]) = (bytes, bytes) else {
        return 0;
    };
    let (Some(last_before), Some(last_behind)) =
        (before.last_chunk::<16>(), behind.last_chunk::<16>())
    else {
        let pairs = before.iter().zip(behind);
        return pairs.fold(0, |all, (&before, &behind)| {
            join(all, number(before, behind))
        });
    };
    let mut all = [0; 16];
    let mut look_at = |before: &[u8; 16], behind: &[u8; 16]| {
        let pairs = before.iter().zip(behind);
        for (all, (&before, &behind)) in all.iter_mut().zip(pairs) {
            *all = join(*all, number(before, behind));
        }
    };
    let chunks = before.as_chunks().0.iter().zip(behind.as_chunks().0);
    for (before, behind) in chunks {
        look_at(before, behind);
    }
    // The last sixteen pairs overlap the ones before, so that no pair is left over.
    look_at(last_before, last_behind);
    all.into_iter().fold(0, join)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_pair_counts(bytes in proptest::collection::vec(0_u8..20, 0..70)) {
            let fall = |before: u8, byte: u8| before.saturating_sub(byte);
            let falls = bytes.windows(2).map(|pair| fall(pair[0], pair[1]));
            prop_assert_eq!(fold_pairs(&bytes, fall, u8::max), falls.clone().max().unwrap_or(0));
            prop_assert_eq!(fold_pairs(&bytes, fall, |a, b| a | b), falls.fold(0, |a, b| a | b));
        }

        /// Mostly usual bytes, and any one of the others anywhere.
        #[test]
        fn usual_bytes_are_told_from_others(
            mut bytes in "[a-z0-9,.-]{0,70}|[az0-9-]{0,70}".prop_map(String::into_bytes),
            other in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
            (first_mark, last_apart) in prop_oneof![Just((b',', b',')), Just((b'-', b'.')), Just((b'-', b'-'))],
        ) {
            if let Some((at, byte)) = other && !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let is_mark = |byte: u8| byte == first_mark || byte == first_mark + 1;
            let stands_apart = |byte: u8| is_mark(byte) && byte <= last_apart;
            let expected = bytes
                .iter()
                .all(|&byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || is_mark(byte))
                && !bytes.windows(2).any(|pair| stands_apart(pair[0]) && stands_apart(pair[1]));
            prop_assert_eq!(are_usual(&bytes, first_mark, last_apart), expected);
        }
    }
}
