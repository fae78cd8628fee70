//! The file of an embedded store: written whole, edited by hand, refused when it is wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use tower_cors::trusted::{
    entry::{Scope, Status, Version},
    registry::{OriginEventKind, Received},
    store::{EmbeddedStore, FileError, OriginStore, StoreError},
};

use super::{admin, block_on, cors, draft, entries, origin};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("origins.json")
    }

    /// Writes a text as by hand, with a modification time that differs from the last one.
    fn write(&self, text: &str) {
        let path = self.path();
        let before = modified(&path);
        while {
            fs::write(&path, text).unwrap();
            before.is_some() && modified(&path) == before
        } {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

const BY_HAND: &str = r#"{
  "entries": [
    {"name": "Shop", "origin": "https://shop.example", "scopes": ["CORS"], "allow_credentials": true},
    {"name": "Docs", "origin": "https://*.docs.example", "scopes": ["IFRAME_EMBED"], "status": "INACTIVE"}
  ]
}"#;

#[test]
fn what_is_written_is_read_again() {
    let folder = Folder::new();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    assert!(!folder.path().exists());
    let a = block_on(store.create(cors("https://a.example"), admin())).unwrap();
    block_on(store.create(
        cors("https://*.b.example").allow_credentials(true).unwrap(),
        admin(),
    ))
    .unwrap();
    block_on(store.deactivate(a.id(), None, admin())).unwrap();
    let c = block_on(store.create(cors("https://c.example"), admin())).unwrap();
    block_on(store.delete(c.id(), None, admin())).unwrap();

    let again = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(entries(again.origins()), entries(store.origins()));
    assert_eq!(again.origins().version(), store.origins().version());
    let files: Vec<_> = fs::read_dir(folder.0.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing is left beside the file: {files:?}");
}

#[test]
fn an_array_in_place_of_an_object_is_refused() {
    let entry = r#"{"name": "Shop", "origin": "https://shop.example", "scopes": ["CORS"]}"#;
    let values = r#"["", 0, "Shop", "https://shop.example", ["CORS"]]"#;
    for text in [
        "[5, []]".to_owned(),
        format!("[5, [{entry}]]"),
        format!(r#"{{"entries": [{values}]}}"#),
    ] {
        let folder = Folder::new();
        folder.write(&text);
        let error = EmbeddedStore::open(folder.path()).unwrap_err();
        assert!(matches!(error, FileError::Form(_)), "{text}: {error}");
    }
}

#[test]
fn people_can_write_the_file() {
    let folder = Folder::new();
    folder.write(BY_HAND);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    assert!(store.origins().is_trusted(&origin("https://shop.example")));
    let first = entries(store.origins());
    assert_eq!(first.len(), 2);
    // Generated ids are the same the next time.
    let again = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(entries(again.origins()), first);

    let mut events = store.origins().subscribe(10);
    folder.write(&BY_HAND.replace("https://shop.", "https://store."));
    assert!(
        store.origins().is_trusted(&origin("https://shop.example")),
        "not looked at yet"
    );
    assert!(store.reload().unwrap());
    assert!(!store.reload().unwrap());
    assert!(!store.origins().is_trusted(&origin("https://shop.example")));
    assert!(store.origins().is_trusted(&origin("https://store.example")));
    let Some(Received::Event(event)) = events.try_next() else {
        panic!("an edit by hand is an event");
    };
    let OriginEventKind::Replaced { before, entry } = event.kind else {
        panic!("{event:?}");
    };
    assert_eq!(entry.id(), before.id());
    assert_eq!(entry.last_updated_by().as_str(), "file");
    assert!(entry.version() > before.version());
    assert_eq!(events.try_next(), None);
}

#[test]
fn an_origin_is_written_back_as_browsers_send_it() {
    let folder = Folder::new();
    folder.write(
        r#"{"entries": [{"name": "Books", "origin": "HTTPS://Bücher.example:443", "scopes": ["CORS"]}]}"#,
    );
    let store = EmbeddedStore::open(folder.path()).unwrap();
    let sent = "https://xn--bcher-kva.example";
    assert!(store.origins().is_trusted(&origin(sent)));
    let first = entries(store.origins());
    block_on(store.create(cors("https://a.example"), admin())).unwrap();
    let written = fs::read_to_string(folder.path()).unwrap();
    assert!(
        written.contains(sent) && !written.contains("Bücher"),
        "{written}"
    );
    assert!(!store.reload().unwrap());
    assert_eq!(entries(store.origins())[..1], first);
}

#[test]
fn a_range_of_addresses_needs_the_permission_of_its_entry() {
    let folder = Folder::new();
    let file = |permission: &str| {
        format!(
            r#"{{"entries": [{{"name": "Office", "origin": "http://192.168.0.0/16:*", "scopes": ["CORS"]{permission}}}]}}"#
        )
    };
    folder.write(&file(""));
    let error = EmbeddedStore::open(folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row \"Office\": origin: a range of addresses is only for machines under development, and \
         needs a permission: set dangerously_allow_insecure for this entry, in code with \
         OriginDraft::dangerously_insecure"
    );
    folder.write(&file(r#", "dangerously_allow_insecure": true"#));
    let store = EmbeddedStore::open(folder.path()).unwrap();
    assert!(
        store
            .origins()
            .is_trusted(&origin("http://192.168.7.9:3000"))
    );
    assert!(
        !store
            .origins()
            .is_trusted(&origin("http://192.169.7.9:3000"))
    );
    // It is written with its permission, and read again.
    block_on(store.create(cors("https://a.example"), admin())).unwrap();
    let again = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(entries(again.origins()), entries(store.origins()));
}

#[test]
fn half_a_file_is_refused_and_what_was_served_stays() {
    let folder = Folder::new();
    folder.write(BY_HAND);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    let before = entries(store.origins());
    for end in [0, 1, 40, BY_HAND.len() / 2, BY_HAND.len() - 1] {
        folder.write(&BY_HAND[..end]);
        let error = store.reload().unwrap_err();
        assert!(matches!(error, FileError::Form(_)), "{end}: {error}");
        assert!(store.refusal().is_some());
        assert_eq!(entries(store.origins()), before);
        // It is looked at again, not forgotten.
        assert!(store.reload().is_err());
    }
    // An edit would overwrite the file that is being written.
    let error = block_on(store.create(cors("https://new.example"), admin())).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert_eq!(
        fs::read_to_string(folder.path()).unwrap(),
        BY_HAND[..BY_HAND.len() - 1]
    );

    folder.write(BY_HAND);
    store.reload().unwrap();
    assert!(store.refusal().is_none());
    block_on(store.create(cors("https://new.example"), admin())).unwrap();
    assert!(
        fs::read_to_string(folder.path())
            .unwrap()
            .contains("https://new.example")
    );
}

#[test]
fn a_file_with_mistakes_is_refused_with_all_of_them() {
    let folder = Folder::new();
    folder.write(
        r#"{"entries": [
            {"name": "A", "origin": "https://a.example/", "scopes": ["CORS"]},
            {"name": "B", "origin": "https://b.example", "scopes": []},
            {"name": "C", "origin": "https://c.example", "scopes": ["CORS"]},
            {"name": "C", "origin": "https://d.example", "scopes": ["CORS"]},
            {"name": "E", "origin": "https://c.example", "scopes": ["CORS"]},
            {"name": "F", "origin": "HTTPS://C.example:443", "scopes": ["CORS"]}
        ]}"#,
    );
    let error = EmbeddedStore::open(folder.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row \"A\": origin: an origin has no path, not even a trailing slash: write \
         \"https://a.example\"\n\
         row \"B\": scopes: name at least one of CORS, REDIRECT and IFRAME_EMBED\n\
         row \"C\": another entry has the same id, name or origin\n\
         row \"E\": another entry has the same id, name or origin\n\
         row \"F\": another entry has the same id, name or origin"
    );
}

#[test]
fn an_edit_keeps_what_people_have_written_meanwhile() {
    let folder = Folder::new();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    block_on(store.create(cors("https://a.example"), admin())).unwrap();
    let mut text = fs::read_to_string(folder.path()).unwrap();
    let added = r#""entries": [
    {"name": "By hand", "origin": "https://hand.example", "scopes": ["CORS"]},"#;
    text = text.replace("\"entries\": [", added);
    folder.write(&text);
    // There was no reload: the edit reloads first.
    let taken = draft("By hand", "https://b.example", Scope::Cors);
    let error = block_on(store.create(taken, admin())).unwrap_err();
    assert!(matches!(error, StoreError::NameTaken { .. }));
    block_on(store.create(cors("https://c.example"), admin())).unwrap();
    let again = EmbeddedStore::open(folder.path()).unwrap();
    for expected in [
        "https://a.example",
        "https://hand.example",
        "https://c.example",
    ] {
        assert!(again.origins().is_trusted(&origin(expected)), "{expected}");
    }
    assert!(store.origins().version() > Version::new(2));
}

#[test]
fn a_watched_file_is_taken_by_itself() {
    let folder = Folder::new();
    folder.write(BY_HAND);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.watch_file(Duration::from_millis(5)).unwrap();
    let begun = Instant::now();
    folder.write(&BY_HAND.replace("\"INACTIVE\"", "\"ACTIVE\""));
    let is_active = || {
        let docs = store.origins().list(None, 1, |e| e.name() == "Docs");
        docs[0].status() == Status::Active
    };
    while !is_active() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{:?}",
            store.refusal()
        );
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(
        &*store.origins().frame_ancestors(),
        "https://*.docs.example"
    );
}

#[cfg(unix)]
#[test]
fn the_file_keeps_its_permissions_and_its_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Folder::new();
    folder.write(BY_HAND);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.0.path().join("link.json");
    symlink(folder.path(), &link).unwrap();
    let store = EmbeddedStore::open(&link).unwrap();
    block_on(store.create(cors("https://a.example"), admin())).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert!(
        fs::read_to_string(folder.path())
            .unwrap()
            .contains("https://a.example")
    );
}

#[test]
fn readers_never_find_half_of_an_edit() {
    let folder = Folder::new();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    block_on(store.create(cors("https://first.example"), admin())).unwrap();
    // Half of a file that a crash has left behind does no harm.
    fs::write(folder.0.path().join(".origins.json.new"), "{\"entries\": [").unwrap();
    let mut seen = 0;
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for i in 0..100 {
                let draft = cors(&format!("https://{i}.a.example"));
                block_on(store.create(draft, admin())).unwrap();
            }
        });
        while !writer.is_finished() {
            let found = EmbeddedStore::open(folder.path()).unwrap();
            assert!(found.origins().len() >= seen, "an edit is never undone");
            seen = found.origins().len();
        }
    });
    let found = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(entries(found.origins()), entries(store.origins()));
    assert_eq!(found.origins().len(), 101);
}

