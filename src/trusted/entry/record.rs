use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{
    actor::Actor,
    draft::OriginDraft,
    error::EntryError,
    object::Object,
    scopes::{Scope, Scopes},
    stamp::{Stamp, to_millis},
    trusted_origin::TrustedOrigin,
    version::Version,
};

/// An entry as stores, files and administrators' interfaces write it: unchecked text.
///
/// ```json
/// {
///   "id": "01a01b2c3d4e5f60",
///   "version": 7,
///   "name": "Shop",
///   "origin": "https://shop.example.com",
///   "scopes": ["CORS", "REDIRECT"],
///   "status": "ACTIVE",
///   "allow_credentials": true,
///   "created": "2026-11-21T12:00:00.000Z",
///   "created_by": "admin@example.com",
///   "last_updated": "2026-11-21T12:00:00.000Z",
///   "last_updated_by": "admin@example.com"
/// }
/// ```
///
/// ```
/// use tower_cors::trusted::entry::{EntryError, OriginRecord, Scope};
///
/// let mut record = OriginRecord::new("0000000000000001", "Shop", "https://shop.example");
/// record.scopes = vec!["CORS".to_owned()];
/// assert!(record.check()?.scopes().contains(Scope::Cors));
///
/// record.scopes = vec!["cors".to_owned()];
/// assert_eq!(record.check(), Err(EntryError::Scope("cors".to_owned())));
/// # Ok::<(), EntryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OriginRecord {
    /// See [`EntryId`](crate::trusted::entry::EntryId).
    #[serde(default)]
    pub id: String,
    /// See [`TrustedOrigin::version`].
    #[serde(default)]
    pub version: u64,
    /// The name.
    pub name: String,
    /// An [`OriginPattern`](crate::origin::OriginPattern), in any spelling that [`OriginDraft`] takes.
    pub origin: String,
    /// Names of [`Scope`]s.
    pub scopes: Vec<String>,
    /// A [`Status`](crate::trusted::entry::Status); absent is `ACTIVE`.
    #[serde(default = "active")]
    pub status: String,
    /// Whether pages of the origin may send cookies; absent is no.
    #[serde(default)]
    pub allow_credentials: bool,
    /// See [`OriginDraft::dangerously_allow_insecure`] and [`OriginDraft::dangerously_insecure`];
    /// absent is no.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dangerously_allow_insecure: bool,
    /// A time in the form of RFC 3339, in UTC; empty is unknown.
    #[serde(default)]
    pub created: String,
    /// An [`Actor`]; empty is unknown.
    #[serde(default)]
    pub created_by: String,
    /// A time in the form of RFC 3339, in UTC; empty is unknown.
    #[serde(default)]
    pub last_updated: String,
    /// An [`Actor`]; empty is unknown.
    #[serde(default)]
    pub last_updated_by: String,
}

/// Few entries need the permission: the others do not mention it.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_false(value: &bool) -> bool {
    !value
}

fn active() -> String {
    super::scopes::Status::Active.as_str().to_owned()
}

impl OriginRecord {
    /// An active record without scopes or credentials, of unknown age. The fields are public.
    pub fn new(id: &str, name: &str, origin: &str) -> Self {
        Self {
            id: id.to_owned(),
            version: 0,
            name: name.to_owned(),
            origin: origin.to_owned(),
            scopes: Vec::new(),
            status: active(),
            allow_credentials: false,
            dangerously_allow_insecure: false,
            created: String::new(),
            created_by: String::new(),
            last_updated: String::new(),
            last_updated_by: String::new(),
        }
    }

    /// Reads a record from JSON.
    ///
    /// # Errors
    ///
    /// Text that is not JSON, or has other fields than a record.
    pub fn from_json(json: &[u8]) -> Result<Self, EntryError> {
        match serde_json::from_slice(json) {
            Ok(Object(record)) => Ok(record),
            Err(error) => Err(EntryError::Form(error.to_string())),
        }
    }

    /// Writes the record as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and flags are always JSON")
    }

    /// The entry that the record stands for.
    ///
    /// # Errors
    ///
    /// The first field that is wrong: see [`OriginDraft::new`].
    pub fn check(&self) -> Result<TrustedOrigin, EntryError> {
        let id = self.id.parse()?;
        let scopes = self
            .scopes
            .iter()
            .map(|scope| scope.parse::<Scope>())
            .collect::<Result<Scopes, _>>()?;
        let permission = self.dangerously_allow_insecure;
        let draft = OriginDraft::with_permission(&self.name, &self.origin, scopes, permission)?
            .allow_credentials(self.allow_credentials)?
            .with_status(self.status.parse()?);
        let created = stamp("created", &self.created, &self.created_by)?;
        let last_updated = if self.last_updated_by == self.created_by {
            // Most entries are never edited: share the name instead of keeping it twice.
            Stamp {
                millis: millis("last_updated", &self.last_updated)?,
                by: created.by.clone(),
            }
        } else {
            stamp("last_updated", &self.last_updated, &self.last_updated_by)?
        };
        Ok(TrustedOrigin {
            id,
            version: Version::new(self.version),
            draft,
            created,
            last_updated,
        })
    }
}

