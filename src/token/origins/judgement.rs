//! From what a token is worth to a verdict. Nothing here verifies, waits or reads a clock.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{missing_claim::MissingClaim, verification::TokenState};
use crate::{
    origin::Origin,
    policy::{Denial, DenialKind, Grant, Hint, TokenList, Verdict},
    token::{
        claim::{ClaimReading, NamedBy},
        verify::{VerifiedToken, VerifyError, unmendable},
    },
};

/// What the verdict depends on beside the token and the request.
#[derive(Clone, Debug)]
pub(crate) struct JudgementRules {
    pub(crate) missing_claim: MissingClaim,
    /// How long after a token's expiry its pages may read that it has expired.
    pub(crate) grace: Duration,
    /// The claim with the list, for the operator.
    pub(crate) claim: Arc<str>,
}

/// The parts of a request that its verdict depends on.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) is_preflight: bool,
    /// Looked for only where a `*` counts.
    pub(crate) has_cookies: bool,
}

impl Asked<'_> {
    /// How the list names the origin. A page that sends cookies needs an entry of its own, because
    /// any page can send them.
    fn is_named_in(self, reading: &ClaimReading) -> Option<NamedBy> {
        match reading.names(self.origin) {
            Some(NamedBy::Star) if self.has_cookies => None,
            named => named,
        }
    }
}

pub(crate) fn judge(
    state: &TokenState<'_>,
    asked: Asked<'_>,
    rules: &JudgementRules,
    now: SystemTime,
) -> Verdict {
    match state {
        TokenState::Good(token, reading) => judge_good(token, reading, asked, rules, now),
        TokenState::Expired(token, reading) => judge_expired(token, reading, asked, rules, now),
        TokenState::Revoked => invalid(VerifyError::Revoked.to_string()).into(),
        TokenState::Refused(error @ VerifyError::Unavailable(_)) => {
            Denial::new(DenialKind::Unavailable)
                .reason(error.to_string())
                .into()
        }
        TokenState::Refused(error) => refused(error).into(),
    }
}

/// A denial whose fix is not always a new token. The texts that most refusals have are those of the
/// kind, which cost nothing.
fn refused(error: &VerifyError) -> Denial {
    let denial = invalid(error.to_string());
    match error {
        VerifyError::ProofOfPossession(reason) => {
            let (cause, fix) = of_proof(reason);
            denial.with_fix(cause, fix)
        }
        VerifyError::NotYetValid => denial.with_fix(
            "the token is not valid yet",
            "wait, or set the clocks of its issuer and of this machine by NTP",
        ),
        _ => denial,
    }
}

/// What is wrong with a proof of possession, and who can mend it.
fn of_proof(reason: &str) -> (&'static str, &'static str) {
    match reason {
        unmendable::UNCHECKED => (
            "the token is bound to a key, and nobody checks that its sender holds the key",
            "wrap the verifier in Dpop",
        ),
        unmendable::UNBOUND => (
            "the token is bound to no key",
            "issue tokens with the claim cnf, or call dangerously_accept_bearer_tokens",
        ),
        unmendable::BESIDE_UNBOUND => (
            "there is a proof beside a token that is bound to no key",
            "issue tokens with the claim cnf, or send this one without a proof",
        ),
        unmendable::KEY_FULL => (
            "the key has sent more proofs than are remembered",
            "send fewer requests, or raise max_proofs_per_key",
        ),
        unmendable::FULL => (
            "there are more proofs than are remembered",
            "raise max_proofs",
        ),
        _ => (
            "the request does not prove that its sender holds the key of the token",
            "send a new proof, made for this request",
        ),
    }
}

fn judge_good(
    token: &Arc<VerifiedToken>,
    reading: &ClaimReading,
    asked: Asked<'_>,
    rules: &JudgementRules,
    now: SystemTime,
) -> Verdict {
    let grant = || grant_until(token.end_of(token.expiry()), asked, now).attach(Arc::clone(token));
    match asked.is_named_in(reading) {
        Some(NamedBy::Entry) => grant().into(),
        Some(NamedBy::Star) => grant().allow_credentials(false).into(),
        None if matches!(reading, ClaimReading::Missing)
            && rules.missing_claim == MissingClaim::Abstain =>
        {
            Verdict::Abstain
        }
        None => not_listed(reading, rules).into(),
    }
}

/// A page that the token lists may read that its time is over; after a preflight, if there has to
/// be one.
fn judge_expired(
    token: &VerifiedToken,
    reading: &ClaimReading,
    asked: Asked<'_>,
    rules: &JudgementRules,
    now: SystemTime,
) -> Verdict {
    let denial = Denial::new(DenialKind::ExpiredToken);
    let end = token.good_until();
    let age = end.and_then(|end| now.duration_since(end).ok());
    let is_recent = age.is_some_and(|age| age <= rules.grace);
    let Some(named) = asked.is_named_in(reading).filter(|_| is_recent) else {
        return denial.into();
    };
    let grant = || Grant::new().max_age_at_most(Duration::ZERO);
    match (asked.is_preflight, named) {
        (true, NamedBy::Entry) => grant().into(),
        (true, NamedBy::Star) => grant().allow_credentials(false).into(),
        (false, NamedBy::Entry) => denial.readable().into(),
        (false, NamedBy::Star) => denial.readable_with(false).into(),
    }
}

/// No browser may keep the answer to a preflight for longer than the token is known to be good.
fn grant_until(end: Option<SystemTime>, asked: Asked<'_>, now: SystemTime) -> Grant {
    match end {
        Some(end) if asked.is_preflight => {
            let left = end.duration_since(now);
            Grant::new().max_age_at_most(left.unwrap_or(Duration::ZERO))
        }
        _ => Grant::new(),
    }
}

