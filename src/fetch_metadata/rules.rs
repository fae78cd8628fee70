//! Whether a request passes.

use std::ops::ControlFlow;

use http::header::COOKIE;

use super::{
    cause::Cause,
    denial::{CrossSiteDenial, CrossSiteDenialKind as Kind},
};
use crate::{
    layer::VerdictTimeout,
    origin::RequestOrigin,
    policy::{Denial, DenialKind, OriginPolicy, Verdict, VerdictFuture},
    request::{Classified, CorsRequest, Head, Preflight, SentOrigin, classify},
};

/// `Ok` if the request passes.
pub(super) type Judgement = Result<(), CrossSiteDenial>;

#[derive(Debug)]
pub(super) struct Rules {
    /// Who is trusted beside the service's own pages.
    pub(super) trusted: Option<Box<dyn OriginPolicy>>,
    pub(super) same_site: bool,
    pub(super) verdict_timeout: Option<VerdictTimeout>,
}

impl Rules {
    /// Judges a request. Breaks off with the policy's verdict, if that has to be waited for.
    pub(super) fn judge(&self, head: &Head<'_>) -> ControlFlow<VerdictFuture, Judgement> {
        let (sent, announced) = match classify(head) {
            Classified::NotCors => (None, None),
            Classified::Actual(origin) => (Some(origin), None),
            Classified::Preflight { origin, method } => (Some(origin), Some(method)),
        };
        match Cause::of(head, sent.is_some()) {
            Cause::Own | Cause::Link => return ControlFlow::Continue(Ok(())),
            Cause::SameSite if self.same_site => return ControlFlow::Continue(Ok(())),
            Cause::SameSite | Cause::Other => {}
        }
        let Some(sent) = sent else {
            return ControlFlow::Continue(Err(CrossSiteDenial::new(Kind::NoOrigin, head)));
        };
        let denied = |kind| ControlFlow::Continue(Err(CrossSiteDenial::new(kind, head)));
        let Ok(origin) = sent.parse() else {
            return denied(Kind::MalformedOrigin);
        };
        let Some(trusted) = &self.trusted else {
            return denied(Self::kind_of(&origin));
        };
        let verdict = match announced {
            None => trusted.judge(&CorsRequest::new(*head, &origin, None)),
            Some(method) => match Preflight::parse(method, head.headers) {
                Ok(preflight) => {
                    trusted.judge_preflight(&CorsRequest::new(*head, &origin, Some(&preflight)))
                }
                Err(_) => return denied(Kind::MalformedOrigin),
            },
        };
        match verdict.into_ready() {
            Ok(verdict) => ControlFlow::Continue(Self::conclude_for(&origin, head, verdict)),
            Err(waiting) => ControlFlow::Break(match &self.verdict_timeout {
                Some(timeout) => timeout.limit(waiting),
                None => waiting,
            }),
        }
    }

    /// The judgement once the verdict has arrived. The request is the same one, so its origin is
    /// well-formed.
    pub(super) fn conclude(&self, head: &Head<'_>, verdict: Verdict) -> Judgement {
        match SentOrigin::find(head.headers).map(SentOrigin::parse) {
            Some(Ok(origin)) => Self::conclude_for(&origin, head, verdict),
            Some(Err(_)) | None => Err(CrossSiteDenial::new(Kind::MalformedOrigin, head)),
        }
    }

    fn conclude_for(origin: &RequestOrigin, head: &Head<'_>, verdict: Verdict) -> Judgement {
        let denial = match verdict {
            // A grant without credentials is not for requests with the user's cookies.
            Verdict::Allow(grant)
                if grant.own_credentials() == Some(false) && head.headers.contains_key(COOKIE) =>
            {
                Denial::new(DenialKind::OriginNotAllowed).reason(
                    "the origin is trusted without credentials only, and the request has cookies",
                )
            }
            Verdict::Allow(_) => return Ok(()),
            Verdict::Abstain => Denial::new(DenialKind::NoPolicy),
            Verdict::Deny(denial) => denial,
        };
        let kind = match denial.kind() {
            DenialKind::Unavailable | DenialKind::VerdictTimeout => Kind::Unavailable,
            _ => Self::kind_of(origin),
        };
        Err(CrossSiteDenial::new(kind, head).by_policy(denial))
    }

    fn kind_of(origin: &RequestOrigin) -> Kind {
        match origin {
            RequestOrigin::Opaque => Kind::OpaqueOrigin,
            RequestOrigin::Tuple(_) => Kind::NotTrusted,
        }
    }
}
