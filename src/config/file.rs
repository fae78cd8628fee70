//! [`CorsConfig`]: a configuration as it stands in a file.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Unexpected, Visitor},
};

use super::builder::CorsLayerBuilder;
use crate::{
    error::{ConfigErrors, OriginSetting},
    layer::CorsLayer,
    lists::ConfigList,
    policy::DeniedRequests,
};

/// A configuration of a [`CorsLayer`] in JSON, TOML or another self-describing format of serde.
///
/// | key | value | default |
/// |---|---|---|
/// | `allow_origins` | a list of origins and patterns, or `"*"`; `[]` is nobody | none: it has to be there |
/// | `allow_credentials` | `true` or `false` | `false` |
/// | `allow_methods` | a list of methods, or `"*"` | those that need no permission |
/// | `allow_headers` | a list of header names, or `"*"` | the safelisted ones |
/// | `expose_headers` | a list of header names, or `"*"` | the safelisted ones |
/// | `dangerously_allow_insecure_origins` | a list of origins without transport security, and of address ranges: see [`dangerously_allow_insecure_origin`](CorsLayerBuilder::dangerously_allow_insecure_origin) | none |
/// | `max_age` | seconds; 0 or -1 for no caching; `null` | `null`: what browsers take, 5 |
/// | `denied_requests` | `"forward"` or `"refuse"` | `"forward"` |
///
/// The values mean what the methods of [`CorsLayerBuilder`] say. An unknown key, a key that comes
/// twice and a value of the wrong type are errors of deserialisation, whose texts begin with the
/// key. All other mistakes are found by [`CorsLayer::try_from`], together. In place of a list there
/// may be a text with several entries, as environment variables have it. The other dangerous
/// settings cannot be written in a file; a program can still call them on the
/// [builder](Self::into_builder).
///
/// ```
/// use tower_cors::{CorsLayer, config::CorsConfig};
///
/// let config: CorsConfig = serde_json::from_str(
///     r#"{"allow_origins": ["https://app.example.com"], "allow_methods": ["PUT"], "max_age": 600}"#,
/// )?;
/// assert!(CorsLayer::try_from(config).is_ok());
///
/// let config: CorsConfig = serde_json::from_str(r#"{"allow_origins": ["https://example.com/"]}"#)?;
/// let errors = CorsLayer::try_from(config).unwrap_err();
/// assert_eq!(
///     errors.to_string(),
///     "allow_origins: \"https://example.com/\": an origin has no path, not even a trailing \
///      slash: write \"https://example.com\"",
/// );
///
/// let error = serde_json::from_str::<CorsConfig>(r#"{"allow_origin": "*"}"#).unwrap_err();
/// assert!(error.to_string().starts_with("allow_origin: unknown key"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CorsConfig {
    origins: Option<ConfigList>,
    insecure_origins: ConfigList,
    credentials: bool,
    methods: ConfigList,
    headers: ConfigList,
    expose: ConfigList,
    max_age: Option<i64>,
    denied_requests: Option<DeniedRequests>,
}

impl CorsConfig {
    /// The builder with these settings, to add settings that a file cannot have.
    ///
    /// ```
    /// use tower_cors::config::CorsConfig;
    ///
    /// let config: CorsConfig = serde_json::from_str(r#"{"allow_origins": ["null"]}"#)?;
    /// assert!(config.clone().into_builder().build().is_err());
    /// assert!(config.into_builder().dangerously_allow_null_origin().build().is_ok());
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn into_builder(self) -> CorsLayerBuilder {
        let mut builder = CorsLayer::builder();
        // A file that says nothing about origins is a mistake; one that says `[]` is not.
        if let Some(origins) = self.origins {
            builder = builder.allow_origins(origins);
        }
        let builder = builder
            .insecure_by(
                OriginSetting::DangerouslyAllowInsecureOrigins,
                self.insecure_origins,
            )
            .allow_credentials(self.credentials)
            .allow_methods(self.methods)
            .allow_headers(self.headers)
            .expose_headers(self.expose)
            .max_age_secs(self.max_age);
        match self.denied_requests {
            Some(denied_requests) => builder.denied_requests(denied_requests),
            None => builder,
        }
    }
}

