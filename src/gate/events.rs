use std::fmt;

use http::Method;
use tracing::{Level, field};

use crate::{escaped::Quoted, layer::Limiter, protocol::TARGET};

/// A refused request, for the log. What comes from the client is escaped and truncated.
pub(crate) struct Refused<'a> {
    pub(crate) kind: &'a dyn fmt::Debug,
    /// The number of the kind, for the limit of events.
    pub(crate) number: usize,
    pub(crate) text: &'a dyn fmt::Display,
    pub(crate) method: &'a Method,
    pub(crate) path: Option<&'a str>,
    pub(crate) host: Option<&'a [u8]>,
    pub(crate) origin: Option<&'a [u8]>,
    pub(crate) site: Option<&'a [u8]>,
    pub(crate) mode: Option<&'a [u8]>,
}

/// Logs the refusal at `INFO`, as those of the CORS layer, unless there have been too many of its
/// kind in this second.
pub(crate) fn emit(refused: &Refused<'_>, limiter: &Limiter) {
    // Do not use up the limit for events that no subscriber receives.
    if !tracing::enabled!(target: TARGET, Level::INFO) {
        return;
    }
    let Some(untold) = limiter.admit_nth(refused.number) else {
        return;
    };
    let quoted = |bytes: Option<&'_ [u8]>| bytes.map(|bytes| Quoted(bytes).to_string());
    let (host, origin) = (quoted(refused.host), quoted(refused.origin));
    let (site, mode) = (quoted(refused.site), quoted(refused.mode));
    tracing::event!(
        target: TARGET,
        Level::INFO,
        kind = ?refused.kind,
        host = host.map(field::display),
        origin = origin.map(field::display),
        site = site.map(field::display),
        mode = mode.map(field::display),
        method = ?Quoted(refused.method.as_str().as_bytes()),
        path = refused.path.map(|path| field::debug(Quoted(path.as_bytes()))),
        untold = (untold > 0).then_some(untold),
        "request refused: {}",
        refused.text,
    );
}