#[cfg(feature = "trusted-toml")]
#[test]
fn a_file_can_be_toml() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("origins.toml");
    fs::write(
        &path,
        "[[entries]]\nname = \"Shop\"\norigin = \"https://shop.example\"\nscopes = [\"CORS\"]\n\
         [end]\n",
    )
    .unwrap();
    let store = EmbeddedStore::open(&path).unwrap();
    assert!(store.origins().is_trusted(&origin("https://shop.example")));
    block_on(store.create(cors("https://a.example"), admin())).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("origin = \"https://a.example\""), "{text}");
    let again = EmbeddedStore::open(&path).unwrap();
    assert_eq!(entries(again.origins()), entries(store.origins()));
}

/// Many beginnings of a TOML file are TOML files, with fewer entries, or with active ones.
#[cfg(feature = "trusted-toml")]
#[test]
fn a_toml_file_that_is_cut_anywhere_is_refused() {
    let by_hand = "# Ours.\n[[entries]]\nname = \"Shop\"\norigin = \"https://shop.example\"\n\
        scopes = [\"CORS\"]\n\n[[entries]]\nname = \"Old\"\norigin = \"https://old.example\"\n\
        scopes = [\"CORS\"]\nstatus = \"INACTIVE\"\n\n[end]\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("origins.toml");
    fs::write(&path, by_hand).unwrap();
    let store = EmbeddedStore::open(&path).unwrap();
    block_on(store.create(cors("https://a.example"), admin())).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    for text in [by_hand, &written] {
        // What may be missing is the last line's end.
        for end in 0..text.len() - 1 {
            fs::write(&path, &text[..end]).unwrap();
            let error = EmbeddedStore::open(&path).expect_err(&text[..end]);
            assert!(matches!(error, FileError::Form(_)), "{end}: {error}");
        }
        fs::write(&path, &text[..text.len() - 1]).unwrap();
        EmbeddedStore::open(&path).unwrap();
    }
    // Entries behind the end would be cut without a trace.
    let behind = by_hand
        .replace("# Ours.", "[end]")
        .replace("\n\n[end]\n", "\n");
    fs::write(&path, behind).unwrap();
    let error = EmbeddedStore::open(&path).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not a file of entries: the last line is not \"[end]\", which says that none is missing: \
         add it"
    );
}

