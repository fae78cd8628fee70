use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use super::{
    claim_rule_error::ClaimRuleError,
    error::{Mismatch, VerifyError, VerifyResult},
    verified_token::VerifiedToken,
};
use crate::{time::MAX_LEEWAY, token::claim::Claims};

/// What an authentic token must say to be good
/// ([RFC 7519, section 4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)).
#[derive(Clone, Debug)]
pub(crate) struct ClaimRules {
    /// `iss` must be one of these; empty: not checked.
    pub(crate) issuers: Vec<Box<str>>,
    /// `aud` must hold one of these; empty: not checked.
    pub(crate) audiences: Vec<Box<str>>,
    pub(crate) allows_any_audience: bool,
    /// How far the issuer's clock may be off.
    pub(crate) leeway: Duration,
    /// Whether the leeway prolongs the token, too. Otherwise it is for `nbf` alone.
    pub(crate) is_lenient_about_expiry: bool,
    pub(crate) requires_expiry: bool,
    pub(crate) requirements: Vec<Requirement>,
}

/// Something that the application requires of the claims.
#[derive(Clone)]
pub(crate) struct Requirement {
    what: Cow<'static, str>,
    is_met: Arc<dyn Fn(&Claims) -> bool + Send + Sync>,
}

impl Requirement {
    pub(crate) fn new(
        what: impl Into<Cow<'static, str>>,
        is_met: impl Fn(&Claims) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            what: what.into(),
            is_met: Arc::new(is_met),
        }
    }
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

impl Default for ClaimRules {
    fn default() -> Self {
        Self {
            issuers: Vec::new(),
            audiences: Vec::new(),
            allows_any_audience: false,
            leeway: Duration::from_secs(30),
            is_lenient_about_expiry: true,
            requires_expiry: true,
            requirements: Vec::new(),
        }
    }
}

impl ClaimRules {
    /// What is wrong with the rules themselves.
    pub(crate) fn mistakes(&self) -> Vec<ClaimRuleError> {
        let audience = match (self.audiences.is_empty(), self.allows_any_audience) {
            (true, false) => Some(ClaimRuleError::MissingAudience),
            (false, true) => Some(ClaimRuleError::AnyAudience),
            _ => None,
        };
        let leeway = self.leeway > MAX_LEEWAY;
        let leeway = leeway.then_some(ClaimRuleError::Leeway(self.leeway));
        audience.into_iter().chain(leeway).collect()
    }

    /// Checks the claims of an authentic token.
    ///
    /// The times come last, so that a token is said to have expired only when nothing else is
    /// wrong with it: a page may then read that it has.
    pub(crate) fn check(&self, claims: Claims, now: SystemTime) -> VerifyResult {
        self.check_issuer(&claims)?;
        self.check_audience(&claims)?;
        let unmet = |requirement: &&Requirement| !(requirement.is_met)(&claims);
        if let Some(requirement) = self.requirements.iter().find(unmet) {
            return Err(VerifyError::UnmetRequirement(requirement.what.clone()));
        }
        let malformed = |NotATime| VerifyError::Malformed("its exp or nbf is not a time");
        let not_before = numeric_date(&claims, "nbf").map_err(malformed)?;
        let expiry = numeric_date(&claims, "exp").map_err(malformed)?;
        if expiry.is_none() && self.requires_expiry {
            return Err(VerifyError::Malformed("it has no exp"));
        }
        let latest = now.checked_add(self.leeway).unwrap_or(now);
        if not_before.is_some_and(|not_before| not_before > latest) {
            return Err(VerifyError::NotYetValid);
        }
        let mut token = VerifiedToken::new(claims);
        if let Some(expiry) = expiry {
            token = token.expires_at(expiry);
            if self.is_lenient_about_expiry {
                token = token.leeway(self.leeway);
            }
        }
        if token.is_good_at(now) {
            Ok(token)
        } else {
            Err(VerifyError::Expired(token))
        }
    }

    /// RFC 7519, section 4.1.1.
    fn check_issuer(&self, claims: &Claims) -> Result<(), VerifyError> {
        let issuer = claims.get("iss");
        let is_named = |issuer: &str| self.issuers.iter().any(|named| **named == *issuer);
        let text = issuer.and_then(Value::as_str);
        if self.issuers.is_empty() || text.is_some_and(is_named) {
            Ok(())
        } else {
            let mismatch = Mismatch::new("iss", issuer, &self.issuers);
            Err(VerifyError::WrongIssuer(mismatch))
        }
    }

