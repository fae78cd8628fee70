//! Whether a redirect leads to where users sign in.

use std::collections::HashSet;

use url::Url;

/// Whether the host, path or query of `to` say that users sign in there.
///
/// Only what differs from `from` counts: a page may call `/api/login` itself, and a redirect from
/// there to `/api/login/` or to another version of the API is not about its session.
pub(super) fn leads_to_login(from: &Url, to: &Url) -> bool {
    let by_host = to.host() != from.host() && has_login_host(to);
    let known: HashSet<String> = login_words(from.path()).into_iter().collect();
    let by_path = login_words(to.path())
        .iter()
        .any(|word| !known.contains(word));
    by_host || by_path || (to.query() != from.query() && has_login_query(to))
}

fn has_login_host(url: &Url) -> bool {
    let label = url.host_str().and_then(|host| host.split('.').next());
    matches!(label, Some("login" | "signin" | "sso" | "idp" | "auth"))
}

/// The whole words of a path that name a login: `/espresso` does not contain `sso`.
fn login_words(path: &str) -> Vec<String> {
    path.split('/').flat_map(login_words_of).collect()
}

fn login_words_of(segment: &str) -> Vec<String> {
    const WORDS: [&str; 11] = [
        "login",
        "logon",
        "signin",
        "signon",
        "sso",
        "authorize",
        "oauth",
        "oauth2",
        "saml",
        "saml2",
        "wsfed",
    ];
    const PAIRS: [(&str, &str); 5] = [
        ("sign", "in"),
        ("sign", "on"),
        ("log", "in"),
        ("log", "on"),
        // Keycloak: `/realms/shop/protocol/openid-connect/auth`.
        ("openid", "connect"),
    ];
    let words = words(segment);
    let pairs = words
        .windows(2)
        .filter(|pair| PAIRS.contains(&(&pair[0], &pair[1])))
        .map(|pair| pair.concat());
    // Split by case, `OAuth2` would no longer be one word.
    let in_one_case = segment.split(|c: char| !c.is_ascii_alphanumeric());
    let singles = words
        .iter()
        .cloned()
        .chain(in_one_case.map(str::to_ascii_lowercase))
        .filter(|word| WORDS.contains(&word.as_str()));
    pairs.chain(singles).collect()
}

/// `user-login`, `userLogin` and `SSOLogin` in two, in lower case.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_mark = !c.is_ascii_alphanumeric();
        let ends_acronym =
            before.is_ascii_uppercase() && rest.peek().is_some_and(char::is_ascii_lowercase);
        let is_hump = c.is_ascii_uppercase() && (before.is_ascii_lowercase() || ends_acronym);
        if is_mark || is_hump {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| !is_mark) {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A request of a login protocol, or a login's word as the name or value of a parameter.
fn has_login_query(url: &Url) -> bool {
    let has = |name: &str| url.query_pairs().any(|(key, _)| key == name);
    // RFC 6749, section 4.1.1; RFC 9126, section 4.
    let is_oauth = has("client_id") && (has("response_type") || has("request_uri"));
    let is_ws_federation = url
        .query_pairs()
        .any(|(key, value)| key == "wa" && value.starts_with("wsignin"));
    // A value with a path says where to go after something else.
    let names_login = url.query_pairs().any(|(key, value)| {
        let is_bare = !value.contains('/');
        !login_words_of(&key).is_empty() || is_bare && !login_words_of(&value).is_empty()
    });
    is_oauth || has("SAMLRequest") || is_ws_federation || names_login
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(from: &str, to: &str) -> bool {
        leads_to_login(&Url::parse(from).unwrap(), &Url::parse(to).unwrap())
    }

    #[test]
    fn logins_are_known_by_their_words() {
        for (url, expected) in [
            ("https://a.example/login", true),
            ("https://a.example/accounts/login.html?next=%2F", true),
            ("https://a.example/wp-login.php", true),
            ("https://a.example/users/sign_in", true),
            ("https://a.example/account/SignIn", true),
            ("https://a.example/userLogin", true),
            ("https://a.example/SSOLogin", true),
            ("https://a.example/OAuth2/start", true),
            ("https://a.example/x?flow=sso", true),
            ("https://a.example/x?login", true),
            ("https://login.example.com/", true),
            (
                "https://a.example/realms/x/protocol/openid-connect/auth",
                true,
            ),
            ("https://a.example/x?client_id=web&response_type=code", true),
            ("https://a.example/x?SAMLRequest=fZ", true),
            ("https://a.example/adfs/ls/?wa=wsignin1.0", true),
            ("https://a.example/unauthorized", false),
            ("https://a.example/authorized-users", false),
            ("https://a.example/espresso", false),
            ("https://a.example/blogin", false),
            ("https://a.example/lessons/7", false),
            ("https://a.example/items/", false),
            ("https://a.example/x?next=%2Flogin", false),
            ("https://a.example/x?client_id=web", false),
        ] {
            assert_eq!(leads("https://api.example/things", url), expected, "{url}");
        }
    }

    #[test]
    fn what_the_page_called_itself_does_not_count() {
        for (from, to, expected) in [
            ("http://a.example/login", "https://a.example/login/", false),
            (
                "https://a.example/login",
                "https://b.example/v2/login",
                false,
            ),
            (
                "https://auth.a.example/x",
                "https://auth.a.example/y",
                false,
            ),
            (
                "https://a.example/x?q=login",
                "https://a.example/y?q=login",
                false,
            ),
            ("https://a.example/x", "https://auth.a.example/x", true),
            (
                "https://a.example/oauth2/me",
                "https://a.example/login",
                true,
            ),
            ("https://a.example/x", "https://a.example/x?login=1", true),
        ] {
            assert_eq!(leads(from, to), expected, "{from} -> {to}");
        }
    }
}
