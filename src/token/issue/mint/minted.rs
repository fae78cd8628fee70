use std::{fmt, time::SystemTime};

/// A token that has been minted, as its bearer presents it.
///
/// It is a secret: `Debug` shows its id and expiry only. [`TokenMinter`] has an example.
///
/// [`TokenMinter`]: crate::token::issue::TokenMinter
#[derive(Clone)]
pub struct MintedToken {
    pub(crate) text: String,
    pub(crate) prefix_len: usize,
    pub(crate) id: Box<str>,
    pub(crate) expires_at: SystemTime,
}

impl MintedToken {
    /// The token with its prefix, as after `Bearer `.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The JSON Web Token without the prefix.
    pub fn jwt(&self) -> &str {
        &self.text[self.prefix_len..]
    }

    /// The token's id, its claim `jti`, by which it can be revoked.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When it expires.
    pub fn expiry(&self) -> SystemTime {
        self.expires_at
    }

    /// The token for a URL, percent-encoded so many times: once is what a query needs by itself,
    /// twice what some clients expect. Hexadecimal digits are in lower case.
    ///
    /// A JSON Web Token has nothing to encode; a prefix such as `psat=` has.
    pub fn to_query_value(&self, layers: u8) -> String {
        let prefix = &self.text[..self.prefix_len];
        encode(prefix, layers) + self.jwt()
    }
}

/// RFC 3986, section 2.3: all but unreserved characters are encoded. A layer on top of another one
/// has only percent signs to encode.
fn encode(text: &str, layers: u8) -> String {
    let percent = match layers {
        0 => return text.to_owned(),
        layers => "%".to_owned() + &"25".repeat(usize::from(layers) - 1),
    };
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                encoded.push_str(&percent);
                for digit in [byte >> 4, byte & 0xf] {
                    encoded.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
                }
            }
        }
    }
    encoded
}

impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedToken")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::encode;

    #[test]
    fn each_layer_encodes_the_one_below() {
        for (layers, expected) in [
            (0, "psat="),
            (1, "psat%3d"),
            (2, "psat%253d"),
            (3, "psat%25253d"),
        ] {
            assert_eq!(encode("psat=", layers), expected);
        }
        assert_eq!(encode("%+ \u{e9}", 1), "%25%2b%20%c3%a9");
    }

    proptest! {
        #[test]
        fn as_many_layers_come_off_again(text in ".*", layers in 0_u8..5) {
            let mut decoded = encode(&text, layers);
            for _ in 0..layers {
                decoded = percent_decode_str(&decoded).decode_utf8().unwrap().into_owned();
            }
            prop_assert_eq!(decoded, text);
        }
    }
}