    /// RFC 7519, section 4.1.3: one text, or an array of them.
    fn check_audience(&self, claims: &Claims) -> Result<(), VerifyError> {
        let audience = claims.get("aud");
        let is_named = |audience: &Value| {
            let text = audience.as_str();
            text.is_some_and(|text| self.audiences.iter().any(|named| **named == *text))
        };
        let is_for_us = match audience {
            Some(Value::Array(members)) => members.iter().any(is_named),
            Some(single) => is_named(single),
            None => false,
        };
        if self.audiences.is_empty() || is_for_us {
            Ok(())
        } else {
            let mismatch = Mismatch::new("aud", audience, &self.audiences);
            Err(VerifyError::WrongAudience(mismatch))
        }
    }
}

/// The setters that the builders of all verifiers share. The builder has a field `rules` with the
/// path that is given to its [`ClaimRules`].
macro_rules! claim_rule_setters {
    ($($path:ident).+) => {
        /// Adds an issuer: the `iss` of a token must be one of those given, byte by byte. Default:
        /// not checked.
        pub fn issuer(mut self, issuer: impl Into<Box<str>>) -> Self {
            self.$($path).+.issuers.push(issuer.into());
            self
        }

        /// Adds an audience: the `aud` of a token must be one of those given, or hold one.
        pub fn audience(mut self, audience: impl Into<Box<str>>) -> Self {
            self.$($path).+.audiences.push(audience.into());
            self
        }

        /// Adds a requirement that the claims must meet, such as a scope, a `client_id` or an `azp`.
        /// `what` names it in the error. Default: none.
        ///
        /// ```
        /// use tower_cors::token::claim::Claims;
        ///
        /// // .require("scope chat", has_scope)
        /// fn has_scope(claims: &Claims) -> bool {
        ///     let scope = claims.get("scope").and_then(|scope| scope.as_str());
        ///     scope.is_some_and(|scope| scope.split(' ').any(|scope| scope == "chat"))
        /// }
        ///
        /// assert!(has_scope(&Claims::parse(br#"{"scope": "read chat"}"#)?));
        /// assert!(!has_scope(&Claims::parse(br#"{"scope": "chats"}"#)?));
        /// # Ok::<(), tower_cors::token::claim::ClaimsError>(())
        /// ```
        pub fn require(
            mut self,
            what: impl Into<std::borrow::Cow<'static, str>>,
            is_met: impl Fn(&$crate::token::claim::Claims) -> bool + Send + Sync + 'static,
        ) -> Self {
            let requirement = $crate::token::verify::Requirement::new(what, is_met);
            self.$($path).+.requirements.push(requirement);
            self
        }
    };
}

pub(crate) use claim_rule_setters;

/// The end of the year 9999, in seconds since 1970. A later time is taken for this one, so that it
/// does not depend on the platform which times there are, and sums do not overflow.
const LATEST: u64 = 253_402_300_799;

/// A claim is present and is not a time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotATime;