impl From<CorsConfig> for CorsLayerBuilder {
    fn from(config: CorsConfig) -> Self {
        config.into_builder()
    }
}

impl TryFrom<CorsConfig> for CorsLayer {
    type Error = ConfigErrors;

    fn try_from(config: CorsConfig) -> Result<Self, Self::Error> {
        config.into_builder().build()
    }
}

impl<'de> Deserialize<'de> for CorsConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ConfigVisitor)
    }
}

const KEYS: &str = "allow_origins, dangerously_allow_insecure_origins, allow_credentials, \
                    allow_methods, allow_headers, expose_headers, max_age or denied_requests";

/// Written by hand: the errors of a derived implementation do not name the key of a wrong value.
struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = CorsConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map with the keys {KEYS}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<CorsConfig, A::Error> {
        let (mut origins, mut insecure_origins, mut credentials) = (None, None, None);
        let (mut methods, mut headers, mut expose) = (None, None, None);
        let (mut max_age, mut denied_requests) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "allow_origins" => set::<_, EntriesValue>(&mut origins, &mut map, &key)?,
                "dangerously_allow_insecure_origins" => {
                    set::<_, EntriesValue>(&mut insecure_origins, &mut map, &key)?;
                }
                "allow_credentials" => set::<_, bool>(&mut credentials, &mut map, &key)?,
                "allow_methods" => set::<_, EntriesValue>(&mut methods, &mut map, &key)?,
                "allow_headers" => set::<_, EntriesValue>(&mut headers, &mut map, &key)?,
                "expose_headers" => set::<_, EntriesValue>(&mut expose, &mut map, &key)?,
                "max_age" => set::<_, MaxAgeValue>(&mut max_age, &mut map, &key)?,
                "denied_requests" => {
                    set::<_, DeniedRequestsValue>(&mut denied_requests, &mut map, &key)?;
                }
                _ => return Err(about(&key, format_args!("unknown key, expected {KEYS}"))),
            }
        }
        // Reported here and not by `build`, because the program might add a policy later. A file that
        // says nothing of origins was probably cut off.
        if origins.is_none() && insecure_origins.is_none() {
            let missing = format_args!(
                "missing: list the origins, or write \"*\", or [] if nobody is allowed"
            );
            return Err(about("allow_origins", missing));
        }
        // Keys that are absent have the defaults of the builder.
        let entries = |value: Option<EntriesValue>| value.map(|EntriesValue(list)| list);
        Ok(CorsConfig {
            origins: entries(origins),
            insecure_origins: entries(insecure_origins).unwrap_or_default(),
            credentials: credentials.unwrap_or(false),
            methods: entries(methods).unwrap_or_default(),
            headers: entries(headers).unwrap_or_default(),
            expose: entries(expose).unwrap_or_default(),
            max_age: max_age.and_then(|MaxAgeValue(seconds)| seconds),
            denied_requests: denied_requests.map(|DeniedRequestsValue(what)| what),
        })
    }
}

/// Reads the value of a key that has not come before.
fn set<'de, A, T>(slot: &mut Option<T>, map: &mut A, key: &str) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de>,
{
    // JSON permits repeated keys, and parsers differ in which one counts.
    if slot.is_some() {
        return Err(about(key, format_args!("this key comes twice")));
    }
    let value = map.next_value();
    *slot = Some(value.map_err(|error| about(key, format_args!("{}", first_line(&error))))?);
    Ok(())
}

fn about<E: Error>(key: &str, what: fmt::Arguments<'_>) -> E {
    // An unknown key is untrusted text. It is escaped, unless it is plain ASCII.
    if key.chars().all(|c| c.is_ascii_graphic()) {
        E::custom(format_args!("{key}: {what}"))
    } else {
        E::custom(format_args!("{key:?}: {what}"))
    }
}