#[test]
fn versions_do_not_go_back_over_a_restart() {
    let folder = Folder::new();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    let entry = block_on(store.create(cors("https://a.example"), admin())).unwrap();
    block_on(store.create(cors("https://b.example"), admin())).unwrap();
    let text = fs::read_to_string(folder.path()).unwrap();
    folder.write(&text.replace("\"ACTIVE\"", "\"INACTIVE\""));
    assert!(store.reload().unwrap());
    let edited = store.origins().entry(entry.id()).unwrap();
    assert!(edited.version() > entry.version());

    let again = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(again.origins().version(), store.origins().version());
    assert_eq!(entries(again.origins()), entries(store.origins()));
    // An administrator who has seen what was there before the edit by hand learns of it.
    let late = block_on(again.delete(entry.id(), Some(entry.version()), admin()));
    assert!(
        matches!(late, Err(StoreError::Changed { current }) if current == edited.version()),
        "{late:?}"
    );
    // The store's own writing is not taken for an edit by hand.
    assert!(!store.reload().unwrap());
}

#[test]
fn a_file_that_says_what_is_served_is_nothing_new() {
    let folder = Folder::new();
    folder.write(BY_HAND);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    block_on(store.create(cors("https://a.example"), admin())).unwrap();
    let mut events = store.origins().subscribe(10);
    let version = store.origins().version();
    let text = fs::read_to_string(folder.path()).unwrap();
    // Written again as it is, and with other spaces, which stay.
    for text in [text.clone(), text.replace("  ", " ")] {
        folder.write(&text);
        assert!(!store.reload().unwrap());
        assert_eq!(store.origins().version(), version);
        assert_eq!(fs::read_to_string(folder.path()).unwrap(), text);
    }
    assert_eq!(events.try_next(), None);

    // With an older version, as from a copy. It is written back, or a restart would go back to it.
    folder.write(&text.replace(&format!("\"version\": {version}"), "\"version\": 0"));
    assert!(!store.reload().unwrap());
    let again = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(again.origins().version(), version);
}

