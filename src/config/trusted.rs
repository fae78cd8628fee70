use super::{
    build::mistakes_with_credentials,
    dangerous::DangerousOptIns,
    origins::{InsecureList, ListedOrigins, OriginList},
};
use crate::{
    error::{ConfigError, OriginSetting},
    lists::ConfigList,
    origin::OriginErrorKind,
    policy::{OriginPolicy, Reach},
};

/// Who is trusted to send requests with the user's cookies: a list or a policy, with the checks of a
/// CORS layer that allows credentials.
#[derive(Debug, Default)]
pub(crate) struct CredentialedOrigins {
    pub(crate) origins: Option<OriginList>,
    pub(crate) insecure_origins: Vec<InsecureList>,
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
        let setting = OriginSetting::OriginPolicy;
        let properties = policy.properties();
        if properties.reach() >= Reach::Star {
            errors.push(ConfigError::AnyOriginTrusted { setting });
        }
        if let Some(name) = properties.bypassed() {
            let header = name.clone();
            errors.push(ConfigError::BypassedPolicy { header });
        }
        let risks = mistakes_with_credentials(setting, properties.risks(true), self.opt_ins);
        errors.extend(risks.map(in_words_of_the_check));
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
            OriginSetting::AllowOrigins,
            origins,
            &self.insecure_origins,
            true,
            self.opt_ins,
            &mut found,
        );
        errors.extend(found.into_iter().map(in_words_of_the_check));
        Some(Box::new(listed.set))
    }
}

/// The mistake without proposals that exist for a CORS layer only.
fn in_words_of_the_check(error: ConfigError) -> ConfigError {
    match error {
        ConfigError::AnyOriginWithCredentials { setting }
        | ConfigError::AnyInsecureOrigin { setting } => ConfigError::AnyOriginTrusted { setting },
        ConfigError::NullOrigin { setting } => ConfigError::NullOriginTrusted { setting },
        ConfigError::Origin { setting, error, .. } if error.kind() == OriginErrorKind::File => {
            ConfigError::FileOriginTrusted { setting }
        }
        other => other,
    }
}
