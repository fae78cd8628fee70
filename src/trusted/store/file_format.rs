//! The format of a file of entries.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

use serde::{Deserialize, Deserializer, Serialize};

use super::file_error::FileError;
use crate::trusted::{
    entry::{EntryError, EntryId, Object, OriginRecord, TrustedOrigin, Version},
    source::InvalidRow,
};

/// How the file is written: TOML where its name ends in `.toml`, else JSON.
#[derive(Clone, Copy, Debug)]
pub(super) enum Format {
    Json,
    #[cfg(feature = "trusted-toml")]
    Toml,
}

/// The last line of a TOML file. JSON has a bracket to close; but many beginnings of a TOML file
/// are TOML files, with fewer entries, or with entries that are active because that comes later.
#[cfg(feature = "trusted-toml")]
const END: &str = "[end]";

impl Format {
    pub(super) fn of(path: &Path) -> Result<Self, FileError> {
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        if !is_toml {
            return Ok(Self::Json);
        }
        #[cfg(feature = "trusted-toml")]
        return Ok(Self::Toml);
        #[cfg(not(feature = "trusted-toml"))]
        return Err(FileError::form(
            "TOML needs the feature `trusted-toml`: enable it, or write JSON under another name",
        ));
    }

    pub(super) fn read(self, bytes: &[u8]) -> Result<Document, FileError> {
        // Some editors begin a file with a byte order mark. It does not belong to the text.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match self {
            Self::Json => serde_json::from_slice(bytes)
                .map(|Object(document)| document)
                .map_err(FileError::form),
            #[cfg(feature = "trusted-toml")]
            Self::Toml => {
                let text = std::str::from_utf8(bytes).map_err(FileError::form)?;
                let text = text.trim_ascii_end();
                let document = text.strip_suffix(END).filter(|t| t.ends_with('\n'));
                let document = document.ok_or_else(|| {
                    FileError::form(format_args!(
                        "the last line is not {END:?}, which says that none is missing: add it"
                    ))
                })?;
                toml::from_str(document).map_err(FileError::form)
            }
        }
    }

    pub(super) fn write(self, document: &Document) -> Result<String, FileError> {
        match self {
            Self::Json => serde_json::to_string_pretty(document)
                .map(|text| text + "\n")
                .map_err(FileError::form),
            #[cfg(feature = "trusted-toml")]
            Self::Toml => toml::to_string_pretty(document)
                .map(|text| format!("{text}\n{END}\n"))
                .map_err(FileError::form),
        }
    }
}

/// The form of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(default)]
    pub(super) version: u64,
    #[serde(deserialize_with = "objects")]
    pub(super) entries: Vec<OriginRecord>,
}

fn objects<'de, D: Deserializer<'de>>(entries: D) -> Result<Vec<OriginRecord>, D::Error> {
    let entries = Vec::<Object<OriginRecord>>::deserialize(entries)?;
    Ok(entries.into_iter().map(|Object(entry)| entry).collect())
}

/// The content of a well-formed file.
pub(crate) struct Content {
    pub(crate) version: Version,
    pub(crate) entries: Vec<TrustedOrigin>,
}

/// Everything, or every mistake.
pub(super) fn check(document: Document) -> Result<Content, FileError> {
    let mut invalid = Vec::new();
    let mut entries = BTreeMap::new();
    let (mut names, mut origins) = (HashSet::new(), HashSet::new());
    let mut version = Version::new(document.version);
    for (i, mut record) in document.entries.into_iter().enumerate() {
        if record.id.is_empty() {
            record.id = id_of_name(&record.name);
        }
        let key = if record.name.is_empty() {
            format!("entry {}", i + 1)
        } else {
            record.name.clone()
        };
        let entry = record.check().and_then(|entry| {
            version = version.max(entry.version());
            let is_new = names.insert(record.name)
                & origins.insert(entry.pattern().clone())
                & !entries.contains_key(&entry.id());
            is_new.then_some(entry).ok_or(EntryError::Duplicate)
        });
        match entry {
            Ok(entry) => {
                entries.insert(entry.id(), entry);
            }
            Err(error) => invalid.push(InvalidRow { key, error }),
        }
    }
    if invalid.is_empty() {
        Ok(Content {
            version,
            entries: entries.into_values().collect(),
        })
    } else {
        Err(FileError::Invalid(invalid.into()))
    }
}

/// The id of an entry that somebody has added by hand without one. It follows from the name
/// (FNV-1a), and so stays the same from one reading to the next.
fn id_of_name(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let id = EntryId::from_number(hash >> 1);
    id.map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers are from FNV's own test vectors. Another id would be another entry: the entry
    /// would be deleted and created when the file is read next.
    #[test]
    fn the_id_of_a_name_is_its_fnv_1a_hash_without_the_lowest_bit() {
        for (name, hash) in [
            ("a", 0xaf63_dc4c_8601_ec8c_u64),
            ("b", 0xaf63_df4c_8601_f1a5),
            ("foobar", 0x8594_4171_f739_67e8),
        ] {
            assert_eq!(id_of_name(name), format!("{:016x}", hash >> 1), "{name}");
        }
    }
}
