use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::SystemTime,
};

use super::file_format::{Document, Format, check};
pub(crate) use super::{file_error::FileError, file_format::Content};
use crate::{
    random,
    trusted::entry::{OriginRecord, TrustedOrigin, Version},
};

/// The most that is read of a file, save in tests: a million entries are some 400 MB.
const MAX_BYTES: u64 = 1 << 30;

/// A file of entries, and what it was when it was last read or written.
#[derive(Debug)]
pub(crate) struct EntriesFile {
    /// The name as it was given. It may be a link, which is followed at every look.
    path: PathBuf,
    format: Format,
    seen: Option<Stamp>,
    /// Names the files that this one writes.
    writer: u64,
    /// The most that is read.
    max_bytes: u64,
}

/// Metadata that changes when a file is edited or replaced. The time of the status change finds the
/// edits of tools that restore length and modification time, such as `rsync --inplace --times`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    len: u64,
    modified: Option<SystemTime>,
    changed: (i64, i64),
    inode: (u64, u64),
}

impl Stamp {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;

        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: (metadata.dev(), metadata.ino()),
        }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (0, 0),
            inode: (0, 0),
        }
    }

    fn has_content_of(&self, other: &Self) -> bool {
        (self.len, self.modified, self.inode) == (other.len, other.modified, other.inode)
    }
}

impl EntriesFile {
    pub(crate) fn new(path: &Path) -> Result<Self, FileError> {
        let file = Self {
            path: path.to_owned(),
            format: Format::of(path)?,
            seen: None,
            writer: new_writer(),
            max_bytes: MAX_BYTES,
        };
        if let Ok(Some(target)) = file.resolve() {
            remove_leftovers(&target);
        } else {
            remove_leftovers(path);
        }
        Ok(file)
    }

    /// The content, if the file exists and has changed since it was last seen.
    pub(crate) fn read_if_changed(&mut self) -> Result<Option<Content>, FileError> {
        let stamp = match self.stamp()? {
            Some(stamp) => stamp,
            None if self.seen.is_none() => return Ok(None),
            None => return Err(self.io(&io::ErrorKind::NotFound.into())),
        };
        if self.seen.as_ref() == Some(&stamp) {
            return Ok(None);
        }
        let (stamp, bytes) = self.read()?;
        let content = check(self.format.read(&bytes)?)?;
        self.seen = Some(stamp);
        Ok(Some(content))
    }

    fn read(&self) -> Result<(Stamp, Vec<u8>), FileError> {
        let file = File::open(&self.path).map_err(|error| self.io(&error))?;
        // Before the content: an edit that comes while it is read is seen at the next look.
        let metadata = file.metadata().map_err(|error| self.io(&error))?;
        let stamp = self.stamp_of(&metadata)?;
        let mut bytes = Vec::new();
        // The file may be longer by now, or have no length, as those of `/proc`.
        let read = file.take(self.max_bytes + 1).read_to_end(&mut bytes);
        let len = read.map_err(|error| self.io(&error))?;
        if u64::try_from(len).is_ok_and(|len| len <= self.max_bytes) {
            Ok((stamp, bytes))
        } else {
            Err(self.too_large())
        }
    }

    /// The file's metadata now, if it exists.
    fn stamp(&self) -> Result<Option<Stamp>, FileError> {
        match self.resolve()? {
            Some(target) => {
                let metadata = fs::metadata(target).map_err(|error| self.io(&error))?;
                self.stamp_of(&metadata).map(Some)
            }
            None => Ok(None),
        }
    }

    /// Checks first that this is a regular file: opening a pipe would block until it is written to, and
    /// some devices can be read without end.
    fn stamp_of(&self, metadata: &Metadata) -> Result<Stamp, FileError> {
        if !metadata.is_file() {
            let path = self.path.clone();
            return Err(FileError::NotRegular { path });
        }
        if metadata.len() > self.max_bytes {
            return Err(self.too_large());
        }
        Ok(Stamp::of(metadata))
    }

