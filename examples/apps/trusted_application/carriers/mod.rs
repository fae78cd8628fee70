//! Carries revocations between replicas, over a server that they share.
//!
//! Each carrier reads what is stored there, follows what comes, and stores what is revoked here. What
//! it stores is never lost: when the connection has ended, it begins anew and exchanges everything
//! again, which changes nothing that is known. Meanwhile each replica heeds its own revocations.
//!
//! Needs `base64`, `serde_json`, `tokio` and `tower-cors`, and the client of the server.

pub(crate) mod nats;
pub(crate) mod postgres;

use std::{
    error::Error,
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tower_cors::revocation::{Revocation, RevocationChanges, Revoked};

/// Why nothing is carried for now, in one line and with all causes: of PostgreSQL's errors the
/// outermost is "db error" and no more.
#[derive(Debug)]
pub(crate) struct CarrierError(String);

impl CarrierError {
    fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl<E: Error> From<E> for CarrierError {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            // Some clients name the cause themselves.
            if !text.contains(&inner_text) {
                text = format!("{text}: {inner_text}");
            }
            cause = inner.source();
        }
        Self(text.replace('\n', "; "))
    }
}

impl fmt::Display for CarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How often it is looked whether something has been revoked here.
pub(crate) const PUSH: Duration = Duration::from_millis(100);
/// How long the server has for an answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(5);
/// How long after a failure everything begins anew.
pub(crate) const RETRY: Duration = Duration::from_secs(1);

/// One row or key.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) kind: &'static str,
    /// In base64url: ids may have any characters, the servers' texts and keys not.
    pub(crate) id: String,
    /// In seconds since the epoch, as the next one.
    pub(crate) since: i64,
    pub(crate) until: i64,
}

const TOKEN: &str = "token";
const SESSION: &str = "session";
/// Everything that was issued until then.
const ISSUED_UNTIL: &str = "issued_until";

impl Stored {
    /// What is to be stored of the changes, after those whose time was `issued_until`.
    pub(crate) fn all_of(
        changes: &RevocationChanges,
        issued_until: Option<SystemTime>,
    ) -> Vec<Self> {
        let mut all: Vec<_> = changes.revocations.iter().filter_map(Self::of).collect();
        let new = changes
            .issued_until
            .filter(|_| changes.issued_until != issued_until);
        all.extend(new.map(|time| Self {
            kind: ISSUED_UNTIL,
            id: String::new(),
            since: seconds(time),
            until: seconds(time),
        }));
        all
    }

    fn of(revocation: &Revocation) -> Option<Self> {
        let (kind, id) = match &revocation.revoked {
            Revoked::Token(id) => (TOKEN, id),
            Revoked::Session(id) => (SESSION, id),
            _ => return None,
        };
        let until = seconds(revocation.until);
        Some(Self {
            kind,
            id: URL_SAFE_NO_PAD.encode(&**id),
            since: revocation.since.map_or(until, seconds),
            until,
        })
    }

    pub(crate) fn from_parts(kind: &str, id: &str, since: i64, until: i64) -> Option<Self> {
        let kind = [TOKEN, SESSION, ISSUED_UNTIL]
            .into_iter()
            .find(|known| *known == kind)?;
        let id = id.to_owned();
        Some(Self {
            kind,
            id,
            since,
            until,
        })
    }

    pub(crate) fn to_json(&self) -> String {
        let Self {
            kind,
            id,
            since,
            until,
        } = self;
        json!({ "kind": kind, "id": id, "since": since, "until": until }).to_string()
    }

    /// `None` for what a newer version has written.
    pub(crate) fn from_json(json: &[u8]) -> Option<Self> {
        let json: Value = serde_json::from_slice(json).ok()?;
        Self::from_parts(
            json["kind"].as_str()?,
            json["id"].as_str()?,
            json["since"].as_i64()?,
            json["until"].as_i64()?,
        )
    }
}

/// The changes that a replica has to take over.
pub(crate) fn changes(stored: impl IntoIterator<Item = Stored>) -> RevocationChanges {
    let mut issued_until = None;
    let mut revocations = Vec::new();
    for Stored {
        kind,
        id,
        since,
        until,
    } in stored
    {
        if kind == ISSUED_UNTIL {
            issued_until = issued_until.max(Some(time(until)));
            continue;
        }
        let id = URL_SAFE_NO_PAD
            .decode(id)
            .ok()
            .and_then(|id| String::from_utf8(id).ok());
        let Some(id) = id else { continue };
        let revoked = if kind == TOKEN {
            Revoked::Token(id.into())
        } else {
            Revoked::Session(id.into())
        };
        revocations.push(Revocation::new(revoked, time(since), time(until)));
    }
    RevocationChanges::from_store(revocations, issued_until)
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs().min(1 << 40))
}
