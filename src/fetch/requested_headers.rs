//! [`RequestedHeaders`]: the list in `Access-Control-Request-Headers`, read within bounds.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCESS_CONTROL_REQUEST_HEADERS, GetAll},
};

use super::{line::Line, token::TOKEN};
use crate::pairs::{are_usual, fold_pairs};

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
    lines: Lines<'a>,
}

enum Lines<'a> {
    None,
    /// One line that browsers could have written: see [`is_usual`].
    Usual(&'a HeaderValue),
    One(&'a HeaderValue),
    Several(GetAll<'a, HeaderValue>),
}

impl<'a> RequestedHeaders<'a> {
    /// The most lines that are read.
    pub const MAX_LINES: usize = 16;
    /// The most bytes that are read, of all lines together.
    pub const MAX_LEN: usize = 1024;
    /// The most empty elements that are skipped, as RFC 9110, section 5.6.1.2, asks for.
    pub const MAX_EMPTY: usize = 16;

    pub(crate) fn parse(headers: &'a HeaderMap) -> Option<Self> {
        let name = ACCESS_CONTROL_REQUEST_HEADERS;
        let lines = match Line::find(headers, &name) {
            None => Lines::None,
            Some(Line::One(line)) if line.len() > Self::MAX_LEN => return None,
            Some(Line::One(line)) if is_usual(line.as_bytes()) => Lines::Usual(line),
            // The quicker check first; it does not know all lists.
            Some(Line::One(line))
                if is_evenly_spaced(line.as_bytes()) || is_token_list(line.as_bytes(), &mut 0) =>
            {
                Lines::One(line)
            }
            Some(Line::One(_)) => return None,
            Some(Line::Several) => {
                let lines = headers.get_all(name);
                if !is_within_bounds(&lines) || !is_well_formed(&lines) {
                    return None;
                }
                Lines::Several(lines)
            }
        };
        Some(Self { lines })
    }

    /// The names, as they were sent, in any case; a name sent twice comes twice.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.lines().flat_map(elements)
    }

    /// Whether the preflight asks for the header.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.iter()
            .any(|requested| requested.eq_ignore_ascii_case(name.as_str()))
    }

    /// Whether the preflight asks for no header.
    pub fn is_empty(&self) -> bool {
        match self.lines {
            Lines::None => true,
            Lines::Usual(_) => false,
            Lines::One(_) | Lines::Several(_) => self.iter().next().is_none(),
        }
    }

    /// The line as it was sent, if there is only one and it is written as browsers do.
    pub(crate) fn as_browsers_write_it(&self) -> Option<&'a HeaderValue> {
        if let Lines::Usual(line) = self.lines {
            return Some(line);
        }
        let mut lines = self.lines();
        let line = lines.next()?;
        let is_plain = |byte: &u8| matches!(byte, b',' | b'!'..=b'~') && !byte.is_ascii_uppercase();
        (lines.next().is_none() && line.as_bytes().iter().all(is_plain)).then_some(line)
    }

    fn lines(&self) -> impl Iterator<Item = &'a HeaderValue> {
        let (one, several) = match &self.lines {
            Lines::None => (None, None),
            Lines::Usual(line) | Lines::One(line) => (Some(*line), None),
            Lines::Several(lines) => (None, Some(lines.iter())),
        };
        one.into_iter().chain(several.into_iter().flatten())
    }
}

impl fmt::Debug for RequestedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn is_within_bounds(lines: &GetAll<'_, HeaderValue>) -> bool {
    let mut len = 0;
    lines.iter().enumerate().all(|(i, line)| {
        len += line.len();
        i < RequestedHeaders::MAX_LINES && len <= RequestedHeaders::MAX_LEN
    })
}

/// Whether every element is a token or empty, and not too many are empty.
fn is_well_formed(lines: &GetAll<'_, HeaderValue>) -> bool {
    let mut empty = 0;
    lines
        .iter()
        .all(|line| is_token_list(line.as_bytes(), &mut empty))
}

/// The non-empty elements of one line, which has been checked to be a list of tokens.
fn elements(line: &HeaderValue) -> impl Iterator<Item = &str> {
    line.as_bytes()
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
        // The line has been checked to be tokens, which are ASCII, so this leaves out nothing.
        .filter_map(|element| std::str::from_utf8(element).ok())
}

