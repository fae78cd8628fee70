use super::dangerous::DangerousOptIns;
use crate::{
    error::ConfigError,
    lists::{Any, ConfigList},
    origin::{
        OriginErrorKind, OriginSet, OriginSetBuilder, PatternRef, crosses_public_suffix, explain,
        is_secure, own_name_instead, suggested_origin,
    },
};

/// What a list of origins comes to.
#[derive(Debug)]
pub(crate) struct ListedOrigins {
    pub(crate) any: Option<Any>,
    pub(crate) null: bool,
    pub(crate) set: OriginSet,
}

impl ListedOrigins {
    pub(crate) fn build(
        entries: &ConfigList,
        credentials: bool,
        doors: DangerousOptIns,
        errors: &mut Vec<ConfigError>,
    ) -> Self {
        if entries.has_any() && credentials {
            errors.push(ConfigError::AnyOriginWithCredentials);
        }
        let mut null = false;
        let mut set = OriginSetBuilder::default();
        set.reserve(entries.listed().len(), entries.listed_bytes());
        for entry in entries.listed() {
            match parse(entry, doors) {
                Ok(Entry::Pattern(pattern)) => {
                    if credentials {
                        errors.extend(insecure_origin(pattern, doors));
                        errors.extend(public_suffix(pattern, doors));
                    }
                    set.insert(pattern);
                }
                Ok(Entry::Null) => null = true,
                Err(error) => errors.push(error),
            }
        }
        Self {
            any: entries.has_any().then_some(Any),
            null,
            set: set.build(),
        }
    }
}

enum Entry<'a> {
    Pattern(PatternRef<'a>),
    Null,
}

fn parse(text: &str, doors: DangerousOptIns) -> Result<Entry<'_>, ConfigError> {
    match PatternRef::parse(text) {
        Ok(pattern) => Ok(Entry::Pattern(pattern)),
        Err(OriginErrorKind::Null) => {
            if doors.null_origin {
                Ok(Entry::Null)
            } else {
                Err(ConfigError::NullOrigin)
            }
        }
        Err(kind) => Err(ConfigError::Origin {
            value: text.to_owned(),
            error: explain(kind, text),
        }),
    }
}

/// What is wrong with sending credentials to origins without transport security.
fn insecure_origin(pattern: PatternRef<'_>, doors: DangerousOptIns) -> Option<ConfigError> {
    if is_secure(pattern.scheme(), pattern.host()) || doors.insecure_origins {
        return None;
    }
    let text = pattern.as_str();
    let secure = match pattern.scheme() {
        "http" => Some(text.replacen("http", "https", 1)),
        "ws" => Some(text.replacen("ws", "wss", 1)),
        _ => None,
    };
    Some(ConfigError::InsecureOrigin {
        value: text.to_owned(),
        // The port may be the default one now.
        instead: secure.map(|text| suggested_origin(&text).unwrap_or(text)),
    })
}

/// What is wrong with sending credentials to names that strangers can register.
fn public_suffix(pattern: PatternRef<'_>, doors: DangerousOptIns) -> Option<ConfigError> {
    let base = pattern.host();
    let is_safe = !pattern.has_subdomains() || !crosses_public_suffix(base);
    if is_safe || doors.public_suffixes {
        return None;
    }
    Some(ConfigError::PublicSuffix {
        value: pattern.as_str().to_owned(),
        suffix: base.to_owned(),
        instead: own_name_instead(pattern.as_str(), base),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_close_doors() {
        use ConfigError as E;
        let errors_with = |text: &str, credentials, doors| {
            let mut errors = Vec::new();
            ListedOrigins::build(&ConfigList::from([text]), credentials, doors, &mut errors);
            errors
        };
        let errors = |text: &str| errors_with(text, true, DangerousOptIns::default());
        assert!(matches!(
            &errors("http://example.com")[..],
            [E::InsecureOrigin { instead: Some(instead), .. }] if instead == "https://example.com"
        ));
        assert!(matches!(
            &errors("https://*.github.io")[..],
            [E::PublicSuffix { instead, .. }] if instead == "https://your-name.github.io"
        ));
        assert_eq!(errors("null"), [E::NullOrigin]);
        for fine in [
            "http://localhost:*",
            "http://127.0.0.1",
            "http://*.localhost:*",
            "https://*.example.com",
        ] {
            assert!(errors(fine).is_empty(), "{fine}");
        }
        assert_eq!(
            errors("http://*.github.io"),
            [
                E::InsecureOrigin {
                    value: "http://*.github.io".to_owned(),
                    instead: Some("https://*.github.io".to_owned()),
                },
                E::PublicSuffix {
                    value: "http://*.github.io".to_owned(),
                    suffix: "github.io".to_owned(),
                    instead: "http://your-name.github.io".to_owned(),
                },
            ]
        );
        for (text, expected) in [
            ("http://a.example:443", Some("https://a.example")),
            ("http://a.example:*", Some("https://a.example:*")),
            ("ws://a.example", Some("wss://a.example")),
            ("wss://a.example", None),
            ("capacitor://myapp", None),
        ] {
            let [E::InsecureOrigin { instead, .. }] = &errors(text)[..] else {
                panic!("{text}");
            };
            assert_eq!(instead.as_deref(), expected, "{text}");
            assert!(instead.iter().all(|one| PatternRef::parse(one).is_ok()));
        }
        let open = DangerousOptIns {
            null_origin: true,
            insecure_origins: true,
            public_suffixes: true,
        };
        for text in ["http://example.com", "https://*.github.io", "null"] {
            assert!(errors_with(text, true, open).is_empty(), "{text}");
        }
        for text in ["http://example.com", "https://*.github.io"] {
            assert!(
                errors_with(text, false, DangerousOptIns::default()).is_empty(),
                "{text}"
            );
        }
    }
}
