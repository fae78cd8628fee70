use super::{
    decider::Decider, denial::DenialKind, future::VerdictFuture, grant::Grant,
    origin_policy::OriginPolicy, properties::PolicyProperties, verdict::Verdict,
};
use crate::{
    origin::{Origin, OriginSet, RequestOrigin},
    request::CorsRequest,
};

/// Allows the origins of the set, and denies all others.
impl OriginPolicy for OriginSet {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let verdict = request.origin().judge_by(|origin| self.contains(origin));
        verdict.into()
    }

    fn properties(&self) -> PolicyProperties {
        // So the builder refuses a risky set together with credentials, as it does a list.
        let mut properties = PolicyProperties::new().looks_up_in(self.clone());
        if self.has_insecure_origins() {
            properties = properties.lists_insecure_origins();
        }
        if self.matches_strangers() {
            properties = properties.lists_public_suffixes();
        }
        if self.has_file_origin() {
            properties = properties.lists_file_origin();
        }
        properties
    }

    fn decider(&self, request: &CorsRequest<'_>) -> Decider {
        Decider::of_listing("OriginSet", self, request.origin())
    }
}

/// An [`OriginSet`], and `null` beside it.
#[derive(Clone, Debug)]
pub(crate) struct SetAndNull(pub(crate) OriginSet);

impl OriginPolicy for SetAndNull {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        match request.origin() {
            // Only built after `dangerously_allow_null_origin`.
            RequestOrigin::Opaque => VerdictFuture::ready(Grant::new()),
            RequestOrigin::Tuple(_) => self.0.judge(request),
        }
    }

    fn properties(&self) -> PolicyProperties {
        // The entries have been checked one by one, so only the listing matters.
        PolicyProperties::new().looks_up_in(self.0.clone())
    }

    fn decider(&self, request: &CorsRequest<'_>) -> Decider {
        match request.origin() {
            RequestOrigin::Opaque => Decider::new("allow_origins").by("null"),
            origin @ RequestOrigin::Tuple(_) => {
                Decider::of_listing("allow_origins", &self.0, origin)
            }
        }
    }
}

impl RequestOrigin {
    /// Allows a tuple origin that the predicate accepts, and denies all others, `null` too.
    ///
    /// ```
    /// use tower_cors::{DenialKind, OriginSet, Verdict, origin::RequestOrigin};
    ///
    /// let trusted = OriginSet::parse(["https://app.example.com"])?;
    /// let judge = |sent: &'static str| -> Result<Verdict, tower_cors::origin::OriginError> {
    ///     let sent = RequestOrigin::from_header(&http::HeaderValue::from_static(sent))?;
    ///     Ok(sent.judge_by(|origin| trusted.contains(origin)))
    /// };
    /// assert!(matches!(judge("https://app.example.com")?, Verdict::Allow(_)));
    /// assert!(matches!(judge("http://app.example.com")?, Verdict::Deny(_)));
    /// assert!(matches!(judge("null")?, Verdict::Deny(denial) if denial.kind() == DenialKind::OpaqueOrigin));
    /// # Ok::<(), tower_cors::origin::OriginError>(())
    /// ```
    pub fn judge_by(&self, is_allowed: impl FnOnce(&Origin) -> bool) -> Verdict {
        match self {
            Self::Tuple(origin) if is_allowed(origin) => Grant::new().into(),
            Self::Tuple(_) => DenialKind::OriginNotAllowed.into(),
            Self::Opaque => DenialKind::OpaqueOrigin.into(),
        }
    }
}
