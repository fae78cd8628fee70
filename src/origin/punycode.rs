//! Whether a label that begins with `xn--` is an internationalised name.

/// Whether `punycode`, the part of a lower-case label after `xn--`, can be decoded and contains at
/// least one character that is not ASCII
/// ([RFC 3492, section 6.2](https://www.rfc-editor.org/rfc/rfc3492#section-6.2)).
///
/// It does not check which characters a registry permits.
pub(crate) fn is_punycode(punycode: &[u8]) -> bool {
    // The ASCII characters stand before the last hyphen, if there are any. After it, the digits
    // encode the other characters and their positions.
    let (plain, digits) = match punycode.iter().rposition(|&byte| byte == b'-') {
        Some(0) => return false,
        Some(hyphen) => (hyphen, &punycode[hyphen + 1..]),
        None => (0, punycode),
    };
    !digits.is_empty() && inserts_characters(plain, digits).is_some()
}

const BASE: u32 = 36;

const T_MIN: u32 = 1;

const T_MAX: u32 = 26;

const INITIAL_N: u32 = 0x80;

const INITIAL_BIAS: u32 = 72;

/// Runs the decoder without building the name. `None` if an insertion is incomplete, or inserts a
/// number that is not a character.
fn inserts_characters(plain: usize, digits: &[u8]) -> Option<()> {
    let mut len = u32::try_from(plain).ok()?;
    let (mut n, mut i, mut bias) = (INITIAL_N, 0_u32, INITIAL_BIAS);
    let mut digits = digits.iter();
    while !digits.as_slice().is_empty() {
        let before = i;
        let mut weight = 1_u32;
        for k in (BASE..).step_by(BASE as usize) {
            let digit = value(*digits.next()?)?;
            i = i.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
        }
        len += 1;
        bias = adapt(i - before, len, before == 0);
        n = n.checked_add(i / len)?;
        char::from_u32(n)?;
        i = i % len + 1;
    }
    Some(())
}

fn value(digit: u8) -> Option<u32> {
    match digit {
        b'a'..=b'z' => Some(u32::from(digit - b'a')),
        b'0'..=b'9' => Some(u32::from(digit - b'0') + 26),
        _ => None,
    }
}

/// RFC 3492, section 6.1.
fn adapt(delta: u32, len: u32, is_first: bool) -> u32 {
    const SKEW: u32 = 38;
    const DAMP: u32 = 700;
    let mut delta = delta / if is_first { DAMP } else { 2 };
    delta += delta / len;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_what_is_none() {
        for (label, expected) in [
            // RFC 3492, section 7.1: (A), (B) and (E).
            ("egbpdaj6bu4bxfgehfvwxn", true),
            ("ihqwcrb4cv8a8dqg056pqjye", true),
            ("proprostnemluvesky-uyb24dma41a", true),
            ("bcher-kva", true),
            ("xample-9ua", true),
            ("p1ai", true),
            ("", false),
            ("f", false),
            ("-", false),
            ("foo", true),
            ("-foo", false),
            ("foo-", false),
            ("bcher-kv", false),
            ("a_b-", false),
            ("9999999999", false),
            // A surrogate, which is no character, and the last character.
            ("ib9b", false),
            ("dn32g", true),
            ("\u{e9}", false),
        ] {
            assert_eq!(is_punycode(label.as_bytes()), expected, "{label}");
        }
    }

    /// From the formula of RFC 3492, section 6.1, computed by another program. The fourth is the
    /// last one before a division by 35.
    #[test]
    fn how_the_bias_adapts() {
        for (delta, len, is_first, expected) in [
            (0, 1, true, 0),
            (19_853, 1, true, 21),
            (64, 2, false, 20),
            (910, 1000, false, 33),
            (912, 1000, false, 45),
            (319_200, 1000, true, 45),
            (u32::MAX / 2, 1, false, 198),
            (u32::MAX, 64, true, 136),
        ] {
            assert_eq!(adapt(delta, len, is_first), expected, "{delta} {len}");
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_a_decoder(label in "[a-f0-9x-]{0,16}") {
            let decoded = idna::punycode::decode_to_string(&label);
            let needs_it = decoded.is_some_and(|name| !name.is_ascii());
            proptest::prop_assert_eq!(is_punycode(label.as_bytes()), needs_it);
        }

        // With the last characters before the surrogates, the first behind them, and the last of
        // all: a decoder that counts wrongly leaves the range there.
        #[test]
        fn knows_what_an_encoder_writes(
            name in "[a-zß-ɏа-я一-丟]{1,12}|[a\u{d7f8}-\u{d7ff}\u{e000}-\u{e007}\u{10fff8}-\u{10ffff}]{1,24}",
        ) {
            let encoded = idna::punycode::encode_str(&name).unwrap();
            proptest::prop_assert_eq!(is_punycode(encoded.as_bytes()), !name.is_ascii());
        }
    }
}
