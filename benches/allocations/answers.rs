//! What a browser makes of an answer, so that only services that do the job are compared.

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
        ORIGIN, SERVER, VARY,
    },
};

use crate::common::{Expectation, Origins, Scenario};

pub(crate) fn check(scenario: &Scenario, answer: &(StatusCode, HeaderMap)) -> Result<(), String> {
    let (status, headers) = answer;
    let came_to_handler = headers.contains_key(SERVER);
    let readable = is_readable(scenario, headers);
    let found = match scenario.expectation {
        Expectation::Whatever => return Ok(()),
        Expectation::Refused => {
            if came_to_handler || *status != StatusCode::FORBIDDEN {
                return Err(format!("not refused, but {status}"));
            } else {
                return Ok(());
            }
        }
        Expectation::Readable | Expectation::Unreadable if scenario.id != "o0" => {
            if !came_to_handler || *status != StatusCode::OK {
                return Err("the handler did not answer".to_owned());
            }
            says_what_it_varies_on(scenario, headers)?;
            actual(scenario, headers, readable)?
        }
        // The peer answers every OPTIONS itself; its page can read that, too.
        Expectation::Readable | Expectation::Unreadable => actual(scenario, headers, readable)?,
        Expectation::Passed | Expectation::Failed => {
            if came_to_handler {
                return Err("a preflight came to the handler".to_owned());
            }
            if status.is_success() && readable && is_covered(scenario, headers) {
                Expectation::Passed
            } else {
                Expectation::Failed
            }
        }
    };
    if found == scenario.expectation {
        Ok(())
    } else {
        Err(format!("{found:?}, not {:?}", scenario.expectation))
    }
}

fn actual(scenario: &Scenario, headers: &HeaderMap, readable: bool) -> Result<Expectation, String> {
    if readable && scenario.config.exposed && !headers.contains_key(ACCESS_CONTROL_EXPOSE_HEADERS) {
        return Err("no header is exposed".to_owned());
    }
    Ok(if readable {
        Expectation::Readable
    } else {
        Expectation::Unreadable
    })
}

/// <https://fetch.spec.whatwg.org/#concept-cors-check>. Who sends no origin reads what is for any.
fn is_readable(scenario: &Scenario, headers: &HeaderMap) -> bool {
    let credentials = headers.get(ACCESS_CONTROL_ALLOW_CREDENTIALS);
    let allowed = headers.get_all(ACCESS_CONTROL_ALLOW_ORIGIN);
    let mut allowed = allowed.iter();
    let (Some(origin), None) = (allowed.next(), allowed.next()) else {
        return false;
    };
    if scenario.config.credentials {
        scenario.head.headers.get(ORIGIN) == Some(origin)
            && credentials == Some(&HeaderValue::from_static("true"))
    } else {
        origin == "*" || scenario.head.headers.get(ORIGIN) == Some(origin)
    }
}

/// <https://fetch.spec.whatwg.org/#cors-preflight-fetch>, from step 7 on.
fn is_covered(scenario: &Scenario, headers: &HeaderMap) -> bool {
    let asked = &scenario.head.headers;
    let covers = |allowed: http::HeaderName, asked_for: http::HeaderName| {
        let allowed = members(headers, allowed);
        members(asked, asked_for)
            .iter()
            .all(|name| allowed.contains(name) || allowed.iter().any(|one| one == "*"))
    };
    headers.contains_key(ACCESS_CONTROL_MAX_AGE)
        && covers(ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_REQUEST_METHOD)
        && covers(ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS)
}

/// The inner service's members must still be there, and `Origin` where the answer depends on it.
fn says_what_it_varies_on(scenario: &Scenario, headers: &HeaderMap) -> Result<(), String> {
    let found = members(headers, VARY);
    let everything = found.iter().any(|name| name == "*");
    let has = |name: &str| everything || found.iter().any(|found| found == name);
    let inner = scenario.inner_vary.unwrap_or_default().split(',');
    if !inner
        .map(str::trim)
        .all(|name| name.is_empty() || has(name))
    {
        return Err(format!("the handler's Vary is lost: {found:?}"));
    }
    // One constant origin for all is all that the peer does with one origin.
    let varies = !matches!(scenario.config.origins, Origins::Any | Origins::One);
    if !varies || has("origin") {
        Ok(())
    } else {
        Err("Vary: Origin is missing".to_owned())
    }
}

fn members(headers: &HeaderMap, name: http::HeaderName) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .flat_map(|line| line.to_str().unwrap().split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect()
}
