//! Many entries, and many edits while requests are judged. The figures are printed:
//! `cargo test --release --features trusted --test registry_scale -- --ignored --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and its figures are for the reader"
)]

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tower_cors::{
    Origin,
    trusted::{
        entry::{EntryId, OriginRecord, Scope, Status, TrustedOrigin, Version},
        registry::OriginRegistry,
        source::{Change, SourceSnapshot},
        store::{EmbeddedStore, EntryEdit, RegistryWriter},
    },
};

fn text(i: u64) -> String {
    format!("https://app-{i:07}.example.com")
}

fn record(i: u64) -> OriginRecord {
    let mut record = OriginRecord::new(&format!("{i:016x}"), &format!("Application {i}"), &text(i));
    record.version = i;
    record.scopes = vec!["CORS".to_owned()];
    record.created = "2026-11-21T12:00:00Z".to_owned();
    record.last_updated.clone_from(&record.created);
    record.created_by = "admin@example.com".to_owned();
    record.last_updated_by.clone_from(&record.created_by);
    record
}

/// Resident memory in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kib.unwrap_or(0_u64) * 1024
}

fn loaded(count: u64) -> OriginRegistry {
    let origins = OriginRegistry::new();
    let (before, begun) = (resident(), Instant::now());
    let mut load = SourceSnapshot::new();
    for i in 1..=count {
        load.push(record(i));
    }
    let checked = begun.elapsed();
    RegistryWriter::new(&origins)
        .load(load, Version::new(count))
        .unwrap();
    let bytes = resident().saturating_sub(before) / count;
    println!(
        "{count} entries: {bytes} bytes each, loaded in {:?}, of which {checked:?} for checking",
        begun.elapsed()
    );
    origins
}

/// Switches the odd entries off and on at this rate, until told to stop. Returns how many edits.
fn edit(origins: &OriginRegistry, count: u64, per_second: u64, stop: &AtomicBool) -> u64 {
    let writer = RegistryWriter::new(origins);
    let begun = Instant::now();
    let mut edits = 0;
    while !stop.load(Ordering::Relaxed) {
        let due = begun.elapsed().as_millis() as u64 * per_second / 1000;
        if edits >= due {
            thread::sleep(Duration::from_micros(200));
            continue;
        }
        edits += 1;
        let id = EntryId::from_number(1 + 2 * (edits.wrapping_mul(7919) % (count / 2))).unwrap();
        let entry = origins.entry(id).unwrap();
        let status = match entry.status() {
            Status::Active => Status::Inactive,
            Status::Inactive => Status::Active,
        };
        let draft = entry.draft().clone().with_status(status);
        let version = origins.version().next();
        let by = entry.last_updated_by().clone();
        let edit = EntryEdit::new(by, std::time::SystemTime::now(), version);
        let row = Arc::new(edit.replace(&entry, draft)).into();
        let at = version.into();
        assert!(writer.apply(Change::Put { at, row }));
    }
    edits
}

/// Lookups per second, and edits per second, during this time.
fn measure(origins: &OriginRegistry, count: u64, per_second: u64, time: Duration) -> (u64, u64) {
    // Even entries are never edited.
    let pages: Vec<Origin> = (0..10_000)
        .map(|i: u64| {
            text(2 + 2 * (i.wrapping_mul(104_729) % (count / 2 - 1)))
                .parse()
                .unwrap()
        })
        .collect();
    let strangers: Vec<Origin> = (0..1000)
        .map(|i| format!("https://evil-{i:06}.example.com").parse().unwrap())
        .collect();
    let stop = AtomicBool::new(false);
    let lookups = AtomicU64::new(0);
    let edits = thread::scope(|scope| {
        let editor = scope.spawn(|| edit(origins, count, per_second, &stop));
        let begun = Instant::now();
        while begun.elapsed() < time {
            for (page, stranger) in pages.iter().zip(strangers.iter().cycle()) {
                assert!(origins.is_trusted(page), "{page}");
                assert!(!origins.is_trusted(stranger), "{stranger}");
            }
            lookups.fetch_add(2 * pages.len() as u64, Ordering::Relaxed);
        }
        stop.store(true, Ordering::Relaxed);
        editor.join().unwrap()
    });
    let per_second = |n: u64| n * 1000 / time.as_millis() as u64;
    (per_second(lookups.into_inner()), per_second(edits))
}

fn play(count: u64, time: Duration) {
    let origins = loaded(count);
    assert_eq!(origins.len() as u64, count);
    let (calm, _) = measure(&origins, count, 0, time);
    let (busy, edits) = measure(&origins, count, 1000, time);
    println!("{calm} lookups a second without edits, {busy} with {edits} edits a second");
    assert!(edits > 0);
    let mut took: Vec<Duration> = Vec::new();
    let writer = RegistryWriter::new(&origins);
    for i in 0..1000 {
        let id = EntryId::from_number(1 + i % count).unwrap();
        let entry = origins.entry(id).unwrap();
        let at = origins.version().next().into();
        let begun = Instant::now();
        assert!(writer.apply(Change::Delete { at, id, by: None }));
        assert!(!origins.is_trusted(&entry.pattern().to_origin().unwrap()));
        took.push(begun.elapsed());
    }
    took.sort();
    println!(
        "an edit is served after {:?} (median), {:?} (worst of 1000)",
        took[500], took[999]
    );
}

#[test]
fn lookups_allocate_nothing() {
    let origins = loaded(1_000);
    let origin = |text: &str| -> Origin { text.parse().unwrap() };
    let (known, unknown) = (origin(&text(7)), origin("https://evil.example"));
    let counted = allocation_counter::measure(|| {
        assert!(origins.is_trusted(&known));
        assert!(!origins.is_trusted(&unknown));
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn a_hundred_thousand_entries_while_edits_arrive() {
    play(100_000, Duration::from_millis(500));
}

#[test]
#[ignore = "takes memory and time: run it for its figures, with --release"]
fn a_million_entries_while_edits_arrive() {
    play(1_000_000, Duration::from_secs(5));
}

#[test]
fn a_large_file_is_loaded_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("origins.json");
    let records: Vec<OriginRecord> = (1..=100_000).map(record).collect();
    let text = serde_json::json!({ "version": 100_000, "entries": records });
    fs::write(&path, text.to_string()).unwrap();
    let begun = Instant::now();
    let store = EmbeddedStore::open(&path).unwrap();
    println!("100000 entries of a file: {:?}", begun.elapsed());
    assert_eq!(store.origins().len(), 100_000);
    let all: Vec<Arc<TrustedOrigin>> = store.origins().list(None, usize::MAX, |_| true);
    let expected = records.iter().map(|record| record.check().unwrap());
    assert!(all.iter().map(|entry| (**entry).clone()).eq(expected));
    assert!(all.iter().all(|entry| entry.scopes().contains(Scope::Cors)));
}