#[test]
fn two_stores_on_one_file_come_to_rest() {
    let folder = Folder::new();
    folder.write(BY_HAND);
    let stores = [(); 2].map(|()| EmbeddedStore::open(folder.path()).unwrap());
    block_on(stores[0].create(cors("https://a.example"), admin())).unwrap();
    for store in [&stores[1], &stores[0]] {
        store.reload().unwrap();
    }
    let before = (
        fs::read_to_string(folder.path()).unwrap(),
        modified(&folder.path()),
    );
    for store in stores.iter().chain(&stores) {
        assert!(!store.reload().unwrap());
        assert!(store.origins().is_trusted(&origin("https://a.example")));
        assert_eq!(store.origins().version(), stores[0].origins().version());
    }
    let after = (
        fs::read_to_string(folder.path()).unwrap(),
        modified(&folder.path()),
    );
    assert_eq!(after, before);
    let files: Vec<_> = fs::read_dir(folder.0.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing is left beside the file: {files:?}");
}

/// How deployments and Kubernetes put another file in place.
#[cfg(unix)]
#[test]
fn a_link_that_is_turned_is_followed() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new();
    let link = folder.path();
    let turn_to = |target: &str| {
        let new = link.with_extension("link");
        symlink(target, &new).unwrap();
        fs::rename(&new, &link).unwrap();
    };
    let release = |number: u32, text: &str| {
        let release = folder.0.path().join(format!("release-{number}"));
        fs::create_dir(&release).unwrap();
        fs::write(release.join("origins.json"), text).unwrap();
    };
    release(1, BY_HAND);
    release(2, &BY_HAND.replace("shop.example", "store.example"));
    // In two steps, as a ConfigMap has it.
    let current = folder.0.path().join("current");
    symlink("release-1", &current).unwrap();
    turn_to("current/origins.json");
    let store = EmbeddedStore::open(&link).unwrap();
    assert!(store.origins().is_trusted(&origin("https://shop.example")));
    let new = folder.0.path().join("new");
    symlink("release-2", &new).unwrap();
    fs::rename(&new, &current).unwrap();
    assert!(store.reload().unwrap());
    assert!(!store.origins().is_trusted(&origin("https://shop.example")));
    assert!(store.origins().is_trusted(&origin("https://store.example")));

    // An edit goes to the file that the link leads to now, and the others stay as they are.
    turn_to("release-1/origins.json");
    block_on(store.create(cors("https://a.example"), admin())).unwrap();
    assert!(store.origins().is_trusted(&origin("https://shop.example")));
    let read = |release: &str| {
        fs::read_to_string(folder.0.path().join(release).join("origins.json")).unwrap()
    };
    assert!(read("release-1").contains("https://a.example"));
    assert!(!read("release-2").contains("https://a.example"));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());

    // The last entries are served, the error is reported, and the link is not overwritten.
    turn_to("release-3/origins.json");
    assert!(matches!(store.reload(), Err(FileError::Io { .. })));
    assert!(store.refusal().is_some());
    assert!(store.origins().is_trusted(&origin("https://a.example")));
    let edit = block_on(store.create(cors("https://b.example"), admin()));
    assert!(matches!(edit, Err(StoreError::Unavailable(_))), "{edit:?}");
    assert!(EmbeddedStore::open(&link).is_err());
    release(3, BY_HAND);
    assert!(store.reload().unwrap());
    assert!(!store.origins().is_trusted(&origin("https://a.example")));
}

