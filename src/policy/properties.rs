use http::{HeaderName, header::ORIGIN};

use super::{
    denied_requests::DeniedRequests,
    listings::{ListingTexts, Listings},
    names::union_of_names,
};

/// Facts about all verdicts of a policy, known before the first request.
///
/// The builder of a layer checks a configuration by them, and computes `Vary` from them. They are
/// asked for once, when the layer is built. Each method answers one of these questions:
///
/// | question | methods |
/// |---|---|
/// | What does the policy read? | [`reads`](Self::reads) |
/// | Whom can it allow? | [`grants_any_origin`](Self::grants_any_origin), [`repeats_any_origin`](Self::repeats_any_origin) |
/// | How are preflights judged? | [`preflight_of_any_list`](Self::preflight_of_any_list), [`broad_preflight`](Self::broad_preflight) |
/// | What may caches and logs keep? | [`no_store`](Self::no_store), [`private_responses`](Self::private_responses), [`secret_path`](Self::secret_path) |
/// | What becomes of denied requests? | [`denied_requests`](Self::denied_requests) |
/// | Does it allow credentials by itself? | [`grants_credentials`](Self::grants_credentials) |
/// | What would be risky with credentials? | [`lists_insecure_origins`](Self::lists_insecure_origins), [`lists_public_suffixes`](Self::lists_public_suffixes) |
///
/// ```
/// use http::header::HOST;
/// use tower_cors::{DeniedRequests, policy::PolicyProperties};
///
/// // A policy that finds the tenant by the host, and whose list is a promise rather than advice.
/// let properties = PolicyProperties::new()
///     .reads([HOST])
///     .denied_requests(DeniedRequests::Refuse);
/// assert_eq!(properties.varies_on(), ["origin", "host"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "properties do nothing unless a policy returns them"]
pub struct PolicyProperties {
    reads: Vec<HeaderName>,
    reach: Reach,
    preflights: PreflightJudgement,
    caching: Caching,
    denied_requests: DeniedRequests,
    credentials: bool,
    /// With credentials that the layer allows.
    risks: Risks,
    /// With those that grants allow by themselves. Of two policies that are combined, the risks of the
    /// one do not go with the credentials of the other.
    own_risks: Risks,
    bypassed: Option<HeaderName>,
    /// The header whose requests are allowed without a look at its value.
    waves_through: Option<HeaderName>,
    /// Where the policy looks origins up, for the texts of denials.
    listings: Listings,
}

/// Whom a policy can allow, from the narrowest to the widest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// Nobody.
    Nobody,
    /// Single origins that it knows.
    #[default]
    Listed,
    /// Any origin in some cases, which the answer repeats.
    Echoed,
    /// Any origin in some cases, with the answer `*`.
    Star,
    /// Every origin in every case, with the answer `*`.
    Always,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum PreflightJudgement {
    /// A preflight passes where the request would be allowed.
    #[default]
    AsRequest,
    /// A preflight passes for every origin that is on some list, though the request may be judged by
    /// another list.
    AnyListed,
    /// A preflight can pass though the request will be denied.
    Broader,
}

/// Which parts of a request and its answer caches and logs may keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caching {
    /// No cache may keep the layer's own answers.
    pub(crate) no_store: bool,
    /// No shared cache may keep the inner service's responses.
    pub(crate) private_responses: bool,
    /// Logs must leave out the path.
    pub(crate) secret_path: bool,
}

/// Entries of a list that are dangerous together with credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Risks {
    pub(crate) insecure_origins: bool,
    pub(crate) public_suffixes: bool,
    pub(crate) file_origin: bool,
}

impl Risks {
    fn or(self, other: Self) -> Self {
        Self {
            insecure_origins: self.insecure_origins || other.insecure_origins,
            public_suffixes: self.public_suffixes || other.public_suffixes,
            file_origin: self.file_origin || other.file_origin,
        }
    }
}

impl PolicyProperties {
    /// The properties of a plain list: it reads `Origin`, allows single origins, judges a preflight
    /// like the request that it announces, and its denials are advice.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds request headers that verdicts depend on, beside `Origin`, so that answers name them in
    /// `Vary`.
    pub fn reads(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        let names: Vec<HeaderName> = names.into_iter().filter(|name| name != ORIGIN).collect();
        self.reads = union_of_names(&self.reads, &names);
        self
    }

    /// Says whether denied requests are forwarded or refused, unless the layer's configuration says
    /// otherwise.
    pub fn denied_requests(mut self, denied_requests: DeniedRequests) -> Self {
        self.denied_requests = denied_requests;
        self
    }

    /// Says that some verdicts are [`Grant::any_origin`](crate::Grant::any_origin), so that a layer
    /// with credentials refuses the policy.
    pub fn grants_any_origin(mut self) -> Self {
        self.reach = self.reach.max(Reach::Star);
        self
    }