/// The token is good, so that a new one of the same kind would not help: 403, never 401, which
/// would make pages fetch new tokens for ever.
fn not_listed(reading: &ClaimReading, rules: &JudgementRules) -> Denial {
    let claim = &rules.claim;
    let list = TokenList {
        claim: Arc::clone(claim),
        is_readable: !matches!(reading, ClaimReading::Unreadable(_)),
    };
    let reason = match reading {
        ClaimReading::Missing => format!("the token has no claim {claim}"),
        ClaimReading::Unreadable(error) => {
            format!("the token's claim {claim} cannot be read: {error}")
        }
        ClaimReading::Listed(list) => match list.skipped() {
            None => "the token does not list it".to_owned(),
            Some((count, first)) => format!(
                "the token does not list it; entries of its list that cannot be used: {count}, the \
                 first {first}"
            ),
        },
    };
    Denial::new(DenialKind::OriginNotAllowed)
        .reason(reason)
        .with_hint(Hint::NotInToken(list))
}

fn invalid(reason: impl Into<Box<str>>) -> Denial {
    Denial::new(DenialKind::InvalidToken).reason(reason)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use serde_json::{Value, json};

    use super::*;
    use crate::token::claim::{Claims, ListLimits, OriginsClaim};

    const NOW: u64 = 1_800_000_000;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// What a page of `https://a.example` gets for a token that expires in so many seconds.
    fn verdict(list: Value, life: i64, is_preflight: bool, missing_claim: MissingClaim) -> Verdict {
        let claims = json!({ "list": list });
        let claims = Claims::parse(claims.to_string().as_bytes()).unwrap();
        let reading = OriginsClaim::array("list").read(&claims, &ListLimits::default());
        let reading = if list.is_null() {
            ClaimReading::Missing
        } else {
            reading
        };
        let expiry = at(NOW.saturating_add_signed(life));
        let token = Arc::new(VerifiedToken::new(claims).expires_at(expiry));
        let state = if life > 0 {
            TokenState::Good(&token, &reading)
        } else {
            TokenState::Expired(&token, &reading)
        };
        let origin: Origin = "https://a.example".parse().unwrap();
        let asked = Asked {
            origin: &origin,
            is_preflight,
            has_cookies: false,
        };
        let rules = JudgementRules {
            missing_claim,
            grace: Duration::from_secs(600),
            claim: "\"list\"".into(),
        };
        judge(&state, asked, &rules, at(NOW))
    }

    fn text(verdict: Verdict) -> String {
        match verdict {
            Verdict::Allow(grant) => format!("allow {:?}", grant.max_age_cap()),
            Verdict::Abstain => "abstain".to_owned(),
            Verdict::Deny(denial) => {
                format!(
                    "{} {} {denial}",
                    denial.status().as_u16(),
                    denial.is_readable()
                )
            }
        }
    }

    #[test]
    fn each_state_has_one_verdict() {
        let ours = || json!(["https://a.example"]);
        let other = || json!(["https://b.example"]);
        for (list, life, is_preflight, expected) in [
            (ours(), 60, false, "allow None"),
            (ours(), 60, true, "allow Some(60)"),
            (other(), 60, false, "403 false"),
            (other(), 60, true, "403 false"),
            (json!(null), 60, false, "403 false"),
            (json!("https://a.example"), 60, false, "403 false"),
            (ours(), 0, false, "401 true"),
            (ours(), -600, false, "401 true"),
            (ours(), -601, false, "401 false"),
            (ours(), 0, true, "allow Some(0)"),
            (ours(), -601, true, "401 false"),
            (other(), 0, false, "401 false"),
            (other(), 0, true, "401 false"),
        ] {
            let found = text(verdict(
                list.clone(),
                life,
                is_preflight,
                MissingClaim::Deny,
            ));
            assert!(
                found.starts_with(expected),
                "{list} {life} {is_preflight}: {found}"
            );
        }
        let abstains = |list| text(verdict(list, 60, false, MissingClaim::Abstain));
        assert_eq!(abstains(json!(null)), "abstain");
        assert!(abstains(json!([])).starts_with("403"));
    }

    #[test]
    fn a_denial_holds_the_fact() {
        for (list, fact) in [
            (json!([]), "(the token does not list it)"),
            (json!(null), "(the token has no claim \"list\")"),
            (
                json!("https://a.example"),
                "(the token's claim \"list\" cannot be read: it is a text, and an array is \
                 expected: say with OriginsClaim how it is written)",
            ),
            (
                json!(["https://a.example/", "*"]),
                "entries of its list that cannot be used: 2, the first \"https://a.example/\": it \
                 ends in a slash: an origin has none; ListRules::trailing_slash lets it in)",
            ),
            (
                json!([7]),
                "entries of its list that cannot be used: 1, the first \"a number\": it is not a \
                 text)",
            ),
            (
                json!(["x\r\ny: \u{1b}[2J", "*"]),
                "the first \"x\\r\\ny: \\u{1b}[2J\": an origin is scheme://host",
            ),
            (
                json!(["x".repeat(9000)]),
                "cannot be read: it has 9000 bytes, and max_list_bytes is 8192)",
            ),
            (
                json!(["x".repeat(300)]),
                "cannot be read: one entry has 300 bytes, and ListRules::max_entry_bytes is 255)",
            ),
            (
                json!(vec!["x"; 65]),
                "cannot be read: it has more entries than max_entries, which is 64)",
            ),
        ] {
            let found = text(verdict(list, 60, false, MissingClaim::Deny));
            assert!(found.contains(fact), "{found}");
        }
    }
}
