use super::{
    build::mistakes_with_credentials,
    dangerous::DangerousOptIns,
    origins::{ListedOrigins, OriginList},
};
use crate::{
    error::ConfigError,
    lists::ConfigList,
    policy::{OriginPolicy, Reach},
};

/// Who is trusted to send requests with the user's cookies: a list or a policy, with the checks of a
/// CORS layer that allows credentials.
#[derive(Debug, Default)]
pub(crate) struct CredentialedOrigins {
    pub(crate) origins: Option<OriginList>,
    pub(crate) insecure_origins: Vec<ConfigList>,
    pub(crate) policy: Option<Box<dyn OriginPolicy>>,
    pub(crate) opt_ins: DangerousOptIns,
}

impl CredentialedOrigins {
    /// The policy to ask, or `None` if nobody is trusted.
    pub(crate) fn build(self, errors: &mut Vec<ConfigError>) -> Option<Box<dyn OriginPolicy>> {
        let list = self.build_list(errors);
        let Some(policy) = self.policy else {
            return list;
        };
        if list.is_some() {
            errors.push(ConfigError::OriginsAndPolicy);
        }
        let properties = policy.properties();
        if properties.reach() >= Reach::Star {
            errors.push(ConfigError::AnyOriginTrusted);
        }
        if let Some(name) = properties.bypassed() {
            let header = name.clone();
            errors.push(ConfigError::BypassedPolicy { header });
        }
        errors.extend(mistakes_with_credentials(
            properties.risks(true),
            self.opt_ins,
        ));
        Some(policy)
    }

    fn build_list(&self, errors: &mut Vec<ConfigError>) -> Option<Box<dyn OriginPolicy>> {
        let nobody = OriginList::from(ConfigList::default());
        let origins = match &self.origins {
            Some(origins) => origins,
            None if self.insecure_origins.is_empty() => return None,
            None => &nobody,
        };
        let mut found = Vec::new();
        let listed = ListedOrigins::build(
            origins,
            &self.insecure_origins,
            true,
            self.opt_ins,
            &mut found,
        );
        // What is proposed for a CORS layer does not exist here.
        errors.extend(found.into_iter().map(|error| match error {
            ConfigError::AnyOriginWithCredentials => ConfigError::AnyOriginTrusted,
            ConfigError::NullOrigin => ConfigError::NullOriginTrusted,
            other => other,
        }));
        Some(Box::new(listed.set))
    }
}
