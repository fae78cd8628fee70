//! A disk that takes no more: a process of its own whose files may not grow beyond some kilobytes,
//! which a write notices in the same way.

use std::{
    env, fs,
    process::{Command, Stdio},
};

use tower_cors::trusted::store::{EmbeddedStore, OriginStore, StoreError};

use super::{admin, block_on, cors, entries, origin};

/// Says which of the two processes it is.
const IS_FULL: &str = "TEST_DISK_IS_FULL";

#[test]
fn an_edit_that_does_not_fit_on_the_disk_is_refused_and_leaves_the_file_whole() {
    if env::var_os(IS_FULL).is_some() {
        edits_until_the_disk_is_full();
        return;
    }
    // A write beyond the limit fails, instead of ending the process.
    let limited = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
    let name =
        "full_disk::an_edit_that_does_not_fit_on_the_disk_is_refused_and_leaves_the_file_whole";
    let output = Command::new("sh")
        .args(["-c", limited])
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(IS_FULL, "yes")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("edits were refused: 3"), "{said}");
}

#[allow(clippy::print_stdout, reason = "the other process reads it")]
fn edits_until_the_disk_is_full() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("origins.json");
    let store = EmbeddedStore::open(&path).unwrap();
    let page = |number: usize| format!("https://page-{number}.example");
    let mut count = 0;
    let refusal = loop {
        match block_on(store.create(cors(&page(count)), admin())) {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
        assert!(count < 1_000, "the disk is never full");
    };
    let mut refused = vec![refusal];
    let kept = entries(store.origins());
    for _ in 0..2 {
        refused.push(block_on(store.create(cors(&page(count)), admin())).unwrap_err());
    }
    for refusal in &refused {
        assert!(matches!(refusal, StoreError::Unavailable(_)), "{refusal:?}");
    }

    // What was acknowledged is served, and stands in the file; what was refused does neither.
    let compare = |expected: usize| {
        let again = EmbeddedStore::open(&path).unwrap();
        assert_eq!(entries(again.origins()), entries(store.origins()));
        assert_eq!(again.origins().len(), expected);
        assert_eq!(again.origins().version(), store.origins().version());
    };
    assert_eq!(entries(store.origins()), kept);
    assert!(!store.origins().is_trusted(&origin(&page(count))));
    compare(count);
    // No part of a refused edit takes room.
    let files: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
    assert_eq!(files.len(), 1, "{files:?}");

    // What makes room is taken, and then there is room again.
    for entry in &kept[..2] {
        block_on(store.delete(entry.id(), None, admin())).unwrap();
    }
    block_on(store.create(cors(&page(count)), admin())).unwrap();
    compare(count - 1);
    println!("edits were refused: {}", refused.len());
}