    /// The file that the name leads to now, if it is there. A link that leads nowhere is an error:
    /// a file in place of the link would hide that its target is missing.
    fn resolve(&self) -> Result<Option<PathBuf>, FileError> {
        match fs::symlink_metadata(&self.path) {
            Ok(_) => fs::canonicalize(&self.path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
        .map_err(|error| self.io(&error))
    }

    /// Replaces the file: readers find the old content or the new one, never a part, also after a
    /// crash. If the file was edited since it was last seen, the edit stays and this fails.
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
        let target = self.resolve()?.unwrap_or_else(|| self.path.clone());
        let beside = self.beside(&target);
        let replaced = self.replace_by(text.as_bytes(), &beside, &target);
        if replaced.is_err() {
            // If this fails, the next start removes the file.
            let _ = fs::remove_file(&beside);
        }
        self.seen = replaced?;
        Ok(())
    }

    /// Returns the metadata of the new file, or `None` if it was edited meanwhile.
    fn replace_by(
        &self,
        text: &[u8],
        beside: &Path,
        target: &Path,
    ) -> Result<Option<Stamp>, FileError> {
        let written = write_beside(text, beside, target).map_err(|error| self.io(&error))?;
        let before = written.metadata().map_err(|error| self.io(&error))?;
        // As late as possible, so that edits by others are seen.
        if self.stamp()? != self.seen {
            return Err(FileError::Overtaken {
                path: self.path.clone(),
            });
        }
        fs::rename(beside, target)
            .and_then(|()| sync_directory(target))
            .map_err(|error| self.io(&error))?;
        // The new name is a change of the file, which has a time.
        let after = written.metadata().map_err(|error| self.io(&error))?;
        let after = Stamp::of(&after);
        Ok(after.has_content_of(&Stamp::of(&before)).then_some(after))
    }

    /// Where the next content of the file is written: in the same folder, under a name that no
    /// other writer has.
    pub(crate) fn beside(&self, target: &Path) -> PathBuf {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let (process, writer) = (process::id(), self.writer);
        target.with_file_name(format!(".{name}.{process}.{writer:016x}.new"))
    }

    fn too_large(&self) -> FileError {
        FileError::TooLarge {
            path: self.path.clone(),
            limit: self.max_bytes,
        }
    }

    fn io(&self, error: &io::Error) -> FileError {
        FileError::Io {
            path: self.path.clone(),
            error: error.to_string(),
        }
    }
}

fn write_beside(text: &[u8], beside: &Path, target: &Path) -> io::Result<File> {
    let mut file = File::create(beside)?;
    if let Ok(old) = fs::metadata(target) {
        file.set_permissions(old.permissions())?;
    }
    file.write_all(text)?;
    file.sync_all()?;
    Ok(file)
}

/// A number that no other writer has: half of it is random for the process, because processes on two
/// machines, or one after the other, may have one process id. The other half counts.
fn new_writer() -> u64 {
    static WRITERS: AtomicU32 = AtomicU32::new(0);
    let count = WRITERS.fetch_add(1, Ordering::Relaxed);
    (u64::from(process_random()) << 32) | u64::from(count)
}

fn process_random() -> u32 {
    static RANDOM: OnceLock<u32> = OnceLock::new();
    *RANDOM
        .get_or_init(|| u32::try_from(random::number() >> 32).expect("half of the bits are left"))
}

/// Removes files that processes which were killed during an edit have left beside the file. Errors
/// are ignored: a leftover takes room and does no other harm.
fn remove_leftovers(target: &Path) {
    let Some(folder) = folder_of(target) else {
        return;
    };
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let beginning = format!(".{name}.");
    let Ok(files) = fs::read_dir(folder) else {
        return;
    };
    for file in files.flatten() {
        let found = file.file_name();
        let writer = found.to_str().and_then(|found| {
            let middle = found.strip_prefix(&beginning)?.strip_suffix(".new")?;
            let (process, writer) = middle.split_once('.')?;
            let is_writer = writer.len() == 16;
            let writer = u64::from_str_radix(writer, 16).ok()?;
            is_writer.then_some((process.parse().ok()?, writer))
        });
        if writer.is_some_and(|(process, writer)| !may_be_writing(process, writer)) {
            let _ = fs::remove_file(file.path());
        }
    }
}

/// Whether the process that has begun the file may still be at it.
fn may_be_writing(process: u32, writer: u64) -> bool {
    if writer >> 32 == u64::from(process_random()) {
        return true;
    }
    // Another process that had the id of this one is gone.
    process != process::id() && Path::new("/proc").join(process.to_string()).exists()
}

/// Makes the new name durable; only Unix has a way to say so.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    match folder_of(path) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The folder that the file is in: a name alone is in the current one.
fn folder_of(file: &Path) -> Option<&Path> {
    let parent = file.parent()?;
    Some(if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    })
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

