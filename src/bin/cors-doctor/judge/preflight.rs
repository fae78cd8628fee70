//! A preflight's answer (<https://fetch.spec.whatwg.org/#cors-preflight-fetch>).

use super::{cors_check::cors_check, list::parse_list, problem::Problem};
use crate::{exchange::Answer, fetch::Browser};

/// What the preflight asks for.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) origin: &'a str,
    pub(crate) credentials: bool,
    pub(crate) method: &'a str,
    /// In lower case, sorted.
    pub(crate) headers: &'a [String],
    pub(crate) browser: Browser,
}

const METHODS: &str = "Access-Control-Allow-Methods";
const HEADERS: &str = "Access-Control-Allow-Headers";

/// All that the browser would complain about, in its order.
pub(crate) fn judge_preflight(answer: &Answer, asked: &Asked<'_>) -> Vec<Problem> {
    let mut problems = cors_check(answer, asked.origin, asked.credentials);
    let is_refused = answer.allow_origin().is_none();
    if !answer.is_ok() {
        problems.push(Problem::Status(answer.status));
    }
    let methods = answer.get(METHODS);
    let headers = answer.get(HEADERS);
    let mut malformed = false;
    for (name, value) in [(METHODS, &methods), (HEADERS, &headers)] {
        if let Some(value) = value
            && parse_list(value).is_none()
        {
            malformed = true;
            problems.push(Problem::MalformedList(name, value.clone()));
        }
    }
    // An answer without a grant may leave the lists out, too; and what no list says is not known.
    if !malformed {
        if methods.is_some() || !is_refused {
            problems.extend(judge_method(asked, methods));
        }
        if headers.is_some() || !is_refused {
            problems.extend(judge_headers(asked, headers));
        }
    }
    problems
}

fn judge_method(asked: &Asked<'_>, listed: Option<String>) -> Option<Problem> {
    let method = asked.method;
    let list = listed.as_deref().and_then(parse_list).unwrap_or_default();
    let has_wildcard = list.iter().any(|element| element == "*");
    if matches!(method, "GET" | "HEAD" | "POST")
        || list.iter().any(|element| element == method)
        || has_wildcard && !asked.credentials
    {
        return None;
    }
    if let Some(other) = list
        .iter()
        .find(|element| element.eq_ignore_ascii_case(method))
    {
        return Some(Problem::MethodCase(method.to_owned(), other.clone()));
    }
    Some(if has_wildcard {
        Problem::WildcardMethods(method.to_owned())
    } else {
        Problem::MethodNotAllowed {
            method: method.to_owned(),
            listed,
        }
    })
}

fn judge_headers(asked: &Asked<'_>, listed: Option<String>) -> Option<Problem> {
    let list = listed.as_deref().and_then(parse_list).unwrap_or_default();
    let has_wildcard = list.iter().any(|element| element == "*");
    let is_covered = |name: &str| {
        let by_wildcard = has_wildcard
            && !asked.credentials
            && (name != "authorization" || asked.browser == Browser::Chromium);
        by_wildcard
            || list
                .iter()
                .any(|element| element.eq_ignore_ascii_case(name))
    };
    let missing: Vec<String> = asked
        .headers
        .iter()
        .filter(|name| !is_covered(name))
        .cloned()
        .collect();
    if missing.is_empty() {
        return None;
    }
    Some(if has_wildcard && asked.credentials {
        Problem::WildcardHeaders(missing)
    } else if has_wildcard {
        Problem::AuthorizationUnderWildcard
    } else {
        Problem::HeadersNotAllowed {
            names: missing,
            listed,
        }
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;
    use crate::judge::Credentials;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        let headers: HeaderMap = headers
            .iter()
            .map(|(n, v)| {
                (
                    HeaderName::try_from(*n).unwrap(),
                    HeaderValue::try_from(*v).unwrap(),
                )
            })
            .collect();
        Answer {
            status,
            headers,
            body: Vec::new(),
            body_ended: true,
        }
    }

    fn judge(answer: &Answer, credentials: bool, browser: Browser) -> Vec<Problem> {
        let headers = ["authorization".to_owned(), "x-id".to_owned()];
        let origin = "https://app.example.com";
        let asked = Asked {
            origin,
            credentials,
            method: "PUT",
            headers: &headers,
            browser,
        };
        judge_preflight(answer, &asked)
    }

    const ORIGIN: (&str, &str) = ("access-control-allow-origin", "https://app.example.com");
    const METHODS: (&str, &str) = ("access-control-allow-methods", "GET, PUT");
    const HEADERS: (&str, &str) = ("access-control-allow-headers", "X-Id, Authorization");

    #[test]
    fn what_is_granted_passes() {
        let good = answer(204, &[ORIGIN, METHODS, HEADERS]);
        assert_eq!(judge(&good, false, Browser::Standard), []);
        let absent = [Problem::AllowCredentials(Credentials::Absent)];
        assert_eq!(judge(&good, true, Browser::Standard), absent);
    }

    #[test]
    fn problems_come_in_the_order_of_the_browser() {
        let bad = answer(405, &[("access-control-allow-origin", "*")]);
        let problems = judge(&bad, false, Browser::Chromium);
        assert!(
            matches!(
                &problems[..],
                [
                    Problem::Status(405),
                    Problem::MethodNotAllowed { .. },
                    Problem::HeadersNotAllowed { names, .. },
                ] if names.len() == 2
            ),
            "{problems:?}"
        );
    }

    #[test]
    fn a_wildcard_is_a_name_with_credentials_and_covers_authorization_in_chromium() {
        let any = answer(
            200,
            &[ORIGIN, METHODS, ("access-control-allow-headers", "*")],
        );
        assert_eq!(judge(&any, false, Browser::Chromium), []);
        let standard = [Problem::AuthorizationUnderWildcard];
        assert_eq!(judge(&any, false, Browser::Standard), standard);
        assert!(matches!(
            judge(&any, true, Browser::Chromium)[..],
            [Problem::AllowCredentials(_), Problem::WildcardHeaders(_)]
        ));
    }

    #[test]
    fn an_answer_that_refuses_the_origin_is_judged_by_the_lists_that_it_has() {
        let silent = answer(200, &[]);
        assert_eq!(
            judge(&silent, true, Browser::Chromium),
            [Problem::NoAllowOrigin]
        );
        let lists = answer(200, &[("access-control-allow-methods", "GET")]);
        assert!(matches!(
            judge(&lists, false, Browser::Chromium)[..],
            [Problem::NoAllowOrigin, Problem::MethodNotAllowed { .. }]
        ));
    }

    #[test]
    fn case_and_malformed_lists_are_told() {
        let case = answer(
            200,
            &[ORIGIN, ("access-control-allow-methods", "put"), HEADERS],
        );
        let expected = Problem::MethodCase("PUT".into(), "put".into());
        assert_eq!(judge(&case, false, Browser::Chromium), [expected]);
        let malformed = answer(
            200,
            &[ORIGIN, ("access-control-allow-methods", "GET PUT"), HEADERS],
        );
        assert!(matches!(
            judge(&malformed, false, Browser::Chromium)[..],
            [Problem::MalformedList("Access-Control-Allow-Methods", _)]
        ));
    }
}
