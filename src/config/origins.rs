use std::borrow::Cow;

use http::HeaderValue;

use super::{
    dangerous::DangerousOptIns,
    risks::{mistakes_of_set, risks, without_risks},
};
use crate::{
    error::{ConfigError, OriginSetting},
    lists::{Any, ConfigList, ListEntry},
    origin::{
        Origin, OriginErrorKind, OriginPattern, OriginSet, OriginSetBuilder, PatternRef, Permitted,
        explain_where,
    },
};

/// The origins that a layer allows: entries as for [`ConfigList`], or an [`OriginSet`].
#[derive(Clone, Debug)]
pub struct OriginList(Listed);

#[derive(Clone, Debug)]
enum Listed {
    Entries(ConfigList),
    Set(OriginSet),
}

impl From<OriginSet> for OriginList {
    fn from(set: OriginSet) -> Self {
        Self(Listed::Set(set))
    }
}

impl From<&OriginSet> for OriginList {
    fn from(set: &OriginSet) -> Self {
        Self(Listed::Set(set.clone()))
    }
}

macro_rules! as_entries {
    ($($generics:tt => $type:ty),*) => {
        $(as_entries!(@one $generics $type);)*
    };
    (@one [$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> From<$type> for OriginList {
            fn from(entries: $type) -> Self {
                Self(Listed::Entries(entries.into()))
            }
        }
    };
}

as_entries!(
    [] => ConfigList,
    [] => Any,
    [] => &str,
    [] => String,
    [] => &String,
    [] => Cow<'_, str>,
    [] => Box<str>,
    [] => HeaderValue,
    [] => Origin,
    [] => OriginPattern,
    [T: ListEntry, const N: usize] => [T; N],
    [T: ListEntry, const N: usize] => &[T; N],
    [T: ListEntry] => &[T],
    [T: ListEntry] => Vec<T>,
    [T: ListEntry] => &Vec<T>
);

impl<T: ListEntry> FromIterator<T> for OriginList {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Self(Listed::Entries(entries.into_iter().collect()))
    }
}

/// Entries of `dangerously_allow_insecure_origin`, or of the key in a file that stands for it.
#[derive(Clone, Debug)]
pub(crate) struct InsecureList {
    pub(crate) setting: OriginSetting,
    pub(crate) entries: ConfigList,
}

impl InsecureList {
    /// Adds the entries to `lists`. An empty variable, or an empty list in a file, is as if it were
    /// not there.
    pub(crate) fn add(lists: &mut Vec<Self>, setting: OriginSetting, entries: ConfigList) {
        if !entries.is_blank() {
            lists.push(Self { setting, entries });
        }
    }
}

/// A list of origins after parsing.
#[derive(Debug)]
pub(crate) struct ListedOrigins {
    pub(crate) any: Option<Any>,
    pub(crate) null: bool,
    pub(crate) set: OriginSet,
}

