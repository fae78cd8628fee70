//! [`RequestedHeaders`]: the list in `Access-Control-Request-Headers`, read within bounds.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCESS_CONTROL_REQUEST_HEADERS, GetAll},
};

use super::token::TOKEN;

/// The names of headers that a preflight asks for: `Access-Control-Request-Headers`
/// ([Fetch, CORS-preflight fetch](https://fetch.spec.whatwg.org/#cors-preflight-fetch)).
///
/// Browsers send one line of lower-case names, sorted, without white space. Any case, any order,
/// duplicates, white space around names, empty elements and several lines are understood as well,
/// because proxies rewrite headers. There are bounds, so that nobody can make the layer read for
/// long; beyond them the preflight is refused: [`MAX_LINES`](Self::MAX_LINES) lines,
/// [`MAX_LEN`](Self::MAX_LEN) bytes and [`MAX_EMPTY`](Self::MAX_EMPTY) empty elements.
///
/// ```
/// use http::header::AUTHORIZATION;
/// use tower_cors::CorsRequest;
///
/// /// Whether a preflight announces a request with credentials that the page sets itself.
/// fn announces_a_token(request: &CorsRequest<'_>) -> bool {
///     request.preflight().is_some_and(|preflight| preflight.headers().contains(&AUTHORIZATION))
/// }
/// ```
pub struct RequestedHeaders<'a> {
    lines: GetAll<'a, HeaderValue>,
}

impl<'a> RequestedHeaders<'a> {
    /// The most lines that are read.
    pub const MAX_LINES: usize = 16;
    /// The most bytes that are read, of all lines together.
    pub const MAX_LEN: usize = 1024;
    /// The most empty elements that are skipped, as RFC 9110, section 5.6.1.2, asks for.
    pub const MAX_EMPTY: usize = 16;

    pub(crate) fn parse(headers: &'a HeaderMap) -> Option<Self> {
        let lines = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS);
        let requested = Self { lines };
        let mut iter = requested.lines.iter();
        let is_list = match (iter.next(), iter.next()) {
            (None, _) => true,
            (Some(line), None) if line.len() <= Self::MAX_LEN && is_plain(line.as_bytes()) => true,
            _ => requested.is_within_bounds() && requested.is_well_formed(),
        };
        is_list.then_some(requested)
    }

    /// The names, as they were sent, in any case; a name sent twice comes twice.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.lines.iter().flat_map(elements)
    }

    /// Whether the preflight asks for the header.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.iter()
            .any(|requested| requested.eq_ignore_ascii_case(name.as_str()))
    }

    /// Whether the preflight asks for no header.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The line as it was sent, if there is only one and it is written as browsers do.
    pub(crate) fn as_browsers_write_it(&self) -> Option<&'a HeaderValue> {
        let mut lines = self.lines.iter();
        let line = lines.next()?;
        let is_plain = |byte: &u8| matches!(byte, b',' | b'!'..=b'~') && !byte.is_ascii_uppercase();
        (lines.next().is_none() && line.as_bytes().iter().all(is_plain)).then_some(line)
    }

    fn is_within_bounds(&self) -> bool {
        let mut len = 0;
        self.lines.iter().enumerate().all(|(i, line)| {
            len += line.len();
            i < Self::MAX_LINES && len <= Self::MAX_LEN
        })
    }

    /// Whether every element is a token or empty, and not too many are empty.
    fn is_well_formed(&self) -> bool {
        let mut empty = 0;
        self.lines
            .iter()
            .all(|line| is_token_list(line.as_bytes(), &mut empty))
    }
}

impl fmt::Debug for RequestedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The non-empty elements of one line, which has been checked to be a list of tokens.
fn elements(line: &HeaderValue) -> impl Iterator<Item = &str> {
    // The line has been checked to be tokens, which are ASCII, so `to_str` does not fail.
    line.to_str()
        .unwrap_or_default()
        .split(',')
        .map(|element| element.trim_matches([' ', '\t']))
        .filter(|element| !element.is_empty())
}