    #[cfg(target_os = "linux")]
    #[test]
    fn what_keeps_length_and_time_is_seen_by_the_time_of_its_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("origins.json");
        fs::write(&path, r#"{"entries": [], "version": 1}"#).unwrap();
        let mut file = EntriesFile::new(&path).unwrap();
        assert!(file.read_if_changed().unwrap().is_some());
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        // As `rsync --inplace --times` does. The clock of a file system has a tick of its own.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, r#"{"entries": [], "version": 2}"#).unwrap();
        let other = File::options().write(true).open(&path).unwrap();
        other.set_modified(modified).unwrap();
        let content = file.read_if_changed().unwrap().expect("it has changed");
        assert_eq!(content.version, Version::new(2));
    }

    #[test]
    fn leftovers_of_other_processes_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("origins.json");
        let own = [(); 2].map(|()| EntriesFile::new(&path).unwrap().beside(&path));
        assert_ne!(own[0], own[1], "two stores do not write into one file");
        let own = own[0].file_name().unwrap().to_str().unwrap();
        let another = format!(".origins.json.{}.00000000000000aa.new", running());
        let mut others = vec![
            // Of this process, which may be about to write it.
            own,
            ".origins.json.new",
            ".other.json.4000000000.00000000000000aa.new",
            ".origins.json.4000000000.00000000000000a.new",
            ".origins.json.x.00000000000000aa.new",
        ];
        // Elsewhere there is no `/proc` that says which processes run.
        if cfg!(target_os = "linux") {
            others.push(&another);
        }
        let same_id = process::id();
        let left = [
            // No system has such a number for a process.
            ".origins.json.4000000000.00000000000000aa.new",
            ".origins.json.4000000000.00000001000000aa.new",
            // Of a process before this one, with the same number.
            &format!(".origins.json.{same_id}.00000000000000aa.new"),
        ];
        for name in others.iter().chain(&left) {
            fs::write(folder.path().join(name), "{").unwrap();
        }
        EntriesFile::new(&path).unwrap();
        for name in others {
            assert!(folder.path().join(name).exists(), "{name}");
        }
        for name in left {
            assert!(!folder.path().join(name).exists(), "{name}");
        }
    }

    /// The number of another process that runs.
    fn running() -> u32 {
        #[cfg(unix)]
        return std::os::unix::process::parent_id();
        #[cfg(not(unix))]
        return 0;
    }

    #[test]
    fn a_name_alone_is_in_the_current_folder() {
        for (file, folder) in [
            ("origins.json", Some(".")),
            ("a/origins.json", Some("a")),
            ("/origins.json", Some("/")),
            ("/", None),
        ] {
            assert_eq!(folder_of(Path::new(file)), folder.map(Path::new), "{file}");
        }
    }

    #[test]
    fn a_file_of_the_greatest_size_is_read_and_a_greater_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("origins.json");
        let text = r#"{"entries": []}"#;
        fs::write(&path, text).unwrap();
        for (max_bytes, is_read) in [(15, true), (14, false), (1, false)] {
            let mut file = EntriesFile::new(&path).unwrap();
            file.max_bytes = max_bytes;
            let read = file.read_if_changed();
            if is_read {
                assert!(read.unwrap().is_some(), "{max_bytes}");
            } else {
                let limit = read.map(drop).unwrap_err();
                assert!(
                    matches!(limit, FileError::TooLarge { limit, .. } if limit == max_bytes),
                    "{limit}"
                );
            }
        }
    }

    /// Its metadata say 0 bytes, as those of a file that has grown since may say too few.
    #[cfg(target_os = "linux")]
    #[test]
    fn no_more_is_read_than_may_be_whatever_the_metadata_say() {
        let mut file = EntriesFile::new(Path::new("/proc/self/status")).unwrap();
        file.max_bytes = 5;
        let error = file.read_if_changed().map(drop).unwrap_err();
        assert!(matches!(error, FileError::TooLarge { .. }), "{error}");
    }

    /// As by somebody who has opened the file before it was put in place, and writes into it then.
    #[test]
    fn a_file_that_was_edited_while_it_was_put_in_place_is_read_again() {
        let written = Stamp {
            len: 5,
            modified: Some(SystemTime::UNIX_EPOCH),
            changed: (1, 1),
            inode: (1, 7),
        };
        for (edit, is_same) in [
            ((|_| ()) as fn(&mut Stamp), true),
            // The new name is a change, too.
            (|after| after.changed = (1, 2), true),
            (|after| after.len = 6, false),
            (|after| after.modified = Some(SystemTime::now()), false),
            (|after| after.inode = (1, 8), false),
        ] {
            let mut after = written.clone();
            edit(&mut after);
            assert_eq!(after.has_content_of(&written), is_same, "{after:?}");
        }
    }
}
