//! IPv6 addresses in a serialised origin: the one spelling that browsers send.

use std::net::Ipv6Addr;

use super::error::OriginErrorKind;

/// The length of the address that begins `bytes`, with its brackets.
pub(super) fn ipv6_len(bytes: &[u8]) -> Result<usize, OriginErrorKind> {
    let close = bytes
        .iter()
        .take(2 + MAX_IPV6_LEN)
        .position(|&b| b == b']')
        .ok_or(OriginErrorKind::IpAddress)?;
    let text = std::str::from_utf8(&bytes[1..close]).map_err(|_| OriginErrorKind::IpAddress)?;
    let address: Ipv6Addr = text.parse().map_err(|_| OriginErrorKind::IpAddress)?;
    // An address has many spellings, and browsers send one.
    if serialise_ipv6(&address, &mut [0; MAX_IPV6_LEN]) == text.as_bytes() {
        Ok(close + 1)
    } else {
        Err(OriginErrorKind::IpAddressForm)
    }
}

pub(crate) const MAX_IPV6_LEN: usize = 39;

/// The [URL standard]'s serialisation, which differs from [`Ipv6Addr`]'s: no dotted quad in it.
///
/// [URL standard]: https://url.spec.whatwg.org/#concept-ipv6-serializer
pub(crate) fn serialise_ipv6<'a>(
    address: &Ipv6Addr,
    buffer: &'a mut [u8; MAX_IPV6_LEN],
) -> &'a [u8] {
    let segments = address.segments();
    let (zeros_at, zeros) = longest_run_of_zeros(&segments);
    let mut len = 0;
    let mut push = |byte| {
        buffer[len] = byte;
        len += 1;
    };
    let mut i = 0;
    while i < segments.len() {
        // Only the longest run of zeros is shortened, and only if it is longer than one.
        if zeros > 1 && i == zeros_at {
            push(b':');
            if i == 0 {
                push(b':');
            }
            i += zeros;
            continue;
        }
        let digits = 4 - (segments[i].leading_zeros() as usize / 4).min(3);
        for digit in (0..digits).rev() {
            push(b"0123456789abcdef"[usize::from(segments[i] >> (4 * digit)) & 0xf]);
        }
        i += 1;
        if i < segments.len() {
            push(b':');
        }
    }
    &buffer[..len]
}

fn longest_run_of_zeros(segments: &[u16; 8]) -> (usize, usize) {
    let (mut best_at, mut best) = (0, 0);
    let mut run = 0;
    for (i, &segment) in segments.iter().enumerate() {
        run = if segment == 0 { run + 1 } else { 0 };
        // The first of several runs with the same length is shortened.
        if run > best {
            (best_at, best) = (i + 1 - run, run);
        }
    }
    (best_at, best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_is_written_as_the_url_standard_writes_it() {
        for (address, expected) in [
            ("::", "::"),
            ("::1", "::1"),
            ("1::", "1::"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:0db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("::ffff:1.2.3.4", "::ffff:102:304"),
            (
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            ),
        ] {
            let address: Ipv6Addr = address.parse().unwrap();
            let written = serialise_ipv6(&address, &mut [0; MAX_IPV6_LEN]).to_vec();
            assert_eq!(String::from_utf8(written).unwrap(), expected);
        }
    }
}
