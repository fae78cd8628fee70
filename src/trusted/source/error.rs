use std::{error::Error, fmt, sync::Arc};

use crate::debug_as_display::debug_as_display;

/// Why a source cannot be read for now. Keep secrets out of it: it is shown to administrators.
#[derive(Clone)]
pub struct SourceError(Arc<str>);

impl SourceError {
    /// An error with this text.
    pub fn new(text: impl fmt::Display) -> Self {
        Self(text.to_string().into())
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for SourceError {}

debug_as_display!(SourceError);
