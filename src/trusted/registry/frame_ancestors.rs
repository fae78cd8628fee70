use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use crate::trusted::entry::{EntryId, TrustedOrigin};

/// The entries whose pages may show the service, and their spelling for `frame-ancestors`, which
/// is written at the first request for it.
#[derive(Default)]
pub(crate) struct FrameAncestors {
    entries: BTreeMap<EntryId, Arc<TrustedOrigin>>,
    sources: OnceLock<Arc<str>>,
}

impl FrameAncestors {
    pub(crate) fn insert(&mut self, entry: &Arc<TrustedOrigin>) {
        self.entries.insert(entry.id(), Arc::clone(entry));
        self.sources = OnceLock::new();
    }

    pub(crate) fn remove(&mut self, entry: &TrustedOrigin) {
        self.entries.remove(&entry.id());
        self.sources = OnceLock::new();
    }

    pub(crate) fn sources(&self) -> Arc<str> {
        Arc::clone(self.sources.get_or_init(|| self.write()))
    }

    fn write(&self) -> Arc<str> {
        let patterns = self.entries.values().map(|entry| entry.pattern());
        let sources: Vec<&str> = patterns
            .filter(|pattern| is_host_part(pattern.host()))
            .map(|pattern| pattern.as_str())
            .collect();
        if sources.is_empty() {
            "'none'".into()
        } else {
            sources.join(" ").into()
        }
    }
}

/// An edit starts from the entries; the text is written anew.
impl Clone for FrameAncestors {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            sources: OnceLock::new(),
        }
    }
}

/// <https://www.w3.org/TR/CSP3/#grammardef-host-part>, in which a pattern's wildcards are spelt as
/// in the pattern.
fn is_host_part(host: &str) -> bool {
    host.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}