/// Reads a NumericDate (RFC 7519, section 2): seconds since 1970, with or without a fraction.
/// `null` counts as absent, because some servers write absence like that.
pub(crate) fn numeric_date(claims: &Claims, name: &str) -> Result<Option<SystemTime>, NotATime> {
    let value = match claims.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let since = match value.as_u64() {
        Some(seconds) => Duration::from_secs(seconds.min(LATEST)),
        None => {
            let seconds = value.as_f64().ok_or(NotATime)?.min(LATEST as f64);
            Duration::try_from_secs_f64(seconds).map_err(|_| NotATime)?
        }
    };
    Ok(Some(UNIX_EPOCH + since))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(claims: &Value) -> Claims {
        Claims::parse(claims.to_string().as_bytes()).unwrap()
    }

    fn outcome(claims: &Value, rules: &ClaimRules) -> &'static str {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        match rules.check(parse(claims), now) {
            Ok(_) => "good",
            Err(VerifyError::Malformed(_)) => "malformed",
            Err(VerifyError::WrongIssuer(_)) => "issuer",
            Err(VerifyError::WrongAudience(_)) => "audience",
            Err(VerifyError::UnmetRequirement(_)) => "requirement",
            Err(VerifyError::NotYetValid) => "not yet",
            Err(VerifyError::Expired(_)) => "expired",
            Err(_) => "other",
        }
    }

    #[test]
    fn numeric_dates() {
        let at = |millis| Ok(Some(UNIX_EPOCH + Duration::from_millis(millis)));
        let latest = || at(LATEST * 1000);
        for (value, expected) in [
            (json!(0), at(0)),
            (json!(10), at(10_000)),
            (json!(10.0), at(10_000)),
            (json!(10.5), at(10_500)),
            (json!(null), Ok(None)),
            (json!(u64::MAX), latest()),
            (json!(i64::MAX), latest()),
            (json!(1e300), latest()),
            (json!(-1), Err(NotATime)),
            (json!(-0.5), Err(NotATime)),
            (json!("10"), Err(NotATime)),
            (json!(true), Err(NotATime)),
            (json!([10]), Err(NotATime)),
        ] {
            let claims = parse(&json!({ "exp": value }));
            assert_eq!(numeric_date(&claims, "exp"), expected, "{value}");
            assert_eq!(numeric_date(&claims, "nbf"), Ok(None));
        }
    }

    #[test]
    fn times_have_one_leeway() {
        let rules = ClaimRules::default();
        for (claims, expected) in [
            (json!({"exp": 1_000_001}), "good"),
            (json!({"exp": 999_971}), "good"),
            (json!({"exp": 999_970}), "expired"),
            (json!({"exp": 0}), "expired"),
            (json!({"exp": 1_000_001.5}), "good"),
            (json!({"exp": 1_000_001, "nbf": 1_000_030}), "good"),
            (json!({"exp": 1_000_001, "nbf": 1_000_031}), "not yet"),
            (json!({"exp": -1}), "malformed"),
            (json!({"exp": "1000001"}), "malformed"),
            (json!({"exp": null}), "malformed"),
            (json!({"exp": 1_000_001, "nbf": "0"}), "malformed"),
            (json!({}), "malformed"),
        ] {
            assert_eq!(outcome(&claims, &rules), expected, "{claims}");
        }
        let endless = ClaimRules {
            requires_expiry: false,
            ..ClaimRules::default()
        };
        assert_eq!(outcome(&json!({}), &endless), "good");
        let exact = ClaimRules {
            is_lenient_about_expiry: false,
            ..ClaimRules::default()
        };
        assert_eq!(outcome(&json!({"exp": 1_000_000}), &exact), "expired");
        assert_eq!(outcome(&json!({"exp": 1_000_001}), &exact), "good");
        // A token cannot have a larger leeway than the largest.
        let generous = ClaimRules {
            leeway: Duration::MAX,
            ..ClaimRules::default()
        };
        assert_eq!(outcome(&json!({"exp": 1}), &generous), "expired");
    }

    #[test]
    fn issuer_and_audience_are_one_of_those_expected() {
        let rules = ClaimRules {
            issuers: vec!["a".into(), "b".into()],
            audiences: vec!["api".into()],
            ..ClaimRules::default()
        };
        let exp = 1_000_001;
        for (claims, expected) in [
            (json!({"exp": exp, "iss": "b", "aud": "api"}), "good"),
            (json!({"exp": exp, "iss": "a", "aud": ["x", "api"]}), "good"),
            (json!({"exp": exp, "iss": "c", "aud": "api"}), "issuer"),
            (json!({"exp": exp, "iss": "A", "aud": "api"}), "issuer"),
            (json!({"exp": exp, "iss": "a/", "aud": "api"}), "issuer"),
            (json!({"exp": exp, "iss": ["a"], "aud": "api"}), "issuer"),
            (json!({"exp": exp, "aud": "api"}), "issuer"),
            (json!({"exp": exp, "iss": "a"}), "audience"),
            (json!({"exp": exp, "iss": "a", "aud": "apis"}), "audience"),
            (json!({"exp": exp, "iss": "a", "aud": []}), "audience"),
            (
                json!({"exp": exp, "iss": "a", "aud": [["api"]]}),
                "audience",
            ),
            // A token for another service does not learn here that it has expired.
            (json!({"exp": 0, "iss": "c", "aud": "api"}), "issuer"),
        ] {
            assert_eq!(outcome(&claims, &rules), expected, "{claims}");
        }
    }

    #[test]
    fn requirements_are_all_met_or_the_first_is_named() {
        let claim =
            |name: &'static str| Requirement::new(name, move |claims| claims.get(name).is_some());
        let rules = ClaimRules {
            requirements: vec![claim("a"), claim("b")],
            ..ClaimRules::default()
        };
        let exp = 1_000_001;
        for (claims, expected) in [
            (json!({"exp": exp, "a": 1, "b": 1}), "good"),
            (json!({"exp": exp, "a": 1}), "requirement"),
            (json!({"exp": 0, "b": 1}), "requirement"),
        ] {
            assert_eq!(outcome(&claims, &rules), expected, "{claims}");
        }
        let error = rules.check(parse(&json!({"exp": exp, "a": 1})), UNIX_EPOCH);
        let text = error.unwrap_err().to_string();
        assert_eq!(text, "the token does not meet a requirement: b");
    }
}