/// TOML's error has more lines, which show the key below the text. Here the key is already before
/// it.
fn first_line(error: &impl fmt::Display) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

/// `"*"`, a list of texts, or a text with several entries.
struct EntriesValue(ConfigList);

impl<'de> Deserialize<'de> for EntriesValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntriesVisitor).map(Self)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = ConfigList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"*\", a list of strings, or a string with several entries")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ConfigList, E> {
        Ok(ConfigList::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ConfigList, A::Error> {
        let mut texts: Vec<String> = Vec::new();
        while let Some(text) = seq.next_element()? {
            texts.push(text);
        }
        Ok(ConfigList::from(texts))
    }
}

/// Seconds; `null` is `None`.
struct MaxAgeValue(Option<i64>);

impl<'de> Deserialize<'de> for MaxAgeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MaxAgeVisitor).map(Self)
    }
}

struct MaxAgeVisitor;

impl<'de> Visitor<'de> for MaxAgeVisitor {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whole seconds, -1 for no caching, or null")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Option<i64>, E> {
        // Browsers read a negative max-age as 0; -1 is how other tools spell "do not cache".
        Ok(Some(if seconds == -1 { 0 } else { seconds }))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Option<i64>, E> {
        match i64::try_from(seconds) {
            Ok(seconds) => Ok(Some(seconds)),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(seconds), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Option<i64>, E> {
        Ok(None)
    }

    /// For formats that have an option type.
    fn visit_none<E: Error>(self) -> Result<Option<i64>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, seconds: D) -> Result<Option<i64>, D::Error> {
        seconds.deserialize_any(self)
    }
}

struct DeniedRequestsValue(DeniedRequests);

impl<'de> Deserialize<'de> for DeniedRequestsValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_str(DeniedRequestsVisitor)
            .map(Self)
    }
}

struct DeniedRequestsVisitor;

