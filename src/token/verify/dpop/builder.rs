use std::{sync::Arc, time::Duration};

use super::{
    replay::{ReplayLimits, ReplayMemory},
    verifier::{Base, Dpop, ProofRules},
};
use crate::{
    debug_as_display::debug_as_display,
    time::{Clock, SystemClock},
    token::verify::{BuildErrors, TokenVerifier},
};

impl<V: TokenVerifier> Dpop<V> {
    /// Starts the configuration of a verifier around `verifier`, which verifies the token itself.
    pub fn builder(verifier: V) -> DpopBuilder<V> {
        DpopBuilder {
            verifier,
            urls: Vec::new(),
            max_age: Duration::from_secs(60),
            leeway: Duration::from_secs(5),
            max_proofs: 100_000,
            max_proofs_per_key: None,
            accepts_bearer: false,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Configures a [`Dpop`] verifier. Its example has a configuration that builds, and one that does not.
#[derive(Clone, Debug)]
#[must_use = "a configuration does nothing until it is built"]
pub struct DpopBuilder<V> {
    verifier: V,
    urls: Vec<String>,
    max_age: Duration,
    leeway: Duration,
    max_proofs: usize,
    max_proofs_per_key: Option<usize>,
    accepts_bearer: bool,
    clock: Arc<dyn Clock>,
}

impl<V: TokenVerifier> DpopBuilder<V> {
    /// Adds a URL under which pages reach this service, such as `https://api.example.com`, or with
    /// the path that a proxy or router in front takes off. The `htu` of a proof must be below one of
    /// them: behind a proxy, a request does not say what the page has called.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.urls.push(url.into());
        self
    }

    /// How old a proof may be, by its `iat`. Default: 1 minute; 1 second to 5 minutes.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// How far the page's clock may be ahead. Default: 5 seconds; at most 5 minutes.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How many proofs are remembered, so that none is used twice. Beyond, requests are refused until
    /// the older ones have lapsed. Default: 100,000, some 5 MiB, and twice as much where each has a
    /// key of its own.
    pub fn max_proofs(mut self, proofs: usize) -> Self {
        self.max_proofs = proofs;
        self
    }

    /// How many of them may be of one key, so that one client cannot use up the places of all others.
    /// Default: a sixteenth of [`max_proofs`](Self::max_proofs).
    ///
    /// A proof is remembered for [`max_age`](Self::max_age) and [`leeway`](Self::leeway) at least, and
    /// for twice as long at most. So by default one key can make 48 requests a second for ever. Raise
    /// it where a server sends the requests of many users with one key.
    pub fn max_proofs_per_key(mut self, proofs: usize) -> Self {
        self.max_proofs_per_key = Some(proofs);
        self
    }

    /// Accepts tokens without `cnf` as well, as while pages move over. They are bearer tokens: good
    /// for anybody who has them. Default: refused.
    pub fn dangerously_accept_bearer_tokens(mut self) -> Self {
        self.accepts_bearer = true;
        self
    }

    /// Sets the clock. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// Every mistake: there is no URL, one is invalid, or a setting is out of its bounds.
    pub fn build(self) -> Result<Dpop<V>, BuildErrors<DpopConfigError>> {
        const MINUTES: Duration = Duration::from_secs(300);
        let mut mistakes = Vec::new();
        let mut bases = Vec::new();
        for url in &self.urls {
            match Base::parse(url) {
                Some(base) => bases.push(base),
                None => mistakes.push(DpopConfigError::PublicUrl(url.clone())),
            }
        }
        for (is_wrong, mistake) in [
            (self.urls.is_empty(), DpopConfigError::MissingUrl),
            (
                !(Duration::from_secs(1)..=MINUTES).contains(&self.max_age),
                DpopConfigError::MaxAge(self.max_age),
            ),
            (self.leeway > MINUTES, DpopConfigError::Leeway(self.leeway)),
            (self.max_proofs == 0, DpopConfigError::MaxProofs),
            (
                self.max_proofs_per_key == Some(0),
                DpopConfigError::MaxProofsPerKey,
            ),
        ] {
            if is_wrong {
                mistakes.push(mistake);
            }
        }
        BuildErrors::none_or(mistakes, || {
            let rules = ProofRules {
                bases,
                max_age: self.max_age,
                leeway: self.leeway,
                accepts_bearer: self.accepts_bearer,
            };
            let limits = ReplayLimits {
                all: self.max_proofs,
                each_key: self
                    .max_proofs_per_key
                    .unwrap_or(self.max_proofs.div_ceil(16)),
            };
            let replays = ReplayMemory::new(limits, self.max_age + self.leeway);
            Dpop::new(self.verifier, rules, replays, self.clock)
        })
    }
}

/// One mistake in the configuration of a [`Dpop`] verifier.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DpopConfigError {
    /// No proof could be for this service.
    #[error("public_url: there is none: name the URL of this service, as pages write it")]
    MissingUrl,
    /// A text is not such a URL.
    #[error("public_url: {0:?}: write scheme and host, and no query: \"https://api.example.com\"")]
    PublicUrl(String),
    /// A stolen proof would be good for too long, or an honest one for too short.
    #[error("max_age: {0:?}: 1s to 5min, because a proof must be remembered for that long")]
    MaxAge(Duration),
    /// Proofs could be made in advance.
    #[error("leeway: {0:?}: at most 5min; set the clocks by NTP")]
    Leeway(Duration),
    /// Every request would be refused.
    #[error("max_proofs: 0: at least 1, or every request is refused")]
    MaxProofs,
    /// Every request would be refused.
    #[error("max_proofs_per_key: 0: at least 1, or every request is refused")]
    MaxProofsPerKey,
}

debug_as_display!(DpopConfigError);
