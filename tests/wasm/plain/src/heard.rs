//! A subscriber that counts what it hears.

use std::{
    fmt::{Debug, Write},
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::Failure;

/// The number of events and the text of the last one.
pub(crate) fn during(work: impl FnOnce() -> Result<(), Failure>) -> Result<(usize, String), Failure> {
    let heard = Arc::new(Mutex::new((0, String::new())));
    tracing::subscriber::with_default(Counting(Arc::clone(&heard)), work)?;
    let heard = heard.lock().map_err(|error| error.to_string())?;
    Ok(heard.clone())
}

struct Counting(Arc<Mutex<(usize, String)>>);

impl Subscriber for Counting {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        let mut heard = self.0.lock().expect("no event panics");
        *heard = (heard.0 + 1, text.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").expect("a string takes everything");
    }
}
