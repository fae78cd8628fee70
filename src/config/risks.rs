//! The risks of sending credentials to origins, as mistakes with what to write instead.

use super::dangerous::DangerousOptIns;
use crate::{
    error::{ConfigError, OriginSetting, Place},
    origin::{
        HostPattern, OriginErrorKind, OriginSet, PatternRef, Permitted, crosses_public_suffix,
        explain, is_secure, own_name_instead, suggested_origin,
    },
};

/// The risks of sending credentials to the origins that a pattern matches.
pub(super) fn risks(
    setting: OriginSetting,
    pattern: PatternRef<'_>,
    opt_ins: DangerousOptIns,
) -> impl Iterator<Item = ConfigError> {
    let is_insecure = !opt_ins.insecure_origins && !is_secure(pattern.scheme(), pattern.host());
    let mut strangers = if opt_ins.public_suffixes {
        None
    } else {
        of_strangers(setting, pattern)
    };
    let mut insecure = is_insecure.then(|| insecure_origin(setting, pattern));
    // An entry may be both, such as `http://*.github.io`. Both messages then propose the same text,
    // which has neither mistake.
    if let (
        Some(ConfigError::InsecureOrigin {
            instead: Some(secure),
            ..
        }),
        Some(ConfigError::PublicSuffix { instead, .. }),
    ) = (&mut insecure, &mut strangers)
    {
        let fixed = instead.replacen("http://", "https://", 1);
        secure.clone_from(&fixed);
        *instead = fixed;
    }
    insecure.into_iter().chain(strangers)
}

/// The spelling that was meant, or the one that its own mistake with credentials proposes.
pub(super) fn without_risks(
    setting: OriginSetting,
    meant: String,
    opt_ins: DangerousOptIns,
) -> Option<String> {
    let pattern = PatternRef::parse_with(&meant, Permitted::default()).ok()?;
    let risk = risks(setting, pattern, opt_ins).next();
    match risk {
        None => Some(meant),
        Some(ConfigError::InsecureOrigin { instead, .. }) => instead,
        Some(ConfigError::PublicSuffix { instead, .. }) => Some(instead),
        Some(_) => None,
    }
}

/// Traffic without transport security can be altered on the way, so anybody there can write the
/// page.
fn insecure_origin(setting: OriginSetting, pattern: PatternRef<'_>) -> ConfigError {
    let text = pattern.as_str();
    let is_range = matches!(pattern.host_pattern(), HostPattern::Range(_));
    let secure =
        (pattern.scheme() == "http" && !is_range).then(|| text.replacen("http", "https", 1));
    ConfigError::InsecureOrigin {
        setting,
        value: text.to_owned(),
        // With another scheme, the port may be the default one, which browsers leave out.
        instead: secure.map(|text| suggested_origin(&text).unwrap_or(text)),
    }
}

/// The mistake if strangers can register a name, or publish an application, that the pattern
/// matches.
fn of_strangers(setting: OriginSetting, pattern: PatternRef<'_>) -> Option<ConfigError> {
    let value = || pattern.as_str().to_owned();
    let host = pattern.host();
    let base = match pattern.host_pattern() {
        // One name, or addresses, which nobody can register.
        HostPattern::Exactly | HostPattern::Range(_) => return None,
        // The wildcard exists because an extension's identifier differs from one installation to
        // the next. But any installed extension matches, whoever wrote it.
        HostPattern::Any => {
            return Some(ConfigError::AnyHostWithCredentials {
                setting,
                value: value(),
            });
        }
        HostPattern::Subdomains => host,
        // All names below your own domain are yours. Below a public suffix, somebody else can
        // register a name with the same beginning and end, however long these are.
        HostPattern::InLabel(_) => host.split_once('.').map_or("", |(_, base)| base),
    };
    crosses_public_suffix(base).then(|| ConfigError::PublicSuffix {
        setting,
        value: value(),
        suffix: base.to_owned(),
        instead: own_name_instead(&whole_label(pattern), base),
    })
}

/// The pattern with a `*.` for its first label.
fn whole_label(pattern: PatternRef<'_>) -> String {
    let text = pattern.as_str();
    match (pattern.host_pattern(), text.split_once("://")) {
        (HostPattern::InLabel(_), Some((scheme, rest))) => {
            let behind = rest.split_once('.').map_or(rest, |(_, behind)| behind);
            format!("{scheme}://*.{behind}")
        }
        _ => text.to_owned(),
    }
}

