use http::{HeaderValue, StatusCode};

use super::{
    builder::CorsLayerBuilder,
    dangerous::DangerousOptIns,
    origins::{ListedOrigins, OriginList, constant_origin},
    risks::file_origin,
};
use crate::{
    error::{BroadPreflightReason as Broad, ConfigError, ConfigErrors, OriginSetting},
    layer::Core,
    lists::{AllowHeaders, AllowMethods, ConfigList, ExposeHeaders, MaxAge},
    origin::OriginSet,
    policy::{DeniedRequests, OriginPolicy, Reach, Risks, SetAndNull},
    protocol::{Prepared, Rules, ToAll},
};

impl CorsLayerBuilder {
    pub(crate) fn build_core(self) -> Result<Core, ConfigErrors> {
        let mut errors = Vec::new();
        let list = self.build_list(&mut errors);
        let credentials = self.credentials;
        let methods = AllowMethods::build(&self.methods, &mut errors);
        let headers = AllowHeaders::build(&self.headers, &mut errors);
        let expose = ExposeHeaders::build(&self.expose, &mut errors);
        if expose.is_any() && credentials {
            errors.push(ConfigError::ExposeAnyWithCredentials);
        }
        let max_age = self.max_age.map(|secs| MaxAge::build(secs, &mut errors));
        let preflight_status = self
            .preflight_status
            .map_or(StatusCode::NO_CONTENT, |status| {
                success_status(status, &mut errors)
            });
        // The entries of a list have been checked one by one, with better messages.
        let is_own_policy = self.policy.is_some();
        // An own policy and a list are never both in use: `build_list` reports that as a mistake.
        let (policy, plain_list, constant_origin) = match self.policy {
            Some(policy) => (policy, None, None),
            None => (list.policy, list.plain, list.constant),
        };
        let mut properties = policy.properties();
        // A policy around `Any` may say that it has the properties of `Any`, and deny somebody.
        if is_own_policy && !policy.is_any() && properties.reach() == Reach::Always {
            properties.set_reach(Reach::Star);
        }
        let is_in_table = self.table.is_some();
        let of_policy = if is_in_table {
            OriginSetting::MethodRule
        } else {
            OriginSetting::OriginPolicy
        };
        let (observer, is_shadow) = match self.table {
            Some(table) => {
                properties.set_caching(table.caching);
                (table.observer, table.is_shadow)
            }
            None => (self.observation.build(&mut errors), self.is_shadow),
        };
        // A list that is `Any` has been reported already, by its setting's name.
        if is_own_policy && properties.reach() >= Reach::Star && credentials {
            errors.push(ConfigError::AnyOriginWithCredentials { setting: of_policy });
        }
        if let Some(name) = properties.bypassed() {
            let header = name.clone();
            errors.push(ConfigError::BypassedPolicy { header });
        }
        if is_own_policy {
            let risks = properties.risks(credentials);
            errors.extend(mistakes_with_credentials(of_policy, risks, self.opt_ins));
        }
        let denied_requests = self
            .denied_requests
            .unwrap_or(properties.own_denied_requests());
        let to_all = match constant_origin {
            Some(origin) => {
                if denied_requests != DeniedRequests::Forward {
                    errors.push(ConfigError::ConstantOriginRefuses);
                }
                // The answer no longer depends on the origin, so `Vary` must not name it.
                properties.set_reach(Reach::Always);
                Some(ToAll::Origin(origin))
            }
            None => (properties.reach() == Reach::Always).then_some(ToAll::Star),
        };
        // The mistakes are returned at the end. Until then the values go on, so that all are found.
        let prepared = Prepared::new(
            &properties,
            is_in_table,
            credentials,
            &methods,
            &headers,
            max_age.as_ref(),
        );
        let rules = Rules {
            credentials,
            methods,
            headers,
            expose,
            max_age,
            denied_requests,
            preflight_status,
            record_denials: self
                .record_denials
                .unwrap_or(denied_requests != DeniedRequests::Forward),
            is_observed: observer.is_some() || is_shadow,
            properties,
            to_all,
            plain_list,
            prepared,
            by_method: is_in_table,
        };
        // These depend on several settings, so they are checked when all are known.
        if rules.properties.has_broad_preflight() {
            errors.extend(missing_for_a_broad_preflight(&rules).map(ConfigError::BroadPreflight));
        } else if rules.properties.passes_preflights_of_any_list() {
            // Other conditions do not apply: only origins pass that somebody has listed.
            errors.extend(forwards(&rules).map(ConfigError::BroadPreflight));
        }
        let timeout = self.verdict_timeout;
        ConfigErrors::none_or(errors, || Core::new(rules, policy, timeout, observer))
    }

