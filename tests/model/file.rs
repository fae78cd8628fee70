//! Configurations and registries in JSON files.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{
    config::{Layer, Settings, Wait},
    lists::Names,
    policy::Policy,
    registry::{self, RegistryEntry},
};

/// The JSON, if no key stands twice in an object.
pub fn parse(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes)
        .ok()
        .map(|SingleKeys(value)| value)
}

struct SingleKeys(Value);

impl<'de> Deserialize<'de> for SingleKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(SingleKeys(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, SingleKeys(value))) = members.next_entry::<String, _>()? {
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

/// A configuration as a file has it, and whether it has entries that need a door.
pub struct FileConfig {
    pub layer: Box<Layer>,
    pub has_insecure_origins: bool,
}

/// The configuration, unless it has not the form of one.
pub fn config(json: &Value) -> Option<FileConfig> {
    let object = json.as_object()?;
    let keys = "allow_origins dangerously_allow_insecure_origins allow_credentials allow_methods \
                allow_headers expose_headers max_age denied_requests";
    let keys: Vec<&str> = keys.split(' ').collect();
    if !object.keys().all(|key| keys.contains(&key.as_str())) {
        return None;
    }
    let names = |key| match object.get(key) {
        None => Some(None),
        Some(value) => names(value).map(Some),
    };
    let origins = names("allow_origins")?;
    let insecure = names("dangerously_allow_insecure_origins")?;
    if origins.is_none() && insecure.is_none() {
        return None;
    }
    let mut all = origins.unwrap_or_default();
    let insecure = insecure.unwrap_or_default();
    all.listed.extend(insecure.listed.iter().cloned());
    all.any |= insecure.any;
    let max_age = match object.get("max_age") {
        None | Some(Value::Null) => None,
        Some(seconds) => {
            let seconds = seconds.as_i64()?;
            // What is negative does not build, like what is too long.
            Some(if seconds == -1 {
                0
            } else {
                u64::try_from(seconds).unwrap_or(u64::MAX)
            })
        }
    };
    let refuse = match object.get("denied_requests") {
        None => None,
        Some(what) => match what.as_str()? {
            "forward" => Some(false),
            "refuse" => Some(true),
            _ => return None,
        },
    };
    let settings = Settings {
        credentials: match object.get("allow_credentials") {
            None => false,
            Some(value) => value.as_bool()?,
        },
        methods: names("allow_methods")?.unwrap_or_default(),
        headers: names("allow_headers")?.unwrap_or_default(),
        expose: names("expose_headers")?.unwrap_or_default(),
        max_age,
        refuse,
        ..Settings::default()
    };
    Some(FileConfig {
        layer: Box::new(Layer {
            policy: Policy::List(all),
            settings,
            wait: Wait::Ready,
        }),
        has_insecure_origins: insecure != Names::default(),
    })
}

/// An array of texts, or a text with several entries.
fn names(value: &Value) -> Option<Names> {
    let entries: Vec<&str> = match value {
        Value::String(text) => {
            let parts = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
            parts.filter(|part| !part.is_empty()).collect()
        }
        Value::Array(entries) => entries.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    Some(Names::of(&entries))
}

/// The entries of a registry's file, and whether the file is in order; `None` where the model does
/// not know.
pub fn registry(json: &Value) -> (Vec<RegistryEntry>, Option<bool>) {
    let wrong = (Vec::new(), Some(false));
    let Some(object) = json.as_object() else {
        return wrong;
    };
    let has_known_keys = object
        .keys()
        .all(|key| key == "version" || key == "entries");
    let is_version = object.get("version").is_none_or(Value::is_u64);
    let Some(rows) = object.get("entries").and_then(Value::as_array) else {
        return wrong;
    };
    if !has_known_keys || !is_version {
        return wrong;
    }
    let (mut entries, mut checks) = (Vec::new(), Vec::new());
    for row in rows {
        let (entry, is_fine) = self::row(row, false);
        checks.push(is_fine);
        entries.extend(entry);
    }
    // Each name, origin and id exists once.
    for key in ["name", "origin", "id"] {
        let texts = rows
            .iter()
            .filter_map(|row| row.get(key)?.as_str())
            .filter(|t| !t.is_empty());
        let mut texts: Vec<String> = texts
            .map(|text| match key {
                "origin" => registry::sent(text),
                _ => text.to_owned(),
            })
            .collect();
        texts.sort_unstable();
        let before = texts.len();
        texts.dedup();
        checks.push(Some(texts.len() == before));
    }
    let is_fine = if checks.contains(&Some(false)) {
        Some(false)
    } else {
        checks.iter().all(Option::is_some).then_some(true)
    };
    (entries, is_fine)
}

/// One entry, and whether it is in order.
pub fn row(json: &Value, needs_id: bool) -> (Option<RegistryEntry>, Option<bool>) {
    let wrong = (None, Some(false));
    let Some(row) = json.as_object() else {
        return wrong;
    };
    let texts = [
        "id",
        "name",
        "origin",
        "status",
        "created",
        "created_by",
        "last_updated",
        "last_updated_by",
    ];
    let flags = ["allow_credentials", "dangerously_allow_insecure"];
    let has_its_type = |(key, value): (&String, &Value)| match key.as_str() {
        key if texts.contains(&key) => value.is_string(),
        key if flags.contains(&key) => value.is_boolean(),
        "version" => value.is_u64(),
        "scopes" => value
            .as_array()
            .is_some_and(|scopes| scopes.iter().all(Value::is_string)),
        _ => false,
    };
    let needed = ["name", "origin", "scopes"];
    if !row.iter().all(has_its_type) || !needed.iter().all(|key| row.contains_key(*key)) {
        return wrong;
    }
    let text = |key| row.get(key).and_then(Value::as_str);
    let flag = |key| row.get(key).and_then(Value::as_bool).unwrap_or(false);
    let scopes = row["scopes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let status = text("status").unwrap_or("ACTIVE");
    let entry = RegistryEntry {
        pattern: text("origin").unwrap_or("").to_owned(),
        scopes: scopes.map(str::to_owned).collect(),
        is_active: status == "ACTIVE",
        credentials: flag("allow_credentials"),
        allows_insecure: flag("dangerously_allow_insecure"),
    };
    let id = text("id").unwrap_or("");
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let is_id = if id.is_empty() {
        !needs_id
    } else {
        id.len() == 16 && id.chars().all(is_hex)
    };
    let is_name = |name: &str| {
        let is_short = (1..=255).contains(&name.chars().count());
        is_short && name.trim() == name && !name.chars().any(char::is_control)
    };
    let is_actor = |key| text(key).is_none_or(|name| name.is_empty() || is_name(name));
    let is_fine = is_id
        && is_name(text("name").unwrap_or(""))
        && ["ACTIVE", "INACTIVE"].contains(&status)
        && is_actor("created_by")
        && is_actor("last_updated_by");
    // The model reads no times, and knows only ids that are surely in range.
    let has_times = ["created", "last_updated"]
        .iter()
        .any(|key| !text(key).unwrap_or("").is_empty());
    let is_odd_id = !id.is_empty() && !(id.starts_with(['1', '2', '3']));
    let is_fine = match (is_fine, registry::is_well_formed(&entry)) {
        (false, _) | (_, Some(false)) => Some(false),
        (true, Some(true)) if !has_times && !is_odd_id => Some(true),
        _ => None,
    };
    (Some(entry), is_fine)
}