/// Whether the line consists of names of lower-case letters, digits and hyphens, with single commas
/// between them. Nearly all lines do, and this check takes the least time for each byte.
fn is_usual(line: &[u8]) -> bool {
    let (Some(&first), Some(&last)) = (line.first(), line.last()) else {
        return false;
    };
    // White space, if a long line has any, comes early.
    if line.len() > 64
        && line[..16]
            .iter()
            .fold(false, |found, &byte| found | (byte == b' '))
    {
        return false;
    }
    first != b',' && last != b',' && are_usual(line, b',', b',')
}

/// Whether the line consists of names of letters, digits, hyphens and underscores, none of them empty,
/// with white space on one side of them only: all before them, as people write lists, or all behind.
///
/// So white space stands within no name, which can be told from pairs of neighbours. A list with white
/// space on both sides is well-formed as well, and not seen here.
fn is_evenly_spaced(line: &[u8]) -> bool {
    const NAME_SPACE: u8 = 1;
    const SPACE_NAME: u8 = 2;
    const COMMA_SPACE: u8 = 4;
    const SPACE_COMMA: u8 = 8;
    const COMMA_COMMA: u8 = 16;
    const OTHER: u8 = 32;

    let marks = |before: u8, byte: u8| {
        let is_space = |byte: u8| (byte == b' ') | (byte == b'\t');
        let is_name = |byte: u8| {
            ((byte | 0x20).wrapping_sub(b'a') < 26)
                | (byte.wrapping_sub(b'0') < 10)
                | (byte == b'-')
                | (byte == b'_')
        };
        let (comma_before, comma) = (before == b',', byte == b',');
        let (space_before, space) = (is_space(before), is_space(byte));
        // Other bytes before this one have been marked when they were looked at.
        let name_before = !comma_before & !space_before;
        let name = is_name(byte);
        let mark = |is_so: bool, mark: u8| u8::from(is_so).wrapping_neg() & mark;
        mark(name_before & space, NAME_SPACE)
            | mark(space_before & name, SPACE_NAME)
            | mark(comma_before & space, COMMA_SPACE)
            | mark(space_before & comma, SPACE_COMMA)
            | mark(comma_before & comma, COMMA_COMMA)
            | mark(!(name | space | comma), OTHER)
    };
    let (Some(&first), Some(&last)) = (line.first(), line.last()) else {
        return false;
    };
    // As if there were a comma at either end.
    let found =
        marks(b',', first) | fold_pairs(line, marks, |all, marks| all | marks) | marks(last, b',');
    let space_is_before = found & (NAME_SPACE | SPACE_COMMA) == 0;
    let space_is_behind = found & (SPACE_NAME | COMMA_SPACE) == 0;
    found & (COMMA_COMMA | OTHER) == 0 && (space_is_before || space_is_behind)
}

/// One pass over the bytes of a line; counts empty elements over all lines in `empty`.
///
/// No branch depends on a byte, so that nobody can send a line whose branches are mispredicted.
fn is_token_list(line: &[u8], empty: &mut usize) -> bool {
    let mut state = BEFORE;
    let mut found = 0;
    for &byte in line {
        state = NEXT[usize::from(state & 7)][usize::from(byte)];
        found += usize::from(state == EMPTY);
    }
    *empty += found;
    state != WRONG && *empty <= RequestedHeaders::MAX_EMPTY
}

// What has been read of an element: nothing, nothing right after an empty element, a part of its
// name, or all of it. After WRONG, the line is not a list.
const BEFORE: u8 = 0;
const EMPTY: u8 = 1;
const WITHIN: u8 = 2;
const AFTER: u8 = 3;
const WRONG: u8 = 4;

