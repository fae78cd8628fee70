use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File, Metadata},
    hash::{BuildHasher, RandomState},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use crate::trusted::{
    entry::{EntryError, EntryId, OriginRecord, TrustedOrigin, Version},
    registry::VersionRegressed,
    source::InvalidRow,
};

/// A file of entries, and what it was when it was last read or written.
#[derive(Debug)]
pub(crate) struct EntriesFile {
    path: PathBuf,
    /// Where the next content is written: a name of its own, in the same folder.
    pub(crate) beside: PathBuf,
    format: Format,
    seen: Option<Stamp>,
}

/// How the file is written: TOML where its name ends in `.toml`, else JSON.
#[derive(Clone, Copy, Debug)]
enum Format {
    Json,
    #[cfg(feature = "trusted-toml")]
    Toml,
}

/// The last line of a TOML file. JSON has a bracket to close; but many beginnings of a TOML file
/// are TOML files, with fewer entries, or with entries that are active because that comes later.
#[cfg(feature = "trusted-toml")]
const END: &str = "[end]";

impl Format {
    fn of(path: &Path) -> Result<Self, FileError> {
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

    fn read(self, bytes: &[u8]) -> Result<Document, FileError> {
        match self {
            Self::Json => serde_json::from_slice(bytes).map_err(FileError::form),
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

    fn write(self, document: &Document) -> Result<String, FileError> {
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

/// What changes when somebody edits a file, or puts another one in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            inode: std::os::unix::fs::MetadataExt::ino(metadata),
            #[cfg(not(unix))]
            inode: 0,
        }
    }
}

/// The form of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    version: u64,
    entries: Vec<OriginRecord>,
}

/// What a well-formed file holds.
pub(crate) struct Content {
    pub(crate) version: Version,
    pub(crate) entries: Vec<TrustedOrigin>,
}

impl EntriesFile {
    pub(crate) fn new(path: &Path) -> Result<Self, FileError> {
        let format = Format::of(path)?;
        // A link stays one: what it leads to is replaced.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Ok(Self {
            beside: beside(&path),
            path,
            format,
            seen: None,
        })
    }

    /// The content, if the file is there and is not what was last seen.
    pub(crate) fn read_if_changed(&mut self) -> Result<Option<Content>, FileError> {
        let stamp = match self.stamp()? {
            Some(stamp) => stamp,
            None if self.seen.is_none() => return Ok(None),
            None => return Err(self.io(&io::ErrorKind::NotFound.into())),
        };
        if self.seen.as_ref() == Some(&stamp) {
            return Ok(None);
        }
        let bytes = fs::read(&self.path).map_err(|error| self.io(&error))?;
        let content = check(self.format.read(&bytes)?)?;
        self.seen = Some(stamp);
        Ok(Some(content))
    }

    /// What the file is now, if it is there.
    fn stamp(&self) -> Result<Option<Stamp>, FileError> {
        match fs::metadata(&self.path) {
            Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io(&error)),
        }
    }

    /// Replaces the file: readers find the old content or the new one, never a part, also after a
    /// crash. What somebody has written since it was last seen stays, and this fails.
    pub(crate) fn write<'a>(
        &mut self,
        version: Version,
        entries: impl Iterator<Item = &'a TrustedOrigin>,
    ) -> Result<(), FileError> {
        let document = Document {
            version: version.number(),
            entries: entries.map(OriginRecord::from).collect(),
        };
        let text = self.format.write(&document)?;
        let replaced = self.replace_by(text.as_bytes());
        if replaced.is_err() {
            // What is left of it is in nobody's way.
            let _ = fs::remove_file(&self.beside);
        }
        self.seen = Some(replaced?);
        Ok(())
    }

    fn replace_by(&self, text: &[u8]) -> Result<Stamp, FileError> {
        let metadata = self.write_beside(text).map_err(|error| self.io(&error))?;
        // As late as can be.
        if self.stamp()? != self.seen {
            return Err(FileError::Overtaken {
                path: self.path.clone(),
            });
        }
        fs::rename(&self.beside, &self.path)
            .and_then(|()| sync_directory(&self.path))
            .map_err(|error| self.io(&error))?;
        Ok(Stamp::of(&metadata))
    }

    fn write_beside(&self, text: &[u8]) -> io::Result<Metadata> {
        let mut file = File::create(&self.beside)?;
        if let Ok(old) = fs::metadata(&self.path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(text)?;
        file.sync_all()?;
        file.metadata()
    }

    fn io(&self, error: &io::Error) -> FileError {
        FileError::Io {
            path: self.path.clone(),
            error: error.to_string(),
        }
    }
}

/// No other process has this name, also not one on another machine.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Every new `RandomState` has keys of its own.
    let random = RandomState::new().hash_one(SystemTime::now());
    path.with_file_name(format!(".{name}.{random:016x}.new"))
}

/// Makes the new name durable; only Unix has a way to say so.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Everything, or every mistake.
fn check(document: Document) -> Result<Content, FileError> {
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
                & origins.insert(record.origin)
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

/// People who add an entry by hand need not think of an id: it follows from the name (FNV-1a), and
/// so stays the same from one reading to the next.
fn id_of_name(name: &str) -> String {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let id = EntryId::from_number(hash >> 1);
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// Why a file is not taken. What was served before still is.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system says.
        error: String,
    },
    /// The file is not of the form `{"version": 1, "entries": [...]}`. Nor is half of one: JSON ends
    /// with a bracket, and TOML with the line `[end]`.
    #[error("not a file of entries: {0}")]
    Form(String),
    /// Somebody has edited the file while the store was about to replace it: try again.
    #[error("{}: somebody else has just written it: try again", path.display())]
    Overtaken {
        /// Which.
        path: PathBuf,
    },
    /// The file was taken, and cannot be written back with the new versions: they may go back when
    /// the process starts anew.
    #[error("the file is taken, but its versions cannot be written back: {0}")]
    Unsaved(String),
    /// Some of the entries are none.
    #[error("{}", Lines(.0))]
    Invalid(Arc<[InvalidRow]>),
}

impl FileError {
    fn form(error: impl std::fmt::Display) -> Self {
        Self::Form(error.to_string())
    }
}

impl From<VersionRegressed> for FileError {
    fn from(error: VersionRegressed) -> Self {
        Self::form(error)
    }
}

struct Lines<'a>(&'a [InvalidRow]);

impl std::fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, row) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            row.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_has_written_since_the_last_look_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("origins.json");
        let mut file = EntriesFile::new(&path).unwrap();
        assert!(file.read_if_changed().unwrap().is_none());
        fs::write(&path, r#"{"entries": []}"#).unwrap();
        let none = || std::iter::empty();
        let overtaken = file.write(Version::new(1), none());
        assert!(matches!(overtaken, Err(FileError::Overtaken { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), r#"{"entries": []}"#);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

        // Another file in its place, of the same length and time.
        assert!(file.read_if_changed().unwrap().is_some());
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let beside = folder.path().join("other.json");
        fs::write(&beside, r#"{"entries":  []}"#.replace("  ", " ")).unwrap();
        let other = File::options().write(true).open(&beside).unwrap();
        other.set_modified(modified).unwrap();
        fs::rename(&beside, &path).unwrap();
        if cfg!(unix) {
            let overtaken = file.write(Version::new(1), none());
            assert!(matches!(overtaken, Err(FileError::Overtaken { .. })));
        }
        assert_eq!(file.read_if_changed().unwrap().is_some(), cfg!(unix));
        file.write(Version::new(2), none()).unwrap();
        assert!(file.read_if_changed().unwrap().is_none(), "its own writing");
    }
}
