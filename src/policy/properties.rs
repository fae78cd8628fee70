use super::denied_requests::DeniedRequests;

/// What is true of every verdict of a policy, known before the first request.
///
/// ```
/// use tower_cors::{DeniedRequests, policy::PolicyProperties};
///
/// // A policy whose list is a promise rather than advice.
/// let properties = PolicyProperties::new().denied_requests(DeniedRequests::Refuse);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyProperties {
    any_origin: AnyOrigin,
    denied_requests: DeniedRequests,
    broad_preflight: bool,
    repeats_any_origin: bool,
    credentials: bool,
    no_store: bool,
    private_responses: bool,
    secret_path: bool,
    chosen_by_method: bool,
    insecure_origins: bool,
    public_suffixes: bool,
}

/// Whether a policy hands out [`Grant::any_origin`](crate::Grant::any_origin).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AnyOrigin {
    #[default]
    Never,
    Sometimes,
    Always,
}

impl PolicyProperties {
    /// Nothing special: grants to single origins, denials are advice, and a preflight is judged
    /// like the request that it announces.
    pub fn new() -> Self {
        Self::default()
    }

    /// What becomes of denied requests unless the layer's configuration says otherwise.
    #[must_use]
    pub fn denied_requests(mut self, denied_requests: DeniedRequests) -> Self {
        self.denied_requests = denied_requests;
        self
    }

    /// Says that some verdicts are [`Grant::any_origin`](crate::Grant::any_origin), so that a
    /// layer with credentials refuses the policy.
    #[must_use]
    pub fn grants_any_origin(mut self) -> Self {
        self.any_origin = self.any_origin.max(AnyOrigin::Sometimes);
        self
    }

    /// Says that preflights are answered more broadly than requests are judged, as when a token
    /// is needed that no preflight carries.
    ///
    /// Such a policy is accepted only where requests are really judged: denied ones refused,
    /// without credentials, with listed methods and headers, and with a short max-age.
    #[must_use]
    pub fn broad_preflight(mut self) -> Self {
        self.broad_preflight = true;
        self
    }

    /// Says that some requests are allowed from any origin, which the answer repeats, without
    /// credentials; and likewise the preflights that announce them.
    ///
    /// That is sound while the same policy judges both. As the preflights' policy of another one,
    /// it has a [`broad_preflight`](Self::broad_preflight).
    #[must_use]
    pub fn repeats_any_origin(mut self) -> Self {
        self.repeats_any_origin = true;
        self
    }

    /// Says that some grants allow credentials by themselves, whatever the layer says.
    ///
    /// Such a policy is not accepted together with a [`broad_preflight`](Self::broad_preflight),
    /// which never answers with credentials, whatever a grant says.
    #[must_use]
    pub fn grants_credentials(mut self) -> Self {
        self.credentials = true;
        self
    }

    /// Says that verdicts depend on what a URL carries, or on what may be withdrawn, so that no
    /// cache may keep the layer's own answers: they get `Cache-Control: no-store`.
    ///
    /// Shared caches know an answer by its URL, and some ignore `Vary` for `OPTIONS`.
    #[must_use]
    pub fn no_store(mut self) -> Self {
        self.no_store = true;
        self
    }

    /// Says that no shared cache may keep what the inner service answers: every response gets
    /// `Cache-Control: private` ([RFC 9111, section
    /// 5.2.2.7](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.7)), in place of `public` and
    /// `s-maxage`. One that says `no-store` already stays as it is, and one that cannot be read is
    /// replaced by that. `CDN-Cache-Control` ([RFC 9213](https://www.rfc-editor.org/rfc/rfc9213))
    /// is left alone: where the inner service sets it, it has to say `private` there, too.
    ///
    /// Where the URL alone, or a cookie, says for whom an answer is, some caches would serve it to
    /// others.
    #[must_use]
    pub fn private_responses(mut self) -> Self {
        self.private_responses = true;
        self
    }

    /// Says that the path of a URL may hold a token, so that events leave it out, as they do the
    /// query.
    #[must_use]
    pub fn secret_path(mut self) -> Self {
        self.secret_path = true;
        self
    }

    /// Says that some of the origins have no transport security, so that a layer with credentials
    /// refuses the policy unless that door is opened.
    #[must_use]
    pub fn lists_insecure_origins(mut self) -> Self {
        self.insecure_origins = true;
        self
    }

    /// Says that some wildcards cross a public suffix, so that a layer with credentials refuses the
    /// policy unless that door is opened.
    #[must_use]
    pub fn lists_public_suffixes(mut self) -> Self {
        self.public_suffixes = true;
        self
    }

    pub(crate) fn always_any_origin() -> Self {
        Self {
            any_origin: AnyOrigin::Always,
            ..Self::default()
        }
    }

    /// The requested method decides which policy is asked, so preflights vary on it.
    pub(crate) fn chosen_by_method(mut self) -> Self {
        self.chosen_by_method = true;
        self
    }

    pub(crate) fn is_chosen_by_method(self) -> bool {
        self.chosen_by_method
    }

    pub(crate) fn any_origin(self) -> AnyOrigin {
        self.any_origin
    }

    pub(crate) fn own_denied_requests(self) -> DeniedRequests {
        self.denied_requests
    }

    pub(crate) fn has_broad_preflight(self) -> bool {
        self.broad_preflight
    }

    pub(crate) fn has_own_credentials(self) -> bool {
        self.credentials
    }

    /// Whether preflights that any origin can pass are among those that pass.
    pub(crate) fn passes_any_preflight(self) -> bool {
        self.any_origin != AnyOrigin::Never || self.repeats_any_origin
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn has_secret_path(self) -> bool {
        self.secret_path
    }

    pub(crate) fn has_insecure_origins(self) -> bool {
        self.insecure_origins
    }

    pub(crate) fn has_public_suffixes(self) -> bool {
        self.public_suffixes
    }

    pub(crate) fn has_no_store(self) -> bool {
        self.no_store
    }

    pub(crate) fn has_private_responses(self) -> bool {
        self.private_responses
    }

    /// What is true of a policy that answers now like this one, now like `other`.
    pub(crate) fn or(self, other: Self) -> Self {
        let either = |a: AnyOrigin, b: AnyOrigin| if a == b { a } else { AnyOrigin::Sometimes };
        Self {
            any_origin: either(self.any_origin, other.any_origin),
            denied_requests: self.denied_requests.stricter(other.denied_requests),
            broad_preflight: self.broad_preflight || other.broad_preflight,
            repeats_any_origin: self.repeats_any_origin || other.repeats_any_origin,
            credentials: self.credentials || other.credentials,
            no_store: self.no_store || other.no_store,
            private_responses: self.private_responses || other.private_responses,
            secret_path: self.secret_path || other.secret_path,
            chosen_by_method: self.chosen_by_method || other.chosen_by_method,
            insecure_origins: self.insecure_origins || other.insecure_origins,
            public_suffixes: self.public_suffixes || other.public_suffixes,
        }
    }
}