    /// Says that preflights are answered more broadly than requests are judged, as when a token is
    /// needed that no preflight carries.
    ///
    /// Such a policy is accepted only where requests are really judged: denied ones refused,
    /// without credentials, with listed methods and headers, and with a short max-age.
    pub fn broad_preflight(mut self) -> Self {
        self.preflights = PreflightJudgement::Broader;
        self
    }

    /// Says that a preflight passes for every origin on any of several lists, as those of all tenants,
    /// though the request will be judged by one of them.
    ///
    /// Such a policy is accepted only where denied requests are refused: with
    /// [`DeniedRequests::Forward`] they would reach the inner service, with the user's cookies.
    ///
    /// ```
    /// use tower_cors::{CorsLayer, DeniedRequests, OriginPolicy, OriginSet, preflight::UnionIndex};
    ///
    /// // The index says it of itself.
    /// let list = || OriginSet::parse(["https://example.com"]).expect("one origin");
    /// let policy = || list().with_preflight(UnionIndex::new(10_000));
    /// let layer = || CorsLayer::builder().origin_policy(policy());
    ///
    /// assert!(layer().denied_requests(DeniedRequests::Refuse).build().is_ok());
    /// assert!(layer().denied_requests(DeniedRequests::Forward).build().is_err());
    /// ```
    pub fn preflight_of_any_list(mut self) -> Self {
        self.preflights = self.preflights.max(PreflightJudgement::AnyListed);
        self
    }

    /// Says that some requests are allowed from any origin, which the answer repeats, without
    /// credentials; and likewise the preflights that announce them.
    ///
    /// This is safe while the same policy judges both. If it judges the preflights of another
    /// policy, it counts as a [`broad_preflight`](Self::broad_preflight).
    pub fn repeats_any_origin(mut self) -> Self {
        self.reach = self.reach.max(Reach::Echoed);
        self
    }

    /// Says that some grants allow credentials by themselves, whatever the layer says.
    ///
    /// Such a policy is not accepted together with a [`broad_preflight`](Self::broad_preflight),
    /// which never answers with credentials, whatever a grant says.
    pub fn grants_credentials(mut self) -> Self {
        self.credentials = true;
        self.with_risks(Risks::default())
    }

    /// Says that verdicts depend on what a URL carries, or on what may be withdrawn, so that no
    /// cache may keep the layer's own answers: they get `Cache-Control: no-store`.
    ///
    /// Shared caches know an answer by its URL, and some ignore `Vary` for `OPTIONS`.
    pub fn no_store(mut self) -> Self {
        self.caching.no_store = true;
        self
    }

    /// Says that no shared cache may keep what the inner service answers: every response gets
    /// `Cache-Control: private` ([RFC 9111, section
    /// 5.2.2.7](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.7)), in place of `public` and
    /// `s-maxage`. One that says `no-store` already stays as it is, and one that cannot be read is
    /// replaced by that. `CDN-Cache-Control` ([RFC 9213](https://www.rfc-editor.org/rfc/rfc9213))
    /// is left alone: where the inner service sets it, it has to say `private` there, too.
    ///
    /// If the URL alone, or a cookie, identifies the user, some caches would serve the answer to
    /// others.
    pub fn private_responses(mut self) -> Self {
        self.caching.private_responses = true;
        self
    }

    /// Says that the path of a URL may hold a token, so that events leave it out, as they do the
    /// query.
    pub fn secret_path(mut self) -> Self {
        self.caching.secret_path = true;
        self
    }

    /// Says that some of the origins have no transport security, so that a layer with credentials
    /// refuses the policy unless
    /// [`dangerously_allow_insecure_origins`](crate::CorsLayerBuilder::dangerously_allow_insecure_origins)
    /// is called.
    pub fn lists_insecure_origins(self) -> Self {
        self.with_risks(Risks {
            insecure_origins: true,
            ..Risks::default()
        })
    }

    /// Says that some wildcards cross a public suffix, so that a layer with credentials refuses the
    /// policy unless
    /// [`dangerously_allow_public_suffixes`](crate::CorsLayerBuilder::dangerously_allow_public_suffixes)
    /// is called.
    pub fn lists_public_suffixes(self) -> Self {
        self.with_risks(Risks {
            public_suffixes: true,
            ..Risks::default()
        })
    }

    /// Says that `file://` is among the origins, which every local file may be.
    pub(crate) fn lists_file_origin(self) -> Self {
        self.with_risks(Risks {
            file_origin: true,
            ..Risks::default()
        })
    }

