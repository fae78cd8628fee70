use std::{collections::HashSet, sync::Arc, time::Duration};

use super::{
    error::JwtConfigError,
    key::{JwtKey, TENANT},
    keys::JwtKeys,
    rules::JwtRules,
    verifier::JwtVerifier,
};
use crate::{
    time::{Clock, SystemClock},
    token::verify::{BuildErrors, claim_rule_setters},
};

impl JwtVerifier {
    /// Starts a configuration.
    pub fn builder() -> JwtVerifierBuilder {
        JwtVerifierBuilder {
            keys: Vec::new(),
            sets: Vec::new(),
            accepts_unnamed: false,
            rules: JwtRules::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// The setters that the builders of verifiers of JWTs share.
macro_rules! jwt_rule_setters {
    () => {
        claim_rule_setters!(rules.claims);

        /// Accepts tokens for any audience: a token that a page got for another service of the same
        /// issuer is good here, too.
        pub fn dangerously_any_audience(mut self) -> Self {
            self.rules.claims.allows_any_audience = true;
            self
        }

        /// Sets which `typ` header parameters are accepted, instead of the default: none at all,
        /// `JWT` and `at+jwt` ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068#section-4)).
        /// An issuer signs other kinds of JWT with the same keys, such as logout tokens.
        pub fn types<T: Into<Box<str>>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
            let types = types.into_iter().map(Into::into).collect();
            self.rules.types = $crate::token::verify::jwt::AcceptedTypes::Only(types);
            self
        }

        /// How far the issuer's clock may be off. Default: 30 seconds; at most 5 minutes.
        pub fn leeway(mut self, leeway: Duration) -> Self {
            self.rules.claims.leeway = leeway;
            self
        }

        /// Accepts tokens without `exp`, which are good as long as their key is.
        pub fn dangerously_accept_endless_tokens(mut self) -> Self {
            self.rules.claims.requires_expiry = false;
            self
        }

        /// Sets the clock. Default: [`SystemClock`].
        pub fn clock(mut self, clock: impl Clock) -> Self {
            self.clock = Arc::new(clock);
            self
        }
    };
}

pub(crate) use jwt_rule_setters;

/// Configures a [`JwtVerifier`]. Its example has a configuration that builds, and one that does not.
#[derive(Clone, Debug)]
#[must_use = "a configuration does nothing until it is built"]
pub struct JwtVerifierBuilder {
    keys: Vec<JwtKey>,
    sets: Vec<JwtKeys>,
    accepts_unnamed: bool,
    rules: JwtRules,
    clock: Arc<dyn Clock>,
}

impl JwtVerifierBuilder {
    /// Adds a key.
    pub fn key(mut self, key: JwtKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds all keys of a set.
    pub fn keys(mut self, keys: JwtKeys) -> Self {
        self.sets.push(keys);
        self
    }

    /// Lets the only key verify every token, whichever key it names or does not name. With several
    /// keys, the configuration does not build.
    pub fn accept_unnamed_key(mut self) -> Self {
        self.accepts_unnamed = true;
        self
    }

    jwt_rule_setters!();

    /// Checks the configuration.
    ///
    /// # Errors
    ///
    /// Every mistake: there is no key, one cannot be chosen, two answer to one name, a key is bound to
    /// no issuer where there are several or where another key is bound, a key is bound to an issuer
    /// that is not accepted, there is no audience, or the leeway is out of its bounds.
    pub fn build(self) -> Result<JwtVerifier, BuildErrors<JwtConfigError>> {
        let mut mistakes = Vec::new();
        let keys = match join(self.keys, self.sets, self.accepts_unnamed) {
            Ok(keys) => keys,
            Err(mistake) => {
                mistakes.push(mistake);
                JwtKeys::default()
            }
        };
        let issuers = &self.rules.claims.issuers;
        mistakes.extend(binding_mistakes(&keys, issuers));
        mistakes.extend(self.rules.claims.mistakes().into_iter().map(Into::into));
        BuildErrors::none_or(mistakes, || JwtVerifier::new(keys, self.rules, self.clock))
    }
}

/// All keys in one set.
fn join(
    mut keys: Vec<JwtKey>,
    mut sets: Vec<JwtKeys>,
    accepts_unnamed: bool,
) -> Result<JwtKeys, JwtConfigError> {
    let accepts_unnamed = accepts_unnamed || sets.iter().any(JwtKeys::is_single);
    // A set of its own is kept as it is: it may hold keys that share some of their names.
    let keys = match (sets.len(), keys.is_empty(), accepts_unnamed) {
        (1, true, false) => sets.pop().unwrap_or_default(),
        _ => {
            let bindings: Vec<Box<str>> = sets
                .iter()
                .flat_map(JwtKeys::bindings)
                .map(Box::from)
                .collect();
            keys.extend(sets.into_iter().flat_map(JwtKeys::into_keys));
            let mut joined = match (keys.len(), accepts_unnamed, keys.pop()) {
                (1, true, Some(key)) => JwtKeys::single(key),
                (_, _, last) => {
                    keys.extend(last);
                    let count = keys.len();
                    let keys = JwtKeys::new(keys)?;
                    if accepts_unnamed && count > 1 {
                        return Err(JwtConfigError::SeveralKeys(count));
                    }
                    keys
                }
            };
            joined.add_bindings(bindings);
            joined
        }
    };
    if keys.is_empty() {
        Err(JwtConfigError::MissingKeys)
    } else {
        Ok(keys)
    }
}

/// RFC 8725, section 3.8: each key belongs to an issuer.
fn binding_mistakes(keys: &JwtKeys, accepted: &[Box<str>]) -> Vec<JwtConfigError> {
    let bindings: HashSet<&str> = keys.bindings().collect();
    let accepted: HashSet<&str> = accepted.iter().map(AsRef::as_ref).collect();
    // Without a list of issuers, an unbound key speaks for all of them. A template of tenants counts
    // as another issuer: which it stands for is only known with the token.
    let may_be_unbound = match accepted.len() {
        0 => bindings.is_empty(),
        1 => bindings.is_subset(&accepted),
        _ => false,
    };
    let is_foreign = |issuer: &str| {
        !accepted.is_empty() && !issuer.contains(TENANT) && !accepted.contains(issuer)
    };
    let mistake = |key: &JwtKey| {
        let kid = key.names().kid.unwrap_or_default().to_owned();
        match key.bound_to() {
            None if !may_be_unbound => Some(JwtConfigError::UnboundKey(kid)),
            Some(issuer) if is_foreign(issuer) => {
                Some(JwtConfigError::ForeignKey(kid, issuer.to_owned()))
            }
            _ => None,
        }
    };
    keys.iter().filter_map(mistake).collect()
}
