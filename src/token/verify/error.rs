use std::{borrow::Cow, fmt};

use serde_json::Value;

use super::verified_token::VerifiedToken;
use crate::debug_as_display::debug_as_display;

/// What comes of verifying a token.
pub type VerifyResult = Result<VerifiedToken, VerifyError>;

/// Why a token is not good. The texts are for the operator: they may quote single claims, and never
/// the token itself.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It does not have the form of a token.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// Its signature, algorithm or key is wrong, or the issuer does not know it.
    #[error("the token is not authentic: {0}")]
    NotAuthentic(&'static str),
    /// Another issuer made it, or its issuer has no keys here.
    #[error("the token is of another issuer: {0}")]
    WrongIssuer(Mismatch),
    /// It is authentic, and meant for another service.
    #[error("the token is for another audience: {0}")]
    WrongAudience(Mismatch),
    /// It is authentic, and no access token: a logout token, for example, or a proof.
    #[error("the token is of another type: {0}")]
    WrongType(Mismatch),
    /// It is authentic, and lacks something that the configuration requires.
    #[error("the token does not meet a requirement: {0}")]
    UnmetRequirement(Cow<'static, str>),
    /// It is authentic, and not valid yet.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It is authentic, and its time is over. `expiry` says since when.
    #[error("the token has expired")]
    Expired(VerifiedToken),
    /// It is authentic and bound to a key, and the request does not prove that its sender holds
    /// the key.
    #[error("proof of possession failed: {0}")]
    ProofOfPossession(&'static str),
    /// It was authentic, and has been withdrawn.
    #[error("the token has been revoked")]
    Revoked,
    /// Nobody can tell for now: keys or the issuer are out of reach.
    #[error("the token cannot be verified for now: {0}")]
    Unavailable(Cow<'static, str>),
}

debug_as_display!(VerifyError);

/// Reasons of [`VerifyError::ProofOfPossession`] that another proof does not mend.
pub(crate) mod unmendable {
    pub(crate) const UNCHECKED: &str =
        "the token is bound to a key (cnf), and this verifier checks no proof of it";
    pub(crate) const UNBOUND: &str =
        "the token is bound to no key (cnf), so that anybody could use it";
    pub(crate) const BESIDE_UNBOUND: &str =
        "there is a proof beside a token that is bound to no key";
    pub(crate) const KEY_FULL: &str = "too many proofs of this key lately: see max_proofs_per_key";
    pub(crate) const FULL: &str = "too many proofs lately to remember another";
}

/// A value of a token that is another one than expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    name: &'static str,
    found: Option<Box<str>>,
    expected: Box<str>,
}

impl Mismatch {
    /// `name` is that of a claim or header parameter.
    pub(crate) fn new(
        name: &'static str,
        found: Option<&Value>,
        expected: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let expected = expected.into_iter();
        let expected: Vec<_> = expected.map(|text| quoted(text.as_ref())).collect();
        Self::with_expected(name, found, &expected.join(" or "))
    }

    /// `expected` describes the values that would do.
    pub(crate) fn with_expected(name: &'static str, found: Option<&Value>, expected: &str) -> Self {
        Self {
            name,
            found: found.map(|value| described(value).into()),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, expected, .. } = self;
        match &self.found {
            Some(found) => write!(f, "its {name} is {found}, expected {expected}"),
            None => write!(f, "it has no {name}, expected {expected}"),
        }
    }
}

/// The longest part of a value that an error quotes, in bytes.
const MAX_QUOTED: usize = 200;

/// The value as JSON has it, cut and escaped: a stranger may have written it.
fn described(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(elements) => {
            let shown: Vec<_> = elements.iter().take(4).map(element).collect();
            let more = if elements.len() > shown.len() {
                ", .."
            } else {
                ""
            };
            format!("[{}{more}]", shown.join(", "))
        }
        Value::Object(_) => "an object".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => quoted(&value.to_string()),
    }
}

/// Arrays within arrays are not shown, so that the text is bounded.
fn element(value: &Value) -> String {
    match value {
        Value::Array(_) => "an array".to_owned(),
        other => described(other),
    }
}

/// In quotes, cut and escaped.
pub(crate) fn quoted(text: &str) -> String {
    if text.len() <= MAX_QUOTED {
        return format!("{text:?}");
    }
    let is_boundary = |&index: &usize| text.is_char_boundary(index);
    let end = (0..=MAX_QUOTED).rev().find(is_boundary).unwrap_or(0);
    format!("{:?}..", &text[..end])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_mismatch_quotes_what_was_found_cut_and_escaped() {
        let text = |found: Value| Mismatch::new("aud", Some(&found), ["api"]).to_string();
        assert_eq!(text(json!("a\nb")), r#"its aud is "a\nb", expected "api""#);
        assert_eq!(text(json!(5)), r#"its aud is "5", expected "api""#);
        assert_eq!(
            text(json!(["a", ["b"], 1, 2, 3])),
            r#"its aud is ["a", an array, "1", "2", ..], expected "api""#,
        );
        assert_eq!(
            text(json!(["a", "b"])),
            r#"its aud is ["a", "b"], expected "api""#
        );
        assert_eq!(
            text(json!({"a": 1})),
            r#"its aud is an object, expected "api""#
        );
        let missing = Mismatch::new("iss", None, ["a", "b"]).to_string();
        assert_eq!(missing, r#"it has no iss, expected "a" or "b""#);
        // Cut between characters.
        let long = text(json!("é".repeat(10_000)));
        assert!(long.len() < 500, "{}", long.len());
        assert!(long.contains("\"..,"), "{long}");
    }
}