    /// The properties of a policy that answers some requests like the one with these properties,
    /// and others like the one with `other`. For combinators of your own.
    ///
    /// ```
    /// use http::header::{COOKIE, HOST};
    /// use tower_cors::policy::PolicyProperties;
    ///
    /// let either = PolicyProperties::new().reads([HOST]).or(PolicyProperties::new().reads([COOKIE]));
    /// assert_eq!(either.varies_on(), ["origin", "host", "cookie"]);
    /// ```
    pub fn or(self, other: Self) -> Self {
        Self {
            // If it is true of one of the two, the layer has to reckon with it.
            reads: union_of_names(&self.reads, &other.reads),
            // `Always` is for a policy that need not be asked, and two of them have to be.
            reach: self.reach.max(other.reach).min(Reach::Star),
            preflights: self.preflights.max(other.preflights),
            caching: self.caching.or(other.caching),
            denied_requests: self.denied_requests.stricter(other.denied_requests),
            credentials: self.credentials || other.credentials,
            risks: self.risks.or(other.risks),
            own_risks: self.own_risks.or(other.own_risks),
            bypassed: self.bypassed.or(other.bypassed),
            waves_through: self.waves_through.or(other.waves_through),
            listings: self.listings.and(&other.listings),
        }
    }

    /// The request headers that verdicts depend on, each once, for `Vary`.
    pub fn varies_on(&self) -> Vec<HeaderName> {
        match self.reach {
            // The same answer for every origin, so `Vary` need not name `Origin`.
            Reach::Nobody | Reach::Always => self.reads.clone(),
            Reach::Listed | Reach::Echoed | Reach::Star => union_of_names(&[ORIGIN], &self.reads),
        }
    }

    pub(crate) fn with_reach(reach: Reach) -> Self {
        Self {
            reach,
            ..Self::default()
        }
    }

    /// Says that a combinator allows requests with this header without asking the policy that reads
    /// it. No layer builds with that.
    pub(crate) fn bypasses(mut self, name: HeaderName) -> Self {
        self.bypassed = Some(name);
        self
    }

    /// Says that requests with this header are allowed without a look at its value, so that no policy
    /// behind this one is asked about them.
    pub(crate) fn waves_through(mut self, name: HeaderName) -> Self {
        self.waves_through = Some(name);
        self
    }

    /// Takes that back, for a policy that judges preflights alone.
    pub(crate) fn waves_nothing_through(mut self) -> Self {
        self.waves_through = None;
        self
    }

    /// The properties of a policy that is asked where this one abstains: bypassed, if it reads what
    /// this one waves through.
    pub(crate) fn before(&self, second: Self) -> Self {
        match &self.waves_through {
            Some(name) if second.has_read(name) => second.bypasses(name.clone()),
            _ => second,
        }
    }

    /// The header whose requests are not judged by the policy that reads it.
    pub(crate) fn bypassed(&self) -> Option<&HeaderName> {
        self.bypassed.as_ref()
    }

    /// Whether verdicts depend on a header that preflights do not carry.
    pub(crate) fn needs_headers(&self) -> bool {
        !self.reads.is_empty()
    }

    /// Whether verdicts depend on this header.
    pub(crate) fn has_read(&self, name: &HeaderName) -> bool {
        self.reads.contains(name)
    }

    #[inline(always)]
    pub(crate) fn reach(&self) -> Reach {
        self.reach
    }

    pub(crate) fn own_denied_requests(&self) -> DeniedRequests {
        self.denied_requests
    }

    pub(crate) fn has_broad_preflight(&self) -> bool {
        self.preflights == PreflightJudgement::Broader
    }

    pub(crate) fn passes_preflights_of_any_list(&self) -> bool {
        self.preflights == PreflightJudgement::AnyListed
    }

    pub(crate) fn has_own_credentials(&self) -> bool {
        self.credentials
    }

    /// Whether preflights that any origin can pass are among those that pass.
    pub(crate) fn passes_any_preflight(&self) -> bool {
        self.reach > Reach::Listed
    }

    /// The entries that are dangerous in a layer that allows credentials, or does not.
    pub(crate) fn risks(&self, with_credentials: bool) -> Risks {
        if with_credentials {
            self.risks
        } else {
            self.own_risks
        }
    }

    /// Whichever of the two is said first, that grants allow credentials or that entries are risky.
    fn with_risks(mut self, risks: Risks) -> Self {
        self.risks = self.risks.or(risks);
        if self.credentials {
            self.own_risks = self.risks;
        }
        self
    }

    /// Says where the policy looks origins up.
    pub(crate) fn looks_up_in(mut self, listing: impl ListingTexts + 'static) -> Self {
        self.listings = self.listings.and(&Listings::of(listing));
        self
    }

    pub(crate) fn listings(&self) -> &Listings {
        &self.listings
    }

    pub(crate) fn caching(&self) -> Caching {
        self.caching
    }

    pub(crate) fn set_reach(&mut self, reach: Reach) {
        self.reach = reach;
    }

    pub(crate) fn set_caching(&mut self, caching: Caching) {
        self.caching = caching;
    }
}

impl Caching {
    /// The stricter of both, for requests that either may apply to.
    pub(crate) fn or(self, other: Self) -> Self {
        Self {
            no_store: self.no_store || other.no_store,
            private_responses: self.private_responses || other.private_responses,
            secret_path: self.secret_path || other.secret_path,
        }
    }
}