/// Whether the line is tokens with single commas between them, as browsers write it.
///
/// Nearly every line consists of lower-case letters, hyphens and commas. Those are checked eight
/// bytes at a time, which takes half as long as byte by byte; the rest is left to
/// [`is_plain_after`].
fn is_plain(line: &[u8]) -> bool {
    let mut rest = line;
    // Begin as if after a comma, so that a comma at the beginning counts as a doubled one.
    let mut before = TOP;
    let mut doubled = 0;
    while let Some((&word, tail)) = rest.split_first_chunk() {
        let Some(commas) = commas_among_usual(u64::from_le_bytes(word)) else {
            break;
        };
        doubled |= commas & (commas << 8 | before);
        // Carry the last byte's bit over: it stands before the first byte of the next word.
        before = commas >> 56;
        rest = tail;
    }
    let previous = if before == 0 { 0 } else { COMMA };
    doubled == 0 && is_plain_after(previous, rest)
}

/// The top bits of the bytes that are commas, if all the others are lower-case letters and hyphens.
#[inline(always)]
fn commas_among_usual(word: u64) -> Option<u64> {
    let from_a = word.wrapping_add(each(TOP as u8 - b'a'));
    let beyond_z = word.wrapping_add(each(TOP as u8 - 1 - b'z'));
    // A comma and a hyphen differ in the lowest bit, and only zero does not reach the top bit.
    let no_comma = (word ^ each(b',')).wrapping_add(each(TOP as u8 - 1));
    let neither = ((word | each(1)) ^ each(b'-')).wrapping_add(each(TOP as u8 - 1));
    // No sum carries into the next byte unless a byte has its top bit set, and then it is not
    // usual.
    let usual = (from_a & !beyond_z | !neither) & !word & each(TOP as u8);
    (usual == each(TOP as u8)).then_some(!no_comma & each(TOP as u8))
}

const TOP: u64 = 0x80;

/// Eight times this byte.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The same check byte by byte. No branch depends on a byte, so none is mispredicted.
fn is_plain_after(mut previous: u8, line: &[u8]) -> bool {
    let mut seen = 0;
    let mut pairs = 0;
    for &byte in line {
        let class = CLASS[usize::from(byte)];
        seen |= class;
        pairs |= class & previous;
        previous = class;
    }
    seen & OTHER == 0 && pairs & COMMA == 0 && previous != COMMA
}

/// A byte that is neither a comma nor part of a token.
const OTHER: u8 = 1;

const COMMA: u8 = 2;

static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = if TOKEN[byte] {
            0
        } else if byte == b',' as usize {
            COMMA
        } else {
            OTHER
        };
        byte += 1;
    }
    table
};

/// One pass over the bytes of a line; counts empty elements over all lines in `empty`.
fn is_token_list(line: &[u8], empty: &mut usize) -> bool {
    let mut state = State::Before;
    for &byte in line {
        state = match (state, byte) {
            (State::Before | State::Within, byte) if TOKEN[usize::from(byte)] => State::Within,
            (State::Before, b' ' | b'\t') => State::Before,
            (State::Within | State::After, b' ' | b'\t') => State::After,
            (State::Within | State::After, b',') => State::Before,
            (State::Before, b',') if *empty < RequestedHeaders::MAX_EMPTY => {
                *empty += 1;
                State::Before
            }
            _ => return false,
        };
    }
    true
}

