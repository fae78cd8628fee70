use std::time::{Duration, SystemTime};

use super::{address::Address, cookie_date::parse_date};
use crate::origin::PublicSuffix;

/// A cookie, as a browser keeps it ([RFC 6265bis, section 5.7]).
///
/// [RFC 6265bis, section 5.7]: https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) domain: String,
    pub(super) is_host_only: bool,
    pub(super) path: String,
    pub(super) is_secure: bool,
    pub(super) same_site: SameSite,
    /// `None` for a session cookie.
    pub(super) expires: Option<SystemTime>,
}

/// To which requests of other sites' pages a cookie is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SameSite {
    Strict,
    /// Also what a cookie without the attribute gets, as in Chromium.
    Lax,
    None,
}

/// The longest that a cookie is kept (section 5.5 of the RFC).
const LONGEST: Duration = Duration::from_secs(400 * 24 * 60 * 60);

impl Cookie {
    /// Parses a `Set-Cookie` line of an answer from this address; `None` where the cookie is
    /// dropped.
    pub(super) fn parse(line: &str, from: &Address, now: SystemTime) -> Option<Self> {
        if line
            .bytes()
            .any(|byte| byte.is_ascii_control() && byte != b'\t')
        {
            return None;
        }
        let mut parts = line.split(';').map(|part| part.trim_matches([' ', '\t']));
        let pair = parts.next()?;
        let (name, value) = pair.split_once('=').unwrap_or(("", pair));
        let (name, value) = (name.trim_end(), value.trim_start());
        if (name.is_empty() && value.is_empty()) || name.len() + value.len() > 4096 {
            return None;
        }
        let mut cookie = Self {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: from.host().to_owned(),
            is_host_only: true,
            path: default_path(from),
            is_secure: false,
            same_site: SameSite::Lax,
            expires: None,
        };
        let mut max_age = None;
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim_matches([' ', '\t']);
            match &*attribute.trim_end().to_ascii_lowercase() {
                "domain" => cookie.set_domain(value, from)?,
                "path" if value.starts_with('/') => cookie.path = value.to_owned(),
                "path" => cookie.path = default_path(from),
                "secure" => cookie.is_secure = true,
                "samesite" => cookie.same_site = SameSite::parse(value),
                "max-age" => max_age = parse_max_age(value, now).or(max_age),
                "expires" => cookie.expires = parse_date(value).or(cookie.expires),
                _ => {}
            }
        }
        // `Max-Age` counts more than `Expires`, in whatever order they come.
        cookie.expires = max_age.or(cookie.expires).map(|end| end.min(now + LONGEST));
        cookie.is_acceptable(from).then_some(cookie)
    }

    /// `None` where the cookie is for another domain.
    fn set_domain(&mut self, value: &str, from: &Address) -> Option<()> {
        let domain = value
            .strip_prefix('.')
            .unwrap_or(value)
            .to_ascii_lowercase();
        if domain.is_empty() {
            return Some(());
        }
        // A public suffix's own page can set a cookie for itself alone.
        let is_public_suffix = PublicSuffix::of(&domain).registrable_domain().is_none();
        if domain == from.host() {
            self.is_host_only = is_public_suffix;
            return Some(());
        }
        if is_public_suffix || !is_below(from.host(), &domain) {
            return None;
        }
        self.domain = domain;
        self.is_host_only = false;
        Some(())
    }

    fn is_acceptable(&self, from: &Address) -> bool {
        let name = self.name.to_ascii_lowercase();
        let is_for_host = self.is_host_only && self.path == "/";
        if self.is_secure {
            from.is_trustworthy() && (is_for_host || !name.starts_with("__host-"))
        } else {
            self.same_site != SameSite::None
                && !name.starts_with("__secure-")
                && !name.starts_with("__host-")
        }
    }

    /// Whether it is for requests to this address, whoever makes them.
    pub(super) fn is_for(&self, address: &Address) -> bool {
        let host = address.host();
        let is_host = host == self.domain || (!self.is_host_only && is_below(host, &self.domain));
        let path = address.path_and_query().path();
        let is_path = path.strip_prefix(&*self.path).is_some_and(|rest| {
            rest.is_empty() || rest.starts_with('/') || self.path.ends_with('/')
        });
        is_host && is_path && (!self.is_secure || address.is_trustworthy())
    }

    /// Whether this one takes the place of the other.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        (&self.name, &self.domain, self.is_host_only, &self.path)
            == (&other.name, &other.domain, other.is_host_only, &other.path)
    }
}

impl SameSite {
    fn parse(value: &str) -> Self {
        match &*value.to_ascii_lowercase() {
            "strict" => Self::Strict,
            "none" => Self::None,
            _ => Self::Lax,
        }
    }
}

/// Whether the host is a name below the domain.
fn is_below(host: &str, domain: &str) -> bool {
    let before = host.strip_suffix(domain);
    let is_address = host.starts_with('[') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    before.is_some_and(|before| before.ends_with('.')) && !is_address
}

/// The folder of the path (section 5.1.4 of the RFC).
fn default_path(from: &Address) -> String {
    let path = from.path_and_query().path();
    match path.rfind('/') {
        Some(0) | None => "/".to_owned(),
        Some(slash) => path[..slash].to_owned(),
    }
}

/// The time when it ends; a time that is over where the age is 0 or less.
fn parse_max_age(value: &str, now: SystemTime) -> Option<SystemTime> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = value
        .parse::<i64>()
        .unwrap_or(if digits == value { i64::MAX } else { 0 });
    let age = Duration::from_secs(seconds.max(0).unsigned_abs()).min(LONGEST);
    Some(now + age)
}