    /// The policy that the lists of origins stand for.
    fn build_list(&self, errors: &mut Vec<ConfigError>) -> BuiltList {
        let is_said = self.origins.is_some() || !self.insecure_origins.is_empty();
        match (is_said, &self.policy) {
            // An empty list was said on purpose; nothing at all may have been forgotten.
            (false, None) => errors.push(ConfigError::MissingOrigins),
            (true, Some(_)) => errors.push(ConfigError::OriginsAndPolicy),
            (false, Some(_)) | (true, None) => {}
        }
        // Checked even if a policy is set, so that the mistakes in the list are reported too.
        let nobody = OriginList::from(ConfigList::default());
        let origins = self.origins.as_ref().unwrap_or(&nobody);
        let setting = if self.is_constant {
            OriginSetting::AlwaysAllowOrigin
        } else {
            OriginSetting::AllowOrigins
        };
        let listed = ListedOrigins::build(
            setting,
            origins,
            &self.insecure_origins,
            self.credentials,
            self.opt_ins,
            errors,
        );
        let constant = if self.is_constant {
            constant_origin(origins, &self.insecure_origins, &listed, errors)
        } else {
            None
        };
        match listed {
            ListedOrigins { any: Some(any), .. } => BuiltList::policy(any),
            ListedOrigins {
                null: true, set, ..
            } => BuiltList::policy(SetAndNull(set)),
            ListedOrigins { set, .. } => BuiltList {
                policy: Box::new(set.clone()),
                plain: Some(set),
                constant,
            },
        }
    }
}

/// A policy made from lists of origins, with the facts that make the request path faster.
struct BuiltList {
    policy: Box<dyn OriginPolicy>,
    /// The same set, if the policy is nothing else.
    plain: Option<OriginSet>,
    /// The origin that every response names.
    constant: Option<HeaderValue>,
}

impl BuiltList {
    fn policy(policy: impl OriginPolicy) -> Self {
        Self {
            policy: Box::new(policy),
            plain: None,
            constant: None,
        }
    }
}

/// The status for answers to preflights, or the default if browsers would fail with this one
/// (<https://fetch.spec.whatwg.org/#cors-preflight-fetch>, step 7).
pub(crate) fn success_status(status: StatusCode, errors: &mut Vec<ConfigError>) -> StatusCode {
    if status.is_success() {
        return status;
    }
    errors.push(ConfigError::PreflightStatus {
        status: status.as_u16(),
    });
    StatusCode::NO_CONTENT
}

/// Properties of the policy that are too risky together with credentials.
pub(super) fn mistakes_with_credentials(
    setting: OriginSetting,
    risks: Risks,
    opt_ins: DangerousOptIns,
) -> impl Iterator<Item = ConfigError> {
    let insecure = risks.insecure_origins && !opt_ins.insecure_origins;
    let suffixes = risks.public_suffixes && !opt_ins.public_suffixes;
    let file = risks.file_origin && !opt_ins.file_origin;
    [
        file.then(|| file_origin(setting)),
        insecure.then_some(ConfigError::InsecurePolicy { setting }),
        suffixes.then_some(ConfigError::PublicSuffixPolicy { setting }),
    ]
    .into_iter()
    .flatten()
}

/// Conditions that are not met. If preflights are answered more broadly than requests are judged, a
/// preflight that passes must not be enough to have an effect.
fn missing_for_a_broad_preflight(rules: &Rules) -> impl Iterator<Item = Broad> {
    let max_age = MaxAge::check_broad(rules.max_age.as_ref()).err();
    [
        forwards(rules),
        (rules.credentials || rules.properties.has_own_credentials()).then_some(Broad::Credentials),
        rules.methods.is_any().then_some(Broad::AnyMethod),
        rules.headers.is_any().then_some(Broad::AnyHeader),
        max_age,
    ]
    .into_iter()
    .flatten()
}

fn forwards(rules: &Rules) -> Option<Broad> {
    (rules.denied_requests != DeniedRequests::Refuse).then_some(Broad::Forwards)
}