impl Visitor<'_> for DeniedRequestsVisitor {
    type Value = DeniedRequests;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"forward\" or \"refuse\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<DeniedRequests, E> {
        match text {
            "forward" => Ok(DeniedRequests::Forward),
            "refuse" => Ok(DeniedRequests::Refuse),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::Any;

    fn json(text: &str) -> Result<CorsConfig, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn json_and_toml_say_the_same() {
        let from_json = json(
            r#"{
                "allow_origins": ["https://a.example", "https://*.b.example"],
                "allow_credentials": true,
                "allow_methods": ["PUT"],
                "allow_headers": "*",
                "expose_headers": ["x-id"],
                "max_age": 600,
                "denied_requests": "refuse"
            }"#,
        );
        let from_toml = toml::from_str::<CorsConfig>(
            r#"
                allow_origins = ["https://a.example", "https://*.b.example"]
                allow_credentials = true
                allow_methods = ["PUT"]
                allow_headers = "*"
                expose_headers = ["x-id"]
                max_age = 600
                denied_requests = "refuse"
            "#,
        );
        let expected = CorsConfig {
            origins: Some(ConfigList::from([
                "https://a.example",
                "https://*.b.example",
            ])),
            insecure_origins: ConfigList::default(),
            credentials: true,
            methods: ConfigList::from(["PUT"]),
            headers: ConfigList::from(Any),
            expose: ConfigList::from(["x-id"]),
            max_age: Some(600),
            denied_requests: Some(DeniedRequests::Refuse),
        };
        assert_eq!(from_json.unwrap(), expected);
        assert_eq!(from_toml.unwrap(), expected);
    }

    #[test]
    fn all_but_the_origins_is_optional() {
        let config = json(r#"{"allow_origins": "*"}"#).unwrap();
        assert_eq!(
            config,
            CorsConfig {
                origins: Some(ConfigList::from(Any)),
                insecure_origins: ConfigList::default(),
                credentials: false,
                methods: ConfigList::default(),
                headers: ConfigList::default(),
                expose: ConfigList::default(),
                max_age: None,
                denied_requests: None,
            }
        );
        let null = json(r#"{"allow_origins": ["*"], "max_age": null}"#).unwrap();
        assert_eq!(null, config);
    }

    #[test]
    fn no_caching_has_two_spellings() {
        for (seconds, expected) in [("-1", 0), ("0", 0), ("-2", -2), ("86401", 86_401)] {
            let text = format!(r#"{{"allow_origins": "*", "max_age": {seconds}}}"#);
            assert_eq!(json(&text).unwrap().max_age, Some(expected), "{seconds}");
        }
    }

    #[test]
    fn errors_name_the_key() {
        for (text, expected) in [
            (
                "{}",
                "allow_origins: missing: list the origins, or write \"*\", or [] if nobody is allowed at line 1 column 2",
            ),
            (
                r#"{"allow_origins": null}"#,
                "allow_origins: invalid type: null, expected \"*\", a list of strings, or a string \
                 with several entries at line 1 column 22",
            ),
            (
                r#"{"allow_methods": ["PUT", 5]}"#,
                "allow_methods: invalid type: integer `5`, expected a string at line 1 column 27",
            ),
            (
                r#"{"allow_credentials": "true"}"#,
                "allow_credentials: invalid type: string \"true\", expected a boolean at line 1 \
                 column 28",
            ),
            (
                r#"{"max_age": "x"}"#,
                "max_age: invalid type: string \"x\", expected whole seconds, -1 for no caching, \
                 or null at line 1 column 15",
            ),
            (
                r#"{"max_age": 1.5}"#,
                "max_age: invalid type: floating point `1.5`, expected whole seconds, -1 for no \
                 caching, or null at line 1 column 15",
            ),
            (
                r#"{"max_age": 18446744073709551615}"#,
                "max_age: invalid value: integer `18446744073709551615`, expected whole seconds, \
                 -1 for no caching, or null at line 1 column 32",
            ),
            (
                r#"{"denied_requests": "Refuse"}"#,
                "denied_requests: invalid value: string \"Refuse\", expected \"forward\" or \
                 \"refuse\" at line 1 column 28",
            ),
            (
                r#"{"max_age": null, "max_age": 5}"#,
                "max_age: this key comes twice at line 1 column 27",
            ),
            (
                r#"{"allow_origin": "*"}"#,
                "allow_origin: unknown key, expected allow_origins, \
                 dangerously_allow_insecure_origins, allow_credentials, allow_methods, \
                 allow_headers, expose_headers, max_age or denied_requests at line 1 column 15",
            ),
        ] {
            assert_eq!(json(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn denied_requests_have_two_fates() {
        for (text, expected) in [
            ("forward", DeniedRequests::Forward),
            ("refuse", DeniedRequests::Refuse),
        ] {
            let config = json(&format!(
                r#"{{"allow_origins": "*", "denied_requests": "{text}"}}"#
            ));
            let config = config.unwrap();
            assert_eq!(config.denied_requests, Some(expected));
        }
    }

    #[test]
    fn toml_errors_name_the_key() {
        for (text, expected) in [
            (
                "max_age = \"x\"",
                "max_age: invalid type: string \"x\", expected whole seconds, -1 for no caching, \
                 or null",
            ),
            (
                "allow_methods = [\"PUT\", 5]",
                "allow_methods: invalid type: integer `5`, expected a string",
            ),
            (
                "\"a b\" = 1",
                "\"a b\": unknown key, expected allow_origins, dangerously_allow_insecure_origins, allow_credentials, allow_methods, \
                 allow_headers, expose_headers, max_age or denied_requests",
            ),
        ] {
            let error = toml::from_str::<CorsConfig>(text).unwrap_err();
            assert_eq!(error.message(), expected, "{text}");
        }
    }
}
