use http::Uri;

use crate::origin::{Origin, default_port};

/// The origin that a browser goes to when it is sent to the address, or `None` when the address
/// does not name one.
pub(crate) fn origin_of(target: &Uri) -> Option<Origin> {
    let scheme = target.scheme_str()?.to_ascii_lowercase();
    let authority = target.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let host = authority.host().to_ascii_lowercase();
    let port = match authority.as_str().get(authority.host().len()..)? {
        "" | ":" => String::new(),
        written => {
            let digits = written.strip_prefix(':')?;
            // `parse` alone would take a sign.
            if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let port: u16 = digits.parse().ok()?;
            if default_port(scheme.as_bytes()) == Some(port) {
                String::new()
            } else {
                format!(":{port}")
            }
        }
    };
    format!("{scheme}://{host}{port}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_browser_goes() {
        for (target, expected) in [
            ("https://app.example/cb?x=1#f", Some("https://app.example")),
            ("HTTPS://App.Example:443/", Some("https://app.example")),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("http://[::1]:3000/", Some("http://[::1]:3000")),
            (
                "com.example.app://callback/x",
                Some("com.example.app://callback"),
            ),
            ("/relative", None),
            ("app.example", None),
            ("https://app.example@evil.example/", None),
            ("https://user:pw@app.example/", None),
            ("https://app.example:99999/", None),
            ("https://app.example:+443/", None),
        ] {
            let found = target.parse().ok().and_then(|uri| origin_of(&uri));
            let found = found.as_ref().map(Origin::as_str);
            assert_eq!(found, expected, "{target}");
        }
    }

    #[test]
    fn what_browsers_read_differently_is_no_address() {
        for target in [
            "https://app.example\\@evil.example/",
            "https:app.example",
            "https:///app.example",
        ] {
            let found = target.parse::<Uri>().ok().and_then(|uri| origin_of(&uri));
            assert!(found.is_none(), "{target}");
        }
    }
}