impl ListedOrigins {
    /// `setting` has set `origins`. `insecure` has the entries of `dangerously_allow_insecure_origin`:
    /// they need no transport security, and may be address ranges.
    pub(crate) fn build(
        setting: OriginSetting,
        origins: &OriginList,
        insecure: &[InsecureList],
        credentials: bool,
        opt_ins: DangerousOptIns,
        errors: &mut Vec<ConfigError>,
    ) -> Self {
        let entries = match &origins.0 {
            Listed::Entries(entries) => entries,
            Listed::Set(set) if insecure.is_empty() => {
                errors.extend(mistakes_of_set(setting, set, credentials, opt_ins));
                return Self {
                    any: None,
                    null: false,
                    set: set.clone(),
                };
            }
            // A set is immutable and shared, so single entries cannot be added to it.
            Listed::Set(_) => {
                errors.push(ConfigError::SetAndInsecureOrigins);
                &ConfigList::default()
            }
        };
        let main = (setting, entries, opt_ins, false);
        let insecure = insecure
            .iter()
            .map(|list| (list.setting, &list.entries, opt_ins.with_insecure(), true));
        let all = || std::iter::once(main).chain(insecure.clone());
        for (setting, list, ..) in all() {
            list.check_variable(setting.name(), errors);
        }
        let has_any = entries.has_any();
        let listed: usize = all().map(|(_, list, ..)| list.listed().len()).sum();
        // `constant_origin` reports a `*` in its setting.
        if has_any && setting != OriginSetting::AlwaysAllowOrigin {
            // One mistake at a time: `*` with credentials is the more dangerous of the two.
            if credentials {
                errors.push(ConfigError::AnyOriginWithCredentials { setting });
            } else if listed > 0 {
                errors.push(ConfigError::AnyBesideOrigins);
            }
        }
        let any_is_insecure = insecure.clone().find(|(_, list, ..)| list.has_any());
        errors.extend(
            any_is_insecure.map(|(setting, ..)| ConfigError::AnyInsecureOrigin { setting }),
        );
        let mut null = false;
        let mut set = OriginSetBuilder::default();
        // Lists can have a million entries: one allocation instead of growing.
        let bytes = all().map(|(_, list, ..)| list.listed_bytes()).sum();
        set.reserve(listed, bytes);
        for (setting, list, opt_ins, ranges) in all() {
            for (index, entry) in list.listed().enumerate() {
                match parse(entry, opt_ins, ranges) {
                    Ok(Entry::Pattern(pattern)) => {
                        if credentials {
                            errors.extend(risks(setting, pattern, opt_ins));
                        }
                        set.insert(pattern);
                    }
                    Ok(Entry::Null) => null = true,
                    Err(Mistake::Null) => errors.push(ConfigError::NullOrigin { setting }),
                    Err(Mistake::Origin(kind)) => errors.push(ConfigError::Origin {
                        setting,
                        value: entry.to_owned(),
                        place: list.place(index),
                        error: explain_where(kind, entry, |meant| {
                            if credentials {
                                without_risks(setting, meant, opt_ins)
                            } else {
                                Some(meant)
                            }
                        }),
                    }),
                }
            }
        }
        Self {
            any: has_any.then_some(Any),
            null,
            set: set.build(),
        }
    }
}

/// The one origin of a list that has exactly one, without a wildcard.
pub(crate) fn constant_origin(
    origins: &OriginList,
    insecure: &[InsecureList],
    parsed: &ListedOrigins,
    errors: &mut Vec<ConfigError>,
) -> Option<HeaderValue> {
    let Listed::Entries(entries) = &origins.0 else {
        errors.push(ConfigError::ConstantOrigin {
            value: format!("a set of {}", parsed.set.len()),
        });
        return None;
    };
    if entries.missing_variable().is_some() {
        return None;
    }
    // The header has room for exactly one origin, and the answer does not depend on the request.
    let insecure = insecure.iter().flat_map(|list| list.entries.listed());
    let listed: Vec<&str> = entries.listed().chain(insecure).collect();
    if let [one] = listed[..]
        && parsed.any.is_none()
    {
        match one.parse::<OriginPattern>() {
            Ok(pattern) if pattern.is_exact() => return HeaderValue::from_str(one).ok(),
            // Parsing the list has reported the entry already, unless a dangerous setting lets it in.
            Err(_) if !parsed.null && parsed.set.is_empty() => return None,
            Ok(_) | Err(_) => {}
        }
    }
    let value = parsed.any.map_or("", |_| "*").to_owned() + &listed.join(",");
    errors.push(ConfigError::ConstantOrigin { value });
    None
}

enum Entry<'a> {
    Pattern(PatternRef<'a>),
    Null,
}

enum Mistake {
    Null,
    Origin(OriginErrorKind),
}

fn parse(text: &str, opt_ins: DangerousOptIns, ranges: bool) -> Result<Entry<'_>, Mistake> {
    let permitted = Permitted {
        file: opt_ins.file_origin,
        ranges,
    };
    match PatternRef::parse_with(text, permitted) {
        Ok(pattern) => Ok(Entry::Pattern(pattern)),
        Err(OriginErrorKind::Null) if opt_ins.null_origin => Ok(Entry::Null),
        Err(OriginErrorKind::Null) => Err(Mistake::Null),
        Err(kind) => Err(Mistake::Origin(kind)),
    }
}