impl From<&TrustedOrigin> for OriginRecord {
    fn from(entry: &TrustedOrigin) -> Self {
        Self {
            id: entry.id.to_string(),
            version: entry.version.number(),
            name: entry.name().to_owned(),
            origin: entry.pattern().as_str().to_owned(),
            scopes: entry.scopes().iter().map(|s| s.to_string()).collect(),
            status: entry.status().to_string(),
            allow_credentials: entry.allows_credentials(),
            dangerously_allow_insecure: entry.draft().allows_insecure(),
            created: rfc3339(entry.created_at()),
            created_by: entry.created_by().to_string(),
            last_updated: rfc3339(entry.last_updated_at()),
            last_updated_by: entry.last_updated_by().to_string(),
        }
    }
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

fn stamp(field: &'static str, time: &str, by: &str) -> Result<Stamp, EntryError> {
    let by = match by {
        "" => Actor::new("unknown")?,
        by => Actor::new(by)?,
    };
    let millis = millis(field, time)?;
    Ok(Stamp { millis, by })
}

fn millis(field: &'static str, time: &str) -> Result<u64, EntryError> {
    if time.is_empty() {
        return Ok(0);
    }
    let parsed = humantime::parse_rfc3339(time).map_err(|_| EntryError::Time {
        field,
        value: time.to_owned(),
    })?;
    Ok(to_millis(parsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"{"id":"01a01b2c3d4e5f60","version":7,"name":"Shop","origin":"https://shop.example.com","scopes":["CORS","REDIRECT"],"status":"INACTIVE","allow_credentials":true,"created":"2026-11-21T12:00:00.000Z","created_by":"ann","last_updated":"2026-11-21T12:00:01.500Z","last_updated_by":"bob"}"#;

    #[test]
    fn a_record_survives_the_way_through_an_entry() {
        let record = OriginRecord::from_json(FULL.as_bytes()).unwrap();
        let entry = record.check().unwrap();
        assert_eq!(OriginRecord::from(&entry), record);
        assert_eq!(record.to_json(), FULL);
    }

    #[test]
    fn an_array_is_no_record() {
        let array = r#"["0000000000000001", 7, "a", "https://a.example", ["CORS"]]"#;
        let error = OriginRecord::from_json(array.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("expected an object"), "{error}");
    }

    #[test]
    fn what_may_be_left_out() {
        let json = r#"{"id":"0000000000000001","name":"a","origin":"https://a.example","scopes":["CORS"]}"#;
        let entry = OriginRecord::from_json(json.as_bytes())
            .unwrap()
            .check()
            .unwrap();
        assert_eq!(entry.status(), super::super::scopes::Status::Active);
        assert!(!entry.allows_credentials());
        assert_eq!(entry.created_by().as_str(), "unknown");
        assert_eq!(entry.created_at(), SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        let by_hand = FULL.replace("https://shop.example.com", "HTTPS://Shop.Example.com:443");
        let entry = OriginRecord::from_json(by_hand.as_bytes()).unwrap().check();
        assert_eq!(OriginRecord::from(&entry.unwrap()).to_json(), FULL);
    }

    #[test]
    fn the_permission_for_an_insecure_origin_is_kept() {
        let with = FULL.replace(
            "\"allow_credentials\":true,",
            "\"allow_credentials\":true,\"dangerously_allow_insecure\":true,",
        );
        let with = with.replace("https://shop", "http://shop");
        let record = OriginRecord::from_json(with.as_bytes()).unwrap();
        let entry = record.check().unwrap();
        assert!(entry.allows_credentials() && entry.draft().allows_insecure());
        assert_eq!(OriginRecord::from(&entry).to_json(), with);
        let without = with.replace("\"dangerously_allow_insecure\":true,", "");
        let error = OriginRecord::from_json(without.as_bytes()).unwrap().check();
        assert!(matches!(error, Err(EntryError::InsecureOrigin { .. })));
    }

    #[test]
    fn a_range_of_addresses_is_written_with_its_permission() {
        let with = FULL.replace("https://shop.example.com", "http://192.168.0.0/16:*");
        let with = with.replace(
            "\"allow_credentials\":true,",
            "\"allow_credentials\":true,\"dangerously_allow_insecure\":true,",
        );
        let entry = OriginRecord::from_json(with.as_bytes()).unwrap().check();
        assert_eq!(OriginRecord::from(&entry.unwrap()).to_json(), with);
        for permission in ["", "\"dangerously_allow_insecure\":false,"] {
            let without = with.replace("\"dangerously_allow_insecure\":true,", permission);
            let error = OriginRecord::from_json(without.as_bytes()).unwrap().check();
            assert!(matches!(error, Err(EntryError::Origin(_))), "{error:?}");
        }
    }

    #[test]
    fn each_field_is_checked() {
        let with = |from: &str, to: &str| {
            let json = FULL.replace(from, to);
            assert_ne!(json, FULL, "{from}");
            OriginRecord::from_json(json.as_bytes())
                .and_then(|record| record.check())
                .expect_err(to)
                .field()
        };
        assert_eq!(with("01a0", "81a0"), "id");
        assert_eq!(with("Shop", ""), "name");
        assert_eq!(with("https://shop", "ttps//shop"), "origin");
        assert_eq!(with("https://shop", "http://shop"), "origin");
        assert_eq!(with("REDIRECT", "redirect"), "scopes");
        assert_eq!(with("INACTIVE", "OFF"), "status");
        assert_eq!(with("[\"CORS\",", "["), "allow_credentials");
        assert_eq!(with("2026-11-21T12:00:00", "yesterday"), "created");
        assert_eq!(with("12:00:01.500Z", "25:00:01Z"), "last_updated");
        assert_eq!(with("bob", " bob"), "last_updated_by");
        assert_eq!(with("\"status\"", "\"state\""), "");
        assert_eq!(with("true", "1"), "");
    }
}
