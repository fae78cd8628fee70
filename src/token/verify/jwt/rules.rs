use std::time::SystemTime;

use serde_json::Value;

use crate::token::{
    claim::Claims,
    verify::{ClaimRules, Mismatch, VerifyError, VerifyResult},
};

/// What an authentic JWT must say to be good.
#[derive(Clone, Debug, Default)]
pub(crate) struct JwtRules {
    pub(crate) claims: ClaimRules,
    pub(crate) types: AcceptedTypes,
}

/// Which `typ` header parameters are accepted: other kinds of JWT are signed with the same keys
/// (RFC 8725, section 3.11).
#[derive(Clone, Debug, Default)]
pub(crate) enum AcceptedTypes {
    /// None, `JWT`, or that of an access token (RFC 9068, section 2.1).
    #[default]
    AccessToken,
    Only(Vec<Box<str>>),
}

impl JwtRules {
    pub(crate) fn check(
        &self,
        typ: Option<&Value>,
        claims: Claims,
        now: SystemTime,
    ) -> VerifyResult {
        if self.types.accept(typ) {
            self.claims.check(claims, now)
        } else {
            let mismatch = Mismatch::new("typ", typ, self.types.names());
            Err(VerifyError::WrongType(mismatch))
        }
    }
}

impl AcceptedTypes {
    fn accept(&self, typ: Option<&Value>) -> bool {
        match typ {
            None => matches!(self, Self::AccessToken),
            Some(Value::String(typ)) => self.names().iter().any(|name| is_same_type(name, typ)),
            Some(_) => false,
        }
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::AccessToken => vec!["at+jwt", "JWT"],
            Self::Only(names) => names.iter().map(AsRef::as_ref).collect(),
        }
    }
}

/// RFC 7515, section 4.1.9: media types, whose case does not matter, and whose `application/` may be
/// left out.
fn is_same_type(one: &str, other: &str) -> bool {
    short(one).eq_ignore_ascii_case(short(other))
}

fn short(media_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match media_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => media_type,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_access_token_is_untyped_or_says_so() {
        let only = AcceptedTypes::Only(vec!["at+jwt".into(), "custom".into()]);
        for (typ, by_default, by_list) in [
            (None, true, false),
            (Some(json!("JWT")), true, false),
            (Some(json!("jwt")), true, false),
            (Some(json!("at+jwt")), true, true),
            (Some(json!("AT+JWT")), true, true),
            (Some(json!("application/at+jwt")), true, true),
            (Some(json!("Application/AT+JWT")), true, true),
            (Some(json!("custom")), false, true),
            (Some(json!("logout+jwt")), false, false),
            (Some(json!("dpop+jwt")), false, false),
            (Some(json!("secevent+jwt")), false, false),
            (Some(json!("token-introspection+jwt")), false, false),
            (Some(json!("oauth-authz-req+jwt")), false, false),
            (Some(json!("application/application/jwt")), false, false),
            (Some(json!("applicationsat+jwt")), false, false),
            (Some(json!("")), false, false),
            (Some(json!("\u{212a}")), false, false),
            (Some(json!(1)), false, false),
            (Some(json!(null)), false, false),
        ] {
            let accepted = AcceptedTypes::AccessToken.accept(typ.as_ref());
            assert_eq!(accepted, by_default, "{typ:?}");
            assert_eq!(only.accept(typ.as_ref()), by_list, "{typ:?}");
        }
    }
}
