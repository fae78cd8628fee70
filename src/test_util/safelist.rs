use http::{HeaderMap, HeaderName};

use crate::fetch::is_safelisted_value;

/// The names that need a preflight's permission, in lower case, sorted, each once
/// ([Fetch, CORS-unsafe request-header names]).
///
/// [Fetch, CORS-unsafe request-header names]: https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
pub(super) fn unsafe_names(headers: &HeaderMap) -> Vec<&HeaderName> {
    let mut names = names_of_unsafe_lines(headers);
    names.dedup();
    names
}

/// The name of each line that needs a preflight's permission, sorted.
pub(super) fn names_of_unsafe_lines(headers: &HeaderMap) -> Vec<&HeaderName> {
    /// All safelisted values together.
    const MAX_SUM: usize = 1024;
    let mut names = Vec::new();
    let mut potentially_unsafe = Vec::new();
    let mut sum = 0;
    for (name, value) in headers {
        if is_safelisted_value(name.as_str(), value.as_bytes()) {
            potentially_unsafe.push(name);
            sum += value.len();
        } else {
            names.push(name);
        }
    }
    if sum > MAX_SUM {
        names.extend(potentially_unsafe);
    }
    names.sort_unstable_by_key(|name| name.as_str());
    names
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_sum_of_lengths_counts() {
        let accept = |lines: usize| -> HeaderMap {
            let value = HeaderValue::from_bytes(&[b'a'; 128]).unwrap();
            (0..lines)
                .map(|_| (http::header::ACCEPT, value.clone()))
                .collect()
        };
        assert!(unsafe_names(&accept(8)).is_empty());
        assert_eq!(unsafe_names(&accept(9)), ["accept"]);
    }

    #[test]
    fn names_are_sorted_and_come_once() {
        let headers: HeaderMap = ["x-b", "accept", "x-a", "x-b"]
            .into_iter()
            .map(|name| (HeaderName::from_static(name), HeaderValue::from_static("1")))
            .collect();
        assert_eq!(unsafe_names(&headers), ["x-a", "x-b"]);
    }
}