/// Reading them would wait for ever, or never come to an end.
#[cfg(unix)]
#[test]
fn only_a_regular_file_is_read() {
    let folder = Folder::new();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    block_on(store.create(cors("https://a.example"), admin())).unwrap();
    fs::remove_file(folder.path()).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path())
        .status();
    assert!(made.unwrap().success());
    let directory = folder.0.path().to_owned();
    let (sender, receiver) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let edit = block_on(store.create(cors("https://b.example"), admin()));
        let others = [directory.as_path(), Path::new("/dev/zero")];
        let others = others.map(|path| EmbeddedStore::open(path).map(drop));
        sender.send((store.reload(), edit, others)).unwrap();
    });
    let seen = receiver.recv_timeout(Duration::from_secs(10));
    let (reload, edit, others) = seen.expect("none of them waits");
    for refused in [reload.map(drop)].into_iter().chain(others) {
        assert!(
            matches!(refused, Err(FileError::NotRegular { .. })),
            "{refused:?}"
        );
    }
    assert!(matches!(edit, Err(StoreError::Unavailable(_))), "{edit:?}");
}

/// A store without entries in its place would be one that forgets them with its first edit.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_reached_is_not_taken_for_one_that_is_missing() {
    let folder = Folder::new();
    folder.write(BY_HAND);
    // A file is where the folder should be.
    let error = EmbeddedStore::open(folder.path().join("origins.json")).unwrap_err();
    assert!(matches!(error, FileError::Io { .. }), "{error}");
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    let folder = Folder::new();
    folder.write(&format!("\u{feff}{BY_HAND}"));
    let store = EmbeddedStore::open(folder.path()).unwrap();
    assert!(store.origins().is_trusted(&origin("https://shop.example")));
}
