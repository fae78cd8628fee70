//! `Cache-Control: private`, merged with the inner service's directives. `CDN-Cache-Control`
//! ([RFC 9213](https://www.rfc-editor.org/rfc/rfc9213)) is left alone: a service that sets it has
//! decided about CDNs.

use http::{HeaderMap, HeaderValue, header::CACHE_CONTROL};

const PRIVATE: HeaderValue = HeaderValue::from_static("private");

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Adds `private`, and removes the directives that contradict it. `no-store` stays: it is stricter.
/// <https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2>
pub(super) fn keep_out_of_shared_caches(headers: &mut HeaderMap) {
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, PRIVATE);
        return;
    }
    let lines: Option<Vec<&str>> = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .map(|line| line.to_str().ok())
        .collect();
    let Some(directives) = lines.as_deref().and_then(directives) else {
        // Caches may read a malformed line in different ways, so replace it by the strictest one.
        headers.insert(CACHE_CONTROL, NO_STORE);
        return;
    };
    if directives.iter().any(|directive| is(directive, "no-store")) {
        return;
    }
    let kept = directives.into_iter().filter(|directive| {
        // `private` is removed too: with a value, as in `private="set-cookie"`, it is about that
        // field only.
        !["public", "private", "s-maxage"]
            .iter()
            .any(|name| is(directive, name))
    });
    let mut text = String::from("private");
    for directive in kept {
        text.push_str(", ");
        text.push_str(directive);
    }
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_maybe_shared(text).unwrap_or(NO_STORE),
    );
}

/// The directives of all lines; `None` where a quoted value has no end.
fn directives<'a>(lines: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut found = Vec::new();
    for line in lines {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let parts = line.split(|c| {
            match (is_quoted, is_escaped, c) {
                (true, true, _) => is_escaped = false,
                (true, false, '\\') => is_escaped = true,
                (_, _, '"') => is_quoted = !is_quoted,
                _ => {}
            }
            c == ',' && !is_quoted
        });
        found.extend(parts.map(str::trim_ascii).filter(|part| !part.is_empty()));
        if is_quoted {
            return None;
        }
    }
    Some(found)
}

fn is(directive: &str, name: &str) -> bool {
    let own = directive.split_once('=').map_or(directive, |(own, _)| own);
    own.trim_ascii().eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shared_caches_are_told() {
        for (inner, expected) in [
            (&[][..], &["private"][..]),
            (&["max-age=60"], &["private, max-age=60"]),
            (&["public, max-age=60"], &["private, max-age=60"]),
            (
                &["Public", "S-MaxAge=600,must-revalidate"],
                &["private, must-revalidate"],
            ),
            (&["s-maxage = 5"], &["private"]),
            (&["private"], &["private"]),
            (
                &["private=\"set-cookie, x-a\", max-age=5"],
                &["private, max-age=5"],
            ),
            (&["private, public"], &["private"]),
            (
                &["no-cache=\"x, public\""],
                &["private, no-cache=\"x, public\""],
            ),
            (
                &["ext=\"a\\\", public\", public"],
                &["private, ext=\"a\\\", public\""],
            ),
            // Stricter already.
            (&["no-store"], &["no-store"]),
            (&["public, No-Store"], &["public, No-Store"]),
            // Nonsense.
            (&["ext=\"public, no-store"], &["no-store"]),
            (&["no-store", "ext=\"public"], &["no-store"]),
            (&["", " , "], &["private"]),
        ] {
            let mut headers: HeaderMap = inner
                .iter()
                .map(|line| (CACHE_CONTROL, HeaderValue::from_static(line)))
                .collect();
            keep_out_of_shared_caches(&mut headers);
            let lines: Vec<_> = headers.get_all(CACHE_CONTROL).iter().collect();
            assert_eq!(lines, expected, "{inner:?}");
        }
        for readable in ["public", "no-store"] {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(readable));
            headers.append(CACHE_CONTROL, HeaderValue::from_bytes(b"\xff").unwrap());
            keep_out_of_shared_caches(&mut headers);
            let lines: Vec<_> = headers.get_all(CACHE_CONTROL).iter().collect();
            assert_eq!(lines, ["no-store"], "{readable}");
        }
    }
}
