//! [`RequestedHeaders`]: the list in `Access-Control-Request-Headers`, read within bounds.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCESS_CONTROL_REQUEST_HEADERS, GetAll},
};

/// The names of headers that a preflight asks for: `Access-Control-Request-Headers`
/// ([Fetch, CORS-preflight fetch](https://fetch.spec.whatwg.org/#cors-preflight-fetch)).
///
/// Browsers send one line of lower-case names, sorted, without white space. Any case, any order,
/// duplicates, white space around names, empty elements and several lines are understood as well,
/// because proxies rewrite headers; all of it within bounds, beyond which the preflight is
/// refused before anything is read: [`MAX_LINES`](Self::MAX_LINES) lines,
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
    /// The most empty elements that are passed over, as RFC 9110, section 5.6.1.2, asks for.
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

    /// The line as it was sent, if there is only one and it is as browsers write it.
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

/// The non-empty elements of one line that is known to be a list of tokens.
fn elements(line: &HeaderValue) -> impl Iterator<Item = &str> {
    // Tokens are ASCII, and `to_str` admits all of it.
    line.to_str()
        .unwrap_or_default()
        .split(',')
        .map(|element| element.trim_matches([' ', '\t']))
        .filter(|element| !element.is_empty())
}

/// Whether the line is tokens with single commas between them, as browsers write it; at two
/// instructions a byte, and without a branch that depends on one.
fn is_plain(line: &[u8]) -> bool {
    let mut seen = 0;
    let mut pairs = 0;
    let mut previous = COMMA;
    for &byte in line {
        let class = CLASS[usize::from(byte)];
        seen |= class;
        pairs |= class & previous;
        previous = class;
    }
    seen & OTHER == 0 && pairs & COMMA == 0 && previous != COMMA
}

/// What is neither a comma nor part of a token.
const OTHER: u8 = 1;
const COMMA: u8 = 2;

static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match TOKEN[byte] {
            true => 0,
            false if byte == b',' as usize => COMMA,
            false => OTHER,
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

/// Where in an element a byte stands, seen from the name.
#[derive(Clone, Copy)]
enum State {
    Before,
    Within,
    After,
}

/// RFC 9110, section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| TOKEN[usize::from(byte)])
}

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(
            byte as u8,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'!' | b'#' | b'$' | b'%' | b'&' | b'\''
                | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        );
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            if is_plain(line.as_bytes()) {
                prop_assert!(is_token_list(line.as_bytes(), &mut 0));
                prop_assert_eq!(names(&[&line]).unwrap(), elements);
            }
        }
    }
}
