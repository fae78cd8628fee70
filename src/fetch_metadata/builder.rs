use std::{future::Future, sync::Arc, time::Duration};

use super::{
    layer::{FetchMetadataLayer, Shared},
    rules::Rules,
};
use crate::{
    config::{CredentialedOrigins, InsecureList, OriginList},
    error::{ConfigErrors, OriginSetting},
    layer::VerdictTimeout,
    lists::ConfigList,
    policy::OriginPolicy,
};

/// A configuration that is not checked yet: see [`FetchMetadataLayer::builder`].
///
/// A setter that is called twice replaces the first value, except
/// [`dangerously_allow_insecure_origin`](Self::dangerously_allow_insecure_origin), which adds to it.
/// Nothing is checked before [`build`](Self::build), which reports every mistake.
///
/// ```
/// use tower_cors::fetch_metadata::FetchMetadataLayer;
///
/// let trusting = |origin: &str| FetchMetadataLayer::builder().allow_origins([origin]).build();
/// assert!(trusting("https://checkout.example").is_ok());
/// // Anybody on the network can write such a page, and its forms would carry cookies.
/// assert!(trusting("http://checkout.example").is_err());
/// // Every site could send forms.
/// assert!(trusting("*").is_err());
/// ```
#[derive(Debug, Default)]
#[must_use = "a configuration does nothing until it is built"]
pub struct FetchMetadataLayerBuilder {
    trusted: CredentialedOrigins,
    same_site: bool,
    verdict_timeout: Option<VerdictTimeout>,
}

impl FetchMetadataLayerBuilder {
    /// The origins whose pages may send requests of any kind, beside the service's own: entries as
    /// for [`CorsLayerBuilder::allow_origins`](crate::CorsLayerBuilder::allow_origins) with
    /// credentials, since forms carry cookies. Default: none.
    pub fn allow_origins(mut self, origins: impl Into<OriginList>) -> Self {
        self.trusted.origins = Some(origins.into());
        self
    }

    /// The policy that says which origins are trusted, in place of a list. It is asked about
    /// requests that other sites cause and that have an `Origin`. A grant without
    /// credentials is for requests without cookies. Its other terms mean nothing here, and what it
    /// attaches to requests is left out.
    ///
    /// A policy whose [`PolicyProperties`](crate::policy::PolicyProperties) say that it admits any
    /// origin, insecure origins or public suffixes does not build.
    pub fn origin_policy(mut self, policy: impl OriginPolicy) -> Self {
        self.trusted.policy = Some(Box::new(policy));
        self
    }

    /// Whether pages of the same site pass: other subdomains of the same registrable domain, with
    /// the same scheme. Default: no, since an attacker with one subdomain could then act on all.
    ///
    /// Where `Sec-Fetch-Site` is missing, such a page is like one of any other origin.
    pub fn allow_same_site(mut self, allowed: bool) -> Self {
        self.same_site = allowed;
        self
    }

    /// Trusts more origins, which need no transport security, and may be ranges of addresses, as for
    /// [`CorsLayerBuilder`](crate::CorsLayerBuilder::dangerously_allow_insecure_origin). Anybody on
    /// the network can act as their pages.
    pub fn dangerously_allow_insecure_origin(mut self, origins: impl Into<ConfigList>) -> Self {
        InsecureList::add(
            &mut self.trusted.insecure_origins,
            OriginSetting::DangerouslyAllowInsecureOrigin,
            origins.into(),
        );
        self
    }

    /// Permits listed origins without transport security, such as `http://intranet.example`. Anybody
    /// on the network can act as their pages.
    pub fn dangerously_allow_insecure_origins(mut self) -> Self {
        self.trusted.opt_ins.insecure_origins = true;
        self
    }

    /// Permits wildcards below public suffixes, such as `https://*.github.io`. Anybody can register
    /// a name there.
    pub fn dangerously_allow_public_suffixes(mut self) -> Self {
        self.trusted.opt_ins.public_suffixes = true;
        self
    }

    /// The longest time that a policy may take, and the timer of your runtime, as for
    /// [`CorsLayerBuilder::verdict_timeout`](crate::CorsLayerBuilder::verdict_timeout). A request
    /// without a verdict by then is refused with 503. Default: no limit.
    pub fn verdict_timeout<F, T>(mut self, limit: Duration, sleep: F) -> Self
    where
        F: Fn(Duration) -> T + Send + Sync + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        self.verdict_timeout = Some(VerdictTimeout::new(limit, sleep));
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// Every mistake, not only the first.
    pub fn build(self) -> Result<FetchMetadataLayer, ConfigErrors> {
        let mut errors = Vec::new();
        let trusted = self.trusted.build(&mut errors);
        let rules = Rules {
            trusted,
            same_site: self.same_site,
            verdict_timeout: self.verdict_timeout,
        };
        ConfigErrors::none_or(errors, || FetchMetadataLayer {
            shared: Arc::new(Shared::new(rules)),
        })
    }
}
