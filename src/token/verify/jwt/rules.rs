use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::token::{
    claim::Claims,
    verify::{VerifiedToken, VerifyError, VerifyResult},
};

/// What an authentic token must say to be good.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) leeway: Duration,
    pub(crate) issuers: Vec<Box<str>>,
    pub(crate) audiences: Vec<Box<str>>,
    pub(crate) requires_expiry: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            leeway: Duration::from_secs(30),
            issuers: Vec::new(),
            audiences: Vec::new(),
            requires_expiry: true,
        }
    }
}

/// Checks the claims of a token whose signature is right. Its times come last, so that a token is
/// said to have expired only when nothing else is wrong with it.
pub(crate) fn check(claims: Claims, rules: &Rules, now: SystemTime) -> VerifyResult {
    if !is_from_one_of(&claims, &rules.issuers) || !is_for_one_of(&claims, &rules.audiences) {
        return Err(VerifyError::Misdirected);
    }
    let not_before = time(&claims, "nbf")?;
    let expiry = time(&claims, "exp")?;
    if expiry.is_none() && rules.requires_expiry {
        return Err(VerifyError::Malformed("it has no exp"));
    }
    if not_before.is_some_and(|nbf| nbf > later(now, rules.leeway)) {
        return Err(VerifyError::NotYetValid);
    }
    let token = VerifiedToken::new(claims);
    let token = match expiry {
        Some(expiry) => token.expires_at(expiry).leeway(rules.leeway),
        None => token,
    };
    if token.is_good_at(now) {
        Ok(token)
    } else {
        Err(VerifyError::Expired(token))
    }
}

/// RFC 7519, section 4.1.1.
fn is_from_one_of(claims: &Claims, issuers: &[Box<str>]) -> bool {
    let is_named = |issuer: &str| issuers.iter().any(|named| **named == *issuer);
    issuers.is_empty()
        || claims
            .get("iss")
            .and_then(Value::as_str)
            .is_some_and(is_named)
}

/// RFC 7519, section 4.1.3: one text, or an array of them.
fn is_for_one_of(claims: &Claims, audiences: &[Box<str>]) -> bool {
    let is_named = |audience: &Value| {
        let text = audience.as_str();
        text.is_some_and(|text| audiences.iter().any(|named| **named == *text))
    };
    audiences.is_empty()
        || match claims.get("aud") {
            Some(Value::Array(members)) => members.iter().any(is_named),
            Some(single) => is_named(single),
            None => false,
        }
}

/// RFC 7519, section 2, NumericDate: seconds, with a fraction or not. What is there and is none
/// refuses the token.
fn time(claims: &Claims, name: &str) -> Result<Option<SystemTime>, VerifyError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = match value.as_u64() {
        Some(whole) => Some(Duration::from_secs(whole)),
        None => value
            .as_f64()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    };
    seconds
        .and_then(|since| UNIX_EPOCH.checked_add(since))
        .map(Some)
        .ok_or(VerifyError::Malformed("its exp or nbf is no time"))
}

/// A time beyond what can be told stays where it is.
fn later(time: SystemTime, by: Duration) -> SystemTime {
    time.checked_add(by).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outcome(claims: &Value, rules: &Rules) -> &'static str {
        let claims = Claims::parse(claims.to_string().as_bytes()).unwrap();
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        match check(claims, rules, now) {
            Ok(_) => "good",
            Err(VerifyError::Malformed(_)) => "malformed",
            Err(VerifyError::Misdirected) => "misdirected",
            Err(VerifyError::NotYetValid) => "not yet",
            Err(VerifyError::Expired(_)) => "expired",
            Err(_) => "other",
        }
    }

    #[test]
    fn times_have_one_leeway() {
        let rules = Rules::default();
        for (claims, expected) in [
            (json!({"exp": 1_000_001}), "good"),
            (json!({"exp": 999_971}), "good"),
            (json!({"exp": 999_970}), "expired"),
            (json!({"exp": 0}), "expired"),
            (json!({"exp": 1_000_001.5}), "good"),
            (json!({"exp": 1_000_001, "nbf": 1_000_030}), "good"),
            (json!({"exp": 1_000_001, "nbf": 1_000_031}), "not yet"),
            (json!({"exp": u64::MAX}), "malformed"),
            (json!({"exp": 1e300}), "malformed"),
            (json!({"exp": -1}), "malformed"),
            (json!({"exp": "1000001"}), "malformed"),
            (json!({"exp": null}), "malformed"),
            (json!({"exp": 1_000_001, "nbf": "0"}), "malformed"),
            (json!({}), "malformed"),
        ] {
            assert_eq!(outcome(&claims, &rules), expected, "{claims}");
        }
        let endless = Rules {
            requires_expiry: false,
            ..Rules::default()
        };
        assert_eq!(outcome(&json!({}), &endless), "good");
        let generous = Rules {
            leeway: Duration::MAX,
            ..Rules::default()
        };
        // Beyond the largest leeway there is no other.
        assert_eq!(outcome(&json!({"exp": 1}), &generous), "expired");
    }

    #[test]
    fn issuer_and_audience_are_one_of_those_expected() {
        let rules = Rules {
            issuers: vec!["a".into(), "b".into()],
            audiences: vec!["api".into()],
            ..Rules::default()
        };
        let exp = 1_000_001;
        for (claims, expected) in [
            (json!({"exp": exp, "iss": "b", "aud": "api"}), "good"),
            (json!({"exp": exp, "iss": "a", "aud": ["x", "api"]}), "good"),
            (json!({"exp": exp, "iss": "c", "aud": "api"}), "misdirected"),
            (
                json!({"exp": exp, "iss": ["a"], "aud": "api"}),
                "misdirected",
            ),
            (json!({"exp": exp, "aud": "api"}), "misdirected"),
            (json!({"exp": exp, "iss": "a"}), "misdirected"),
            (json!({"exp": exp, "iss": "a", "aud": []}), "misdirected"),
            (
                json!({"exp": exp, "iss": "a", "aud": [["api"]]}),
                "misdirected",
            ),
            // Whoever is not addressed does not learn that it has expired.
            (json!({"exp": 0, "iss": "c", "aud": "api"}), "misdirected"),
        ] {
            assert_eq!(outcome(&claims, &rules), expected, "{claims}");
        }
    }
}
