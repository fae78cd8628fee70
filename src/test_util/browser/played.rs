use std::fmt;

use http::Response;

use super::{engine::Engine, exchange::Exchange};
use crate::test_util::{Failure, Outcome};

/// What came of a [`PageRequest`](super::PageRequest): how it ended for the page, and every exchange
/// on the way.
///
/// The methods that begin with `expect` panic where it ended otherwise. Their text has the whole
/// exchange, with what the browser has against the answer, and the layer's [`Denial`] where it
/// [records denials]. So has the `Display` of this type.
///
/// [`Denial`]: crate::Denial
/// [records denials]: crate::CorsLayerBuilder::record_denials
#[must_use = "it says how the request has ended"]
pub struct Played<B> {
    /// Such as `a page of https://app.example`.
    pub(super) page: String,
    pub(super) engine: Engine,
    pub(super) outcome: Outcome<B>,
    pub(super) exchanges: Vec<Exchange>,
}

impl<B> Played<B> {
    /// How it ended for the page.
    pub fn outcome(&self) -> &Outcome<B> {
        &self.outcome
    }

    /// How it ended for the page, by value.
    pub fn into_outcome(self) -> Outcome<B> {
        self.outcome
    }

    /// All requests in their order, preflights too, with their answers.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// How many preflights were sent.
    pub fn preflights(&self) -> usize {
        let exchanges = self.exchanges.iter();
        exchanges.filter(|exchange| exchange.is_preflight).count()
    }

    /// Why the page reads nothing, or `None` where it does.
    pub fn failure(&self) -> Option<&Failure> {
        self.outcome.failure()
    }

    /// What the page reads.
    ///
    /// # Panics
    ///
    /// If it reads nothing.
    #[track_caller]
    pub fn expect_readable(self) -> Response<B> {
        let is_readable = matches!(self.outcome, Outcome::Readable(_));
        assert!(is_readable, "the page cannot read the answer\n{self}");
        let Outcome::Readable(response) = self.outcome else {
            unreachable!("asserted before");
        };
        response
    }

    /// Expects that the page reads nothing, at whatever step it is stopped.
    ///
    /// # Panics
    ///
    /// If the page reads the answer.
    #[track_caller]
    pub fn expect_unreadable(self) -> Self {
        let is_readable = matches!(self.outcome, Outcome::Readable(_));
        assert!(!is_readable, "the page reads the answer\n{self}");
        self
    }

    /// Expects that the preflight did not pass, so that the request itself was never sent.
    ///
    /// # Panics
    ///
    /// If there was no preflight, or it passed.
    #[track_caller]
    pub fn expect_preflight_refused(self) -> Self {
        let is_refused = matches!(self.outcome, Outcome::PreflightFailed(..));
        assert!(is_refused, "no preflight was refused\n{self}");
        self
    }

    /// Expects that the request reached the service, and the page cannot read the answer.
    ///
    /// # Panics
    ///
    /// If the page reads the answer, or the request was not sent.
    #[track_caller]
    pub fn expect_blocked(self) -> Self {
        let is_blocked = matches!(self.outcome, Outcome::Blocked(..));
        assert!(is_blocked, "the answer was not blocked\n{self}");
        self
    }

    /// Expects so many preflights.
    ///
    /// # Panics
    ///
    /// If there were more or fewer.
    #[track_caller]
    pub fn expect_preflights(self, count: usize) -> Self {
        let sent = self.preflights();
        assert!(sent == count, "{sent} preflights, not {count}\n{self}");
        self
    }
}

impl<B> fmt::Display for Played<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { page, engine, .. } = self;
        writeln!(f, "{page}, {engine:?}:")?;
        self.exchanges
            .iter()
            .try_for_each(|exchange| exchange.fmt(f))?;
        match &self.outcome {
            Outcome::Readable(_) => f.write_str("  the page reads the answer"),
            Outcome::Opaque(_) => f.write_str("  the answer is there, and no script reads it"),
            Outcome::NotSent(failure) => write!(f, "  not sent: {failure}"),
            Outcome::PreflightFailed(failure, _) => {
                write!(
                    f,
                    "  the preflight did not pass, the request was not sent: {failure}"
                )
            }
            Outcome::Blocked(failure, _) => {
                write!(
                    f,
                    "  the request was sent, its answer is kept from the page: {failure}"
                )
            }
        }
    }
}

impl<B> fmt::Debug for Played<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