/// Where a byte stands in an element: before the name, within it, or after it.
#[derive(Clone, Copy)]
enum State {
    Before,
    Within,
    After,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fetch::is_token;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines
            .iter()
            .map(|line| {
                (
                    ACCESS_CONTROL_REQUEST_HEADERS,
                    HeaderValue::from_bytes(line.as_bytes()).unwrap(),
                )
            })
            .collect()
    }

    fn names(lines: &[&str]) -> Option<Vec<String>> {
        let headers = headers(lines);
        let requested = RequestedHeaders::parse(&headers)?;
        Some(requested.iter().map(str::to_owned).collect())
    }

    #[test]
    fn lists_are_understood() {
        for (lines, expected) in [
            (&[][..], &[][..]),
            (&[""], &[]),
            (&["content-type,x-ok"], &["content-type", "x-ok"]),
            (&["content-type, x-ok"], &["content-type", "x-ok"]),
            (&[" X-Ok\t,\tx-ok "], &["X-Ok", "x-ok"]),
            (&["b,a"], &["b", "a"]),
            (&["a", "b"], &["a", "b"]),
            (&["a,,b", ",c,"], &["a", "b", "c"]),
        ] {
            assert_eq!(names(lines).unwrap(), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_tokens_is_refused() {
        for line in ["x y", "\"x\"", "x=1", "x-é", "a;b", "a:b", "a,b c"] {
            assert_eq!(names(&[line]), None, "{line}");
        }
    }

    #[test]
    fn bounds() {
        let long = "a".repeat(RequestedHeaders::MAX_LEN);
        assert!(names(&[&long]).is_some());
        assert!(names(&[&long, "b"]).is_none());
        let lines = vec!["a"; RequestedHeaders::MAX_LINES];
        assert!(names(&lines).is_some());
        assert!(names(&[&*lines, &["a"]].concat()).is_none());
        let commas = ",".repeat(RequestedHeaders::MAX_EMPTY);
        assert!(names(&[&commas]).is_some());
        assert!(names(&[&commas, ","]).is_none());
        assert!(names(&[&format!("x{}", " ".repeat(64 * 1024))]).is_none());
    }

    #[test]
    fn names_are_found_in_any_case() {
        let headers = headers(&["AUTHORIZATION, x-ok"]);
        let requested = RequestedHeaders::parse(&headers).unwrap();
        assert!(requested.contains(&http::header::AUTHORIZATION));
        assert!(!requested.contains(&http::header::ACCEPT));
        assert!(!requested.is_empty());
    }

    #[test]
    fn only_the_spelling_of_browsers_is_sent_back_as_it_is() {
        for (lines, expected) in [
            (&["a,b"][..], Some("a,b")),
            (&["a, b"], None),
            (&["A"], None),
            (&["a", "b"], None),
            (&[], None),
        ] {
            let headers = headers(lines);
            let line = RequestedHeaders::parse(&headers)
                .unwrap()
                .as_browsers_write_it();
            assert_eq!(line.map(|l| l.to_str().unwrap()), expected, "{lines:?}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_line_is_a_list_without_white_space_or_empty_elements(
            line in "[a-cA-C,, \t\"~-]{0,12}",
        ) {
            let elements: Vec<&str> = line.split(',').collect();
            prop_assert_eq!(is_plain(line.as_bytes()), elements.iter().all(|name| is_token(name)));
            prop_assert_eq!(is_plain(line.as_bytes()), is_plain_after(COMMA, line.as_bytes()));
            if is_plain(line.as_bytes()) {
                prop_assert!(is_token_list(line.as_bytes(), &mut 0));
                prop_assert_eq!(names(&[&line]).unwrap(), elements);
            }
        }

        /// Mostly the usual bytes, and any one of the others anywhere.
        #[test]
        fn eight_bytes_at_a_time_are_read_like_each_by_itself(
            mut line in proptest::collection::vec(
                prop_oneof![6 => b'a'..=b'z', 1 => Just(b','), 1 => Just(b'-')],
                0..40,
            ),
            other in proptest::option::weighted(0.7, (any::<proptest::sample::Index>(), any::<u8>())),
        ) {
            if let Some((at, byte)) = other && !line.is_empty() {
                let at = at.index(line.len());
                line[at] = byte;
            }
            prop_assert_eq!(is_plain(&line), is_plain_after(COMMA, &line));
        }
    }
}
