use std::time::SystemTime;

use serde_json::Value;

use crate::{
    debug_as_display::debug_as_display,
    token::{
        claim::Claims,
        verify::{NotATime, numeric_date},
    },
};

/// An issuer's answer about a token
/// ([RFC 7662, section 2.2](https://www.rfc-editor.org/rfc/rfc7662#section-2.2)), read strictly.
///
/// ```
/// use tower_cors::token::verify::introspection::IntrospectionResponse;
///
/// let response = IntrospectionResponse::parse(br#"{"active": true, "exp": 4102444800}"#)?;
/// assert!(response.is_active());
/// assert!(!IntrospectionResponse::parse(br#"{"active": false}"#)?.is_active());
///
/// // An answer that is not clear is an error, and does not count as "inactive".
/// assert!(IntrospectionResponse::parse(br#"{"active": "true"}"#).is_err());
/// # Ok::<(), tower_cors::token::verify::introspection::IntrospectionError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct IntrospectionResponse {
    active: bool,
    expiry: Option<SystemTime>,
    not_before: Option<SystemTime>,
    claims: Claims,
}

impl IntrospectionResponse {
    /// Reads the body of an answer.
    ///
    /// # Errors
    ///
    /// When the body is not a JSON object, or has a key twice, `active` is not a JSON boolean, or
    /// `exp` or `nbf` of an active token is not a time. Such an answer says nothing, not even that
    /// the token is inactive.
    pub fn parse(body: &[u8]) -> Result<Self, IntrospectionError> {
        let claims = Claims::parse(body).map_err(|_| IntrospectionError::Object)?;
        let active = match claims.get("active") {
            Some(Value::Bool(active)) => *active,
            _ => return Err(IntrospectionError::Active),
        };
        // In an answer about an inactive token, no other member has a meaning.
        let (expiry, not_before) = if active {
            let time = |name| numeric_date(&claims, name);
            let error = |NotATime| IntrospectionError::Time;
            (time("exp").map_err(error)?, time("nbf").map_err(error)?)
        } else {
            (None, None)
        };
        Ok(Self {
            active,
            expiry,
            not_before,
            claims,
        })
    }

    /// Whether the issuer stands by the token now.
    pub fn is_active(&self) -> bool {
        self.active
    }

    /// From when on the token is not good any more (`exp`).
    pub fn expiry(&self) -> Option<SystemTime> {
        self.expiry
    }

    /// Before when the token is not good yet (`nbf`).
    pub fn not_before(&self) -> Option<SystemTime> {
        self.not_before
    }

    /// Everything that the issuer says.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(crate) fn into_claims(self) -> Claims {
        self.claims
    }
}

/// Why an issuer's answer about a token says nothing.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IntrospectionError {
    /// It is not a JSON object, or a key stands in it twice.
    #[error("the issuer's answer is not a JSON object, or has a key twice")]
    Object,
    /// `active` is missing, or not a JSON boolean.
    #[error("the issuer's answer has no boolean \"active\"")]
    Active,
    /// `exp` or `nbf` is not a time.
    #[error("the issuer's answer has an \"exp\" or \"nbf\" that is not a time")]
    Time,
}

debug_as_display!(IntrospectionError);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn active_is_a_boolean() {
        use IntrospectionError::*;
        for (body, active) in [
            (&br#"{"active": true}"#[..], Ok(true)),
            (br#"{"active": false}"#, Ok(false)),
            (br#" {"exp":1, "active":true, "x":[{}]} "#, Ok(true)),
            (br#"{"active": false, "exp": "never"}"#, Ok(false)),
            (br#"{"active": "true"}"#, Err(Active)),
            (br#"{"active": "false"}"#, Err(Active)),
            (br#"{"active": 1}"#, Err(Active)),
            (br#"{"active": null}"#, Err(Active)),
            (br#"{"Active": true}"#, Err(Active)),
            (br#"{}"#, Err(Active)),
            (br#"{"error": "invalid_client"}"#, Err(Active)),
            (br#"{"active": false, "active": true}"#, Err(Object)),
            (br#"{"active": true, "a": {"b": 1, "b": 2}}"#, Err(Object)),
            (br#"[{"active": true}]"#, Err(Object)),
            (br#"true"#, Err(Object)),
            (br#"{"active": true"#, Err(Object)),
            (br#"{"active": true}{"#, Err(Object)),
            (b"", Err(Object)),
            (b"<html>", Err(Object)),
            (b"\xff\xfe", Err(Object)),
            (br#"{"active": true, "exp": "1"}"#, Err(Time)),
            (br#"{"active": true, "exp": -1}"#, Err(Time)),
            (br#"{"active": true, "exp": 1.5}"#, Ok(true)),
            (br#"{"active": true, "nbf": []}"#, Err(Time)),
        ] {
            let parsed = IntrospectionResponse::parse(body);
            let text = String::from_utf8_lossy(body);
            assert_eq!(
                parsed.map(|response| response.is_active()),
                active,
                "{text}"
            );
        }
    }

    #[test]
    fn times_are_those_of_the_claims() {
        let parse = |body: &str| IntrospectionResponse::parse(body.as_bytes()).unwrap();
        let response = parse(r#"{"active": true, "exp": 20, "nbf": 10}"#);
        assert_eq!(response.expiry(), at(20));
        assert_eq!(response.not_before(), at(10));

        let response = parse(r#"{"active": true, "exp": null}"#);
        assert_eq!(response.expiry(), None);
        assert_eq!(response.not_before(), None);

        let response = parse(r#"{"active": true, "exp": 18446744073709551615}"#);
        assert_eq!(response.expiry(), at(253_402_300_799));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
            let _ = IntrospectionResponse::parse(&bytes);
        }

        #[test]
        fn what_looks_like_an_answer_agrees_with_a_plain_reader(
            active in prop_oneof![
                Just("true"), Just("false"), Just("\"true\""), Just("null"), Just("0"),
            ],
            exp in prop_oneof![
                any::<i64>().prop_map(|n| n.to_string()),
                any::<f64>().prop_filter("JSON", |n| n.is_finite()).prop_map(|n| n.to_string()),
                Just("null".to_owned()),
            ],
        ) {
            let body = format!(r#"{{"active": {active}, "exp": {exp}}}"#);
            let plain: Value = serde_json::from_str(&body).unwrap();
            let good = match plain["active"].as_bool() {
                Some(true) => {
                    plain["exp"].as_f64().is_none_or(|seconds| seconds >= 0.0)
                }
                Some(false) => true,
                None => false,
            };
            prop_assert_eq!(IntrospectionResponse::parse(body.as_bytes()).is_ok(), good);
        }
    }
}