/// The same checks for a set. It does not keep its entries, so the messages cannot name one.
pub(super) fn mistakes_of_set(
    setting: OriginSetting,
    set: &OriginSet,
    credentials: bool,
    opt_ins: DangerousOptIns,
) -> impl Iterator<Item = ConfigError> {
    // An origin is parsed as browsers send it, so it gets into a set without the checks of a list.
    let file = (set.has_file_origin() && !opt_ins.file_origin).then(|| file_origin(setting));
    let insecure = credentials && set.has_insecure_origins() && !opt_ins.insecure_origins;
    let strangers = credentials && !opt_ins.public_suffixes && set.matches_strangers();
    [
        file,
        insecure.then_some(ConfigError::InsecurePolicy { setting }),
        strangers.then_some(ConfigError::PublicSuffixPolicy { setting }),
    ]
    .into_iter()
    .flatten()
}

/// `file://`, where it is not an entry of a list that has been parsed.
pub(super) fn file_origin(setting: OriginSetting) -> ConfigError {
    ConfigError::Origin {
        setting,
        value: "file://".to_owned(),
        place: Place::default(),
        error: explain(OriginErrorKind::File, "file://"),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::origins::{ListedOrigins, OriginList},
        *,
    };

    const LISTED: OriginSetting = OriginSetting::AllowOrigins;

    fn errors_with(text: &str, credentials: bool, opt_ins: DangerousOptIns) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        let list = OriginList::from([text]);
        ListedOrigins::build(LISTED, &list, &[], credentials, opt_ins, &mut errors);
        errors
    }

    fn errors(text: &str) -> Vec<ConfigError> {
        errors_with(text, true, DangerousOptIns::default())
    }

    #[test]
    fn credentials_go_to_safe_origins_only() {
        use ConfigError as E;
        assert!(matches!(
            &errors("http://example.com")[..],
            [E::InsecureOrigin { instead: Some(instead), .. }] if instead == "https://example.com"
        ));
        assert!(matches!(
            &errors("https://*.github.io")[..],
            [E::PublicSuffix { instead, .. }] if instead == "https://your-name.github.io"
        ));
        assert!(matches!(
            &errors("https://notes-*-team.vercel.app")[..],
            [E::PublicSuffix { instead, .. }] if instead == "https://your-name.vercel.app"
        ));
        assert!(matches!(
            &errors("moz-extension://*")[..],
            [E::AnyHostWithCredentials { .. }]
        ));
        assert_eq!(errors("null"), [E::NullOrigin { setting: LISTED }]);
        for fine in [
            "http://localhost:*",
            "http://127.0.0.1",
            "http://*.localhost:*",
            "https://*.example.com",
            "https://pr-*.preview.example.com",
            "chrome-extension://abcdefghijklmnop",
            "t3code://app",
            "app://-",
            "app://",
        ] {
            assert!(errors(fine).is_empty(), "{fine}");
        }
    }

    #[test]
    fn two_mistakes_in_one_entry_have_one_proposal() {
        use ConfigError as E;
        let fixed = "https://your-name.github.io".to_owned();
        assert_eq!(
            errors("http://*.github.io"),
            [
                E::InsecureOrigin {
                    setting: LISTED,
                    value: "http://*.github.io".to_owned(),
                    instead: Some(fixed.clone()),
                },
                E::PublicSuffix {
                    setting: LISTED,
                    value: "http://*.github.io".to_owned(),
                    suffix: "github.io".to_owned(),
                    instead: fixed,
                },
            ]
        );
    }

    #[test]
    fn a_proposal_builds() {
        for (text, expected) in [
            ("http://a.example:443", "https://a.example"),
            ("http://a.example:*", "https://a.example:*"),
            ("http://*.a.example", "https://*.a.example"),
            ("http://*.co.uk", "https://*.your-domain.co.uk"),
            ("http://192.168.1.5:3000", "https://192.168.1.5:3000"),
        ] {
            let first = errors(text).into_iter().next();
            let Some(ConfigError::InsecureOrigin {
                instead: Some(instead),
                ..
            }) = first
            else {
                panic!("{text}: {first:?}");
            };
            assert_eq!(instead, expected, "{text}");
            assert_eq!(errors(&instead), [], "{text}");
        }
    }

    #[test]
    fn what_is_asked_for_by_its_dangerous_name() {
        let open = DangerousOptIns {
            null_origin: true,
            file_origin: true,
            insecure_origins: true,
            public_suffixes: true,
        };
        for text in [
            "http://example.com",
            "https://*.github.io",
            "moz-extension://*",
            "null",
            "file://",
        ] {
            assert!(errors_with(text, true, open).is_empty(), "{text}");
        }
        for text in [
            "http://example.com",
            "https://*.github.io",
            "moz-extension://*",
        ] {
            let closed = DangerousOptIns::default();
            assert!(errors_with(text, false, closed).is_empty(), "{text}");
        }
        // A range is only for the setting that is named after the danger.
        assert!(!errors_with("http://192.168.0.0/16:*", true, open).is_empty());
    }
}
