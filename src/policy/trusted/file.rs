use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File, Metadata},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::{EntryError, EntryId, InvalidRow, OriginRecord, TrustedOrigin, Version, WentBack};

/// A file of entries, and what it was when it was last read or written.
#[derive(Debug)]
pub(super) struct EntriesFile {
    path: PathBuf,
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

impl Format {
    fn of(path: &Path) -> Self {
        match path.extension() {
            #[cfg(feature = "trusted-toml")]
            Some(extension) if extension == "toml" => Self::Toml,
            _ => Self::Json,
        }
    }

    fn read(self, bytes: &[u8]) -> Result<Document, FileError> {
        match self {
            Self::Json => serde_json::from_slice(bytes).map_err(FileError::form),
            #[cfg(feature = "trusted-toml")]
            Self::Toml => toml::from_slice(bytes).map_err(FileError::form),
        }
    }

    fn write(self, document: &Document) -> Result<String, FileError> {
        match self {
            Self::Json => serde_json::to_string_pretty(document)
                .map(|text| text + "\n")
                .map_err(FileError::form),
            #[cfg(feature = "trusted-toml")]
            Self::Toml => toml::to_string_pretty(document).map_err(FileError::form),
        }
    }
}

/// What changes when somebody edits a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
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
pub(super) struct Content {
    pub(super) version: Version,
    pub(super) entries: Vec<TrustedOrigin>,
}

impl EntriesFile {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            // A link stays one: what it leads to is replaced.
            path: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            format: Format::of(path),
            seen: None,
        }
    }

    /// The content, if the file is there and is not what was last seen.
    pub(super) fn read_if_changed(&mut self) -> Result<Option<Content>, FileError> {
        let stamp = match fs::metadata(&self.path) {
            Ok(metadata) => Stamp::of(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.seen.is_none() => {
                return Ok(None);
            }
            Err(error) => return Err(self.io(&error)),
        };
        if self.seen.as_ref() == Some(&stamp) {
            return Ok(None);
        }
        let bytes = fs::read(&self.path).map_err(|error| self.io(&error))?;
        let content = check(self.format.read(&bytes)?)?;
        self.seen = Some(stamp);
        Ok(Some(content))
    }

    /// Replaces the file: readers find the old content or the new one, never a part, also after a
    /// crash.
    pub(super) fn write<'a>(
        &mut self,
        version: Version,
        entries: impl Iterator<Item = &'a TrustedOrigin>,
    ) -> Result<(), FileError> {
        let document = Document {
            version: version.number(),
            entries: entries.map(OriginRecord::from).collect(),
        };
        let text = self.format.write(&document)?;
        let metadata = self
            .replace(text.as_bytes())
            .map_err(|error| self.io(&error))?;
        self.seen = Some(Stamp::of(&metadata));
        Ok(())
    }

    fn replace(&self, text: &[u8]) -> io::Result<Metadata> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let beside = self.path.with_file_name(format!(".{name}.new"));
        let mut file = File::create(&beside)?;
        if let Ok(old) = fs::metadata(&self.path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(text)?;
        file.sync_all()?;
        let metadata = file.metadata()?;
        fs::rename(&beside, &self.path)?;
        sync_directory(&self.path)?;
        Ok(metadata)
    }

    fn io(&self, error: &io::Error) -> FileError {
        FileError::Io {
            path: self.path.clone(),
            error: error.to_string(),
        }
    }
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
        let key = match record.name.is_empty() {
            true => format!("entry {}", i + 1),
            false => record.name.clone(),
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
    match invalid.is_empty() {
        true => Ok(Content {
            version,
            entries: entries.into_values().collect(),
        }),
        false => Err(FileError::Invalid(invalid.into())),
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
    /// The file is not of the form `{"version": 1, "entries": [...]}`; half of one is not either.
    #[error("not a file of entries: {0}")]
    Form(String),
    /// Some of the entries are none.
    #[error("{}", Lines(.0))]
    Invalid(Arc<[InvalidRow]>),
}

impl FileError {
    fn form(error: impl std::fmt::Display) -> Self {
        Self::Form(error.to_string())
    }
}

impl From<WentBack> for FileError {
    fn from(error: WentBack) -> Self {
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