/// The next state, by state and byte. Three of the eight rows are not used; with all eight, an index
/// of three bits needs no check of its bounds.
static NEXT: [[u8; 256]; 8] = {
    let mut table = [[WRONG; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let (before, within, after) = match byte as u8 {
            b',' => (EMPTY, BEFORE, BEFORE),
            b' ' | b'\t' => (BEFORE, AFTER, AFTER),
            _ if TOKEN[byte] => (WITHIN, WITHIN, WRONG),
            _ => (WRONG, WRONG, WRONG),
        };
        table[BEFORE as usize][byte] = before;
        table[EMPTY as usize][byte] = before;
        table[WITHIN as usize][byte] = within;
        table[AFTER as usize][byte] = after;
        byte += 1;
    }
    table
};

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

    /// RFC 9110, section 5.6.2, written out: the usual lines and all others have checks of their own.
    #[test]
    fn every_byte_is_one_of_a_token_or_refused() {
        for byte in '\u{21}'..'\u{7f}' {
            let is_listed = byte.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~,".contains(byte);
            for line in [
                format!("x{byte}y"),
                format!("{byte}y"),
                format!("x{byte}"),
                format!("x-aaaaaaaaaaaaaaaaaaaaaaaa{byte}y"),
            ] {
                assert_eq!(names(&[&line]).is_some(), is_listed, "{line}");
            }
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

    #[test]
    fn a_line_beyond_sixteen_bytes_is_read_to_its_end() {
        for line in [
            "content-type,x-request-id,",
            "content-type,,x-request-id",
            "content-type,x-request-id\"",
        ] {
            assert!(!is_usual(line.as_bytes()), "{line}");
        }
        assert!(is_usual(b"content-type,x-request-id"));
    }

    #[test]
    fn white_space_on_one_side_is_read_at_once() {
        for line in [
            "A-1_b",
            "a, b",
            "\ta,\t \tb,c",
            "a ,b \t,c ",
            "accept, content-type, x-request-id",
        ] {
            assert!(is_evenly_spaced(line.as_bytes()), "{line:?}");
        }
        for line in [
            "",
            " ",
            ",",
            "a,",
            ",a",
            "a,,b",
            "a, ,b",
            "a , b",
            " a ",
            "a b",
            "a b, c",
            "a, b c",
            "a, b;",
            "accept, content-type, x request-id",
            "accept ,content-type ,x\u{e9}request-id",
        ] {
            assert!(!is_evenly_spaced(line.as_bytes()), "{line:?}");
        }
    }

    proptest! {
        /// Mostly the usual bytes, and any one of the others anywhere.
        #[test]
        fn sixteen_bytes_at_a_time_are_read_like_each_by_itself(
            mut line in proptest::collection::vec(
                prop_oneof![6 => b'a'..=b'z', 1 => b'0'..=b'9', 1 => Just(b','), 1 => Just(b'-')],
                0..80,
            ),
            other in proptest::option::weighted(0.7, (any::<proptest::sample::Index>(), any::<u8>())),
        ) {
            if let Some((at, byte)) = other && !line.is_empty() {
                let at = at.index(line.len());
                line[at] = byte;
            }
            let is_name = |name: &[u8]| {
                let is_usual =
                    |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
                !name.is_empty() && name.iter().all(is_usual)
            };
            let expected = line.split(|&byte| byte == b',').all(is_name);
            prop_assert_eq!(is_usual(&line), expected);
        }

        #[test]
        fn a_list_is_tokens_with_white_space_around_them(line in "[a-cA-C,, \t\"~-]{0,40}|([a-cA-C]{1,3},[ \t]{0,2}){1,9}[a-c]|([a-c]{1,3}[ \t]{0,2},){1,9}b ?") {
            let elements: Vec<&str> = line.split(',').map(|e| e.trim_matches([' ', '\t'])).collect();
            let is_list = elements.iter().all(|name| name.is_empty() || is_token(name));
            // An empty element at the end does not count.
            let (_, counted) = elements.split_last().unwrap();
            let empty = counted.iter().filter(|name| name.is_empty()).count();
            let mut found = 0;
            let expected = is_list && empty <= RequestedHeaders::MAX_EMPTY;
            prop_assert_eq!(is_token_list(line.as_bytes(), &mut found), expected);
            if is_usual(line.as_bytes()) || is_evenly_spaced(line.as_bytes()) {
                prop_assert!(expected);
                prop_assert_eq!(names(&[&line]).unwrap(), elements);
            }
        }
    }
}
