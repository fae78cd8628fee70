use super::{
    error::{EntryError, NameErrorReason},
    scopes::{Scope, Scopes, Status},
};
use crate::origin::{
    OriginErrorKind, OriginPattern, Permitted, crosses_public_suffix, is_loopback_host,
    own_name_instead, parse_in_any_spelling, suggested_origin,
};

/// The longest name of an entry, in characters.
pub(crate) const MAX_NAME_CHARS: usize = 255;

/// The content of an entry as an administrator writes it, checked.
///
/// Every draft is well-formed: the origin is in the grammar of [`OriginPattern`], and is kept in the
/// spelling that browsers send. Only the case of scheme and host, Unicode letters and a default port
/// may be written otherwise, and only with the schemes of the web. Drafts that would put users at risk
/// are refused:
///
/// * credentials for an origin without transport security, unless
///   [`dangerously_allow_insecure`](Self::dangerously_allow_insecure) was called before: those are
///   `http`, `ws` and `ftp`, except on loopback ([Secure Contexts, section 3.1]). Packaged
///   applications (`chrome-extension://…`, `app://…`) are not loaded over a network;
/// * credentials without the scope `CORS`, where they mean nothing;
/// * a range of addresses (`http://192.168.0.0/16:*`), unless the draft was begun with
///   [`dangerously_insecure`](Self::dangerously_insecure);
/// * a wildcard below or above a public suffix, where strangers can register names, together with
///   credentials, or with the scope `REDIRECT` or `IFRAME_EMBED`.
///
/// ```
/// use tower_cors::trusted::entry::{EntryError, OriginDraft, Scope};
///
/// let draft = OriginDraft::new("Shop", "https://*.shop.example", [Scope::Cors])?.allow_credentials(true)?;
/// assert!(draft.allows_credentials());
///
/// let draft = OriginDraft::new("Books", "HTTPS://Bücher.example:443", Scope::Cors)?;
/// assert_eq!(draft.pattern().as_str(), "https://xn--bcher-kva.example");
///
/// let error = OriginDraft::new("Shop", "shop.example", [Scope::Cors]).unwrap_err();
/// assert_eq!(error.field(), "origin");
/// let anybody = OriginDraft::new("Pages", "https://*.github.io", [Scope::Cors])?;
/// assert!(matches!(anybody.allow_credentials(true), Err(EntryError::PublicSuffix { .. })));
/// # Ok::<(), EntryError>(())
/// ```
///
/// [Secure Contexts, section 3.1]: https://www.w3.org/TR/secure-contexts/#is-origin-trustworthy
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it does nothing until it is passed on"]
pub struct OriginDraft {
    name: Box<str>,
    pattern: OriginPattern,
    scopes: Scopes,
    status: Status,
    credentials: bool,
    allows_insecure: bool,
}

impl OriginDraft {
    /// An active entry without credentials.
    ///
    /// # Errors
    ///
    /// A name that is empty, longer than 255 characters, begins or ends with white space, or has a
    /// control character; a malformed origin; a range of addresses, which
    /// [`dangerously_insecure`](Self::dangerously_insecure) takes; no scope; a guard that the type's
    /// documentation lists.
    pub fn new(name: &str, origin: &str, scopes: impl Into<Scopes>) -> Result<Self, EntryError> {
        Self::with_permission(name, origin, scopes.into(), false)
    }

    /// The same with the permission of
    /// [`dangerously_allow_insecure`](Self::dangerously_allow_insecure). The origin may also be a range
    /// of IPv4 addresses, as on a developers' network.
    ///
    /// Anybody in the range, and anybody on the network before it, acts as one of its pages.
    ///
    /// ```
    /// use tower_cors::trusted::entry::{EntryError, OriginDraft, Scope};
    ///
    /// let range = "http://192.168.0.0/16:*";
    /// let draft = OriginDraft::dangerously_insecure("Office", range, Scope::Cors)?;
    /// assert!(draft.pattern().matches(&"http://192.168.7.9:3000".parse().unwrap()));
    /// assert!(!draft.pattern().matches(&"http://192.169.7.9:3000".parse().unwrap()));
    /// assert!(OriginDraft::new("Office", range, Scope::Cors).is_err());
    /// # Ok::<(), EntryError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new), except for ranges.
    pub fn dangerously_insecure(
        name: &str,
        origin: &str,
        scopes: impl Into<Scopes>,
    ) -> Result<Self, EntryError> {
        Self::with_permission(name, origin, scopes.into(), true)
    }

    pub(super) fn with_permission(
        name: &str,
        origin: &str,
        scopes: Scopes,
        allows_insecure: bool,
    ) -> Result<Self, EntryError> {
        if let Some(reason) = name_error(name) {
            return Err(EntryError::Name(reason));
        }
        if origin.trim() == "*" {
            return Err(EntryError::AnyOrigin);
        }
        let permitted = Permitted {
            ranges: allows_insecure,
            ..Permitted::default()
        };
        let pattern = parse_in_any_spelling(origin, permitted).map_err(EntryError::Origin)?;
        if scopes.is_empty() {
            return Err(EntryError::NoScope);
        }
        Self {
            name: name.into(),
            pattern,
            scopes,
            status: Status::Active,
            credentials: false,
            allows_insecure,
        }
        .checked()
    }

    /// Sets whether pages of the origin may send cookies.
    ///
    /// # Errors
    ///
    /// A guard that the type's documentation lists.
    pub fn allow_credentials(mut self, allowed: bool) -> Result<Self, EntryError> {
        self.credentials = allowed;
        self.checked()
    }

    /// Permits credentials for this entry although its origin has no transport security, as for a
    /// developer's machine in an internal network. Call it before
    /// [`allow_credentials`](Self::allow_credentials).
    ///
    /// Somebody who controls the network between that machine and a browser can then act as its users.
    /// The permission is one entry's: other origins without transport security stay refused. With
    /// `false`, the credentials of such an entry go too.
    ///
    /// ```
    /// use tower_cors::trusted::entry::{OriginDraft, Scope};
    ///
    /// let draft = OriginDraft::new("Ann's machine", "http://192.168.0.17:3000", Scope::Cors)?;
    /// assert!(draft.clone().allow_credentials(true).is_err());
    /// assert!(draft.dangerously_allow_insecure(true)?.allow_credentials(true).is_ok());
    /// # Ok::<(), tower_cors::trusted::entry::EntryError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// `false`, where the origin is a range of addresses: it needs the permission.
    pub fn dangerously_allow_insecure(mut self, allowed: bool) -> Result<Self, EntryError> {
        self.allows_insecure = allowed;
        self.credentials &= allowed || !is_insecure(&self.pattern);
        self.checked()
    }

    /// Sets whether the entry counts.
    pub fn with_status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The origin, or the family of origins.
    pub fn pattern(&self) -> &OriginPattern {
        &self.pattern
    }

    /// The permissions of the origin while the entry is active.
    pub fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// Whether the entry counts.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether pages of the origin may send cookies.
    pub fn allows_credentials(&self) -> bool {
        self.credentials
    }

    /// Whether credentials are permitted although the origin has no transport security.
    pub fn allows_insecure(&self) -> bool {
        self.allows_insecure
    }

    fn checked(self) -> Result<Self, EntryError> {
        if !self.allows_insecure && self.pattern.is_range() {
            return Err(EntryError::Origin(OriginErrorKind::AddressRange.into()));
        }
        if self.credentials && !self.scopes.contains(Scope::Cors) {
            return Err(EntryError::CredentialsWithoutCors);
        }
        let pattern = &self.pattern;
        let lacks_security = self.credentials && !self.allows_insecure && is_insecure(pattern);
        let gives_power = self.credentials
            || self.scopes.contains(Scope::Redirect)
            || self.scopes.contains(Scope::IframeEmbed);
        if gives_power && pattern.host() == "*" {
            return Err(EntryError::AnyHost {
                value: pattern.as_str().to_owned(),
            });
        }
        if let Some(base) = wildcard_base(pattern)
            && gives_power
            && crosses_public_suffix(base)
        {
            let instead = own_name_instead(&with_whole_label(pattern, base), base);
            return Err(EntryError::PublicSuffix {
                value: pattern.as_str().to_owned(),
                suffix: base.to_owned(),
                // The proposal has none of the two mistakes.
                instead: if lacks_security {
                    secure_counterpart(&instead).unwrap_or(instead)
                } else {
                    instead
                },
            });
        }
        if lacks_security {
            return Err(EntryError::InsecureOrigin {
                value: pattern.as_str().to_owned(),
                instead: secure_counterpart(pattern.as_str()),
            });
        }
        Ok(self)
    }
}

/// The domain below which names match that strangers may register, if the pattern has a wildcard in
/// its host. A fixed part beside the wildcard does not help: below a public suffix, anybody can
/// register a name with the same beginning and end.
fn wildcard_base(pattern: &OriginPattern) -> Option<&str> {
    let host = pattern.host();
    if pattern.has_subdomains() {
        Some(host)
    } else if host.contains('*') {
        host.split_once('.').map(|(_, base)| base)
    } else {
        None
    }
}

/// The pattern with `*.` before the base.
fn with_whole_label(pattern: &OriginPattern, base: &str) -> String {
    let text = pattern.as_str();
    let behind = text.find(base).map_or("", |at| &text[at..]);
    format!("{}://*.{behind}", pattern.scheme())
}

/// Whether an attacker on the network path can alter the pages of the origin.
fn is_insecure(pattern: &OriginPattern) -> bool {
    matches!(pattern.scheme(), "http" | "ws" | "ftp") && !is_loopback_host(pattern.host())
}

/// The same origin with transport security, for the scheme that has such a counterpart: pages have
/// origins with `http`, not with `ws`, and nothing is served by `ftp` and `https` alike.
fn secure_counterpart(text: &str) -> Option<String> {
    let secure = format!("https://{}", text.strip_prefix("http://")?);
    // The port may be the default one now.
    Some(suggested_origin(&secure).unwrap_or(secure))
}

/// The mistake in a name of an entry or of an actor, if there is one.
pub(crate) fn name_error(name: &str) -> Option<NameErrorReason> {
    if name.is_empty() {
        return Some(NameErrorReason::Empty);
    }
    // Counting stops where the answer is known.
    if name.chars().nth(MAX_NAME_CHARS).is_some() {
        return Some(NameErrorReason::TooLong);
    }
    if name.trim() != name {
        return Some(NameErrorReason::Space);
    }
    name.contains(char::is_control)
        .then_some(NameErrorReason::Control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(origin: &str, scopes: impl Into<Scopes>) -> Result<OriginDraft, EntryError> {
        OriginDraft::new("name", origin, scopes)
    }

    #[test]
    fn credentials_go_with_the_permission_that_they_depend_on() {
        let draft = |origin: &str| {
            let draft = OriginDraft::new("a name", origin, Scope::Cors).unwrap();
            let draft = draft.dangerously_allow_insecure(true).unwrap();
            draft.allow_credentials(true).unwrap()
        };
        for (origin, stays) in [
            ("http://192.168.0.17:3000", false),
            ("https://app.example", true),
            ("http://localhost:3000", true),
        ] {
            let draft = draft(origin).dangerously_allow_insecure(false).unwrap();
            assert_eq!(draft.allows_credentials(), stays, "{origin}");
            assert!(draft.checked().is_ok(), "{origin}");
        }
    }

    #[test]
    fn an_origin_is_kept_as_browsers_send_it() {
        for (text, expected) in [
            ("https://SHOP.example", "https://shop.example"),
            ("HTTPS://Shop.example:443", "https://shop.example"),
            ("https://Bücher.example", "https://xn--bcher-kva.example"),
            ("https://*.SHOP.example:443", "https://*.shop.example"),
            ("app://Shop", "app://Shop"),
        ] {
            let draft = draft(text, Scope::Cors).unwrap();
            assert_eq!(draft.pattern().as_str(), expected, "{text}");
        }
        // The guards see what is kept.
        for insecure in ["HTTP://a.example", "http://A.example:80"] {
            let error = draft(insecure, Scope::Cors)
                .unwrap()
                .allow_credentials(true);
            assert!(
                matches!(error, Err(EntryError::InsecureOrigin { .. })),
                "{insecure}"
            );
        }
        let pages = draft("https://*.GitHub.io:443", Scope::Redirect);
        assert!(matches!(pages, Err(EntryError::PublicSuffix { .. })));
        // The text says what is wrong beside the case.
        let error = draft("https://SHOP.example/", Scope::Cors).unwrap_err();
        assert_eq!(
            error.to_string(),
            "origin: an origin has no path, not even a trailing slash: write \"https://shop.example\""
        );
    }

    #[test]
    fn names() {
        use NameErrorReason as R;
        for (name, reason) in [
            ("", R::Empty),
            (" a", R::Space),
            ("a\n", R::Space),
            ("a\u{0}b", R::Control),
        ] {
            let error = OriginDraft::new(name, "https://a.example", Scope::Cors);
            assert_eq!(error, Err(EntryError::Name(reason)), "{name:?}");
        }
        let longest = "ü".repeat(255);
        assert!(OriginDraft::new(&longest, "https://a.example", Scope::Cors).is_ok());
        let longer = "ü".repeat(256);
        let error = OriginDraft::new(&longer, "https://a.example", Scope::Cors);
        assert_eq!(error, Err(EntryError::Name(R::TooLong)));
    }

    #[test]
    fn credentials_need_transport_security_and_names_that_strangers_cannot_have() {
        for fine in [
            "https://a.example",
            "http://localhost:*",
            "https://*.a.example",
        ] {
            assert!(
                draft(fine, Scope::Cors)
                    .unwrap()
                    .allow_credentials(true)
                    .is_ok(),
                "{fine}"
            );
        }
        let refused = |text| draft(text, Scope::Cors).unwrap().allow_credentials(true);
        assert!(matches!(
            refused("http://a.example"),
            Err(EntryError::InsecureOrigin { instead: Some(instead), .. })
                if instead == "https://a.example"
        ));
        let error = refused("http://192.168.0.1:3000").unwrap_err();
        assert_eq!(
            error.to_string(),
            "origin: \"http://192.168.0.1:3000\": somebody who controls the network controls this \
             origin, and would get the credentials: write \"https://192.168.0.1:3000\", leave out \
             credentials, or set dangerously_allow_insecure for this entry"
        );
        assert!(matches!(
            refused("https://*.co.uk"),
            Err(EntryError::PublicSuffix { suffix, instead, .. })
                if suffix == "co.uk" && instead == "https://*.your-domain.co.uk"
        ));
        assert!(matches!(
            refused("https://*.vercel.app"),
            Err(EntryError::PublicSuffix { instead, .. }) if instead == "https://your-name.vercel.app"
        ));
        let error = draft("https://a.example", Scope::Redirect)
            .unwrap()
            .allow_credentials(true);
        assert_eq!(error, Err(EntryError::CredentialsWithoutCors));
    }

    #[test]
    fn packaged_applications_are_not_loaded_over_a_network() {
        for origin in [
            "chrome-extension://gkojfkhlekighikafcpjkiklfbnlmeio",
            "t3code://app",
            "tauri://localhost",
        ] {
            let draft = draft(origin, Scope::Cors).unwrap();
            assert!(draft.allow_credentials(true).is_ok(), "{origin}");
        }
    }

    #[test]
    fn one_entry_can_be_permitted_to_be_insecure() {
        let ann = draft("http://192.168.0.17:3000", Scope::Cors).unwrap();
        assert!(ann.clone().allow_credentials(true).is_err());
        let ann = ann.dangerously_allow_insecure(true).unwrap();
        let ann = ann.allow_credentials(true);
        assert!(ann.unwrap().allows_credentials());
        // The permission covers plain http only; public suffixes stay refused.
        let anybody = draft("http://*.github.io", Scope::Cors).unwrap();
        let anybody = anybody
            .dangerously_allow_insecure(true)
            .unwrap()
            .allow_credentials(true);
        assert!(matches!(anybody, Err(EntryError::PublicSuffix { .. })));
    }

    #[test]
    fn a_range_of_addresses_needs_the_permission_of_its_entry() {
        for range in [
            "http://192.168.0.0/16:*",
            "HTTP://10.0.0.0/8",
            "https://172.16.0.0/12",
        ] {
            let error = draft(range, Scope::Cors).unwrap_err();
            assert_eq!(
                error.to_string(),
                "origin: a range of addresses is only for machines under development, and needs a \
                 permission: set dangerously_allow_insecure for this entry, in code with \
                 OriginDraft::dangerously_insecure"
            );
            let permitted = OriginDraft::dangerously_insecure("name", range, Scope::Cors).unwrap();
            assert!(permitted.allows_insecure());
            let error = permitted.clone().dangerously_allow_insecure(false);
            assert!(matches!(error, Err(EntryError::Origin(_))), "{error:?}");
            assert!(permitted.allow_credentials(true).is_ok());
        }
        let part = draft("http://192.168.*", Scope::Cors).unwrap_err();
        assert_eq!(
            part.to_string(),
            "origin: addresses have no wildcards: write a range, as in \
             \"http://192.168.0.0/16:*\", and set dangerously_allow_insecure for this entry, in code \
             with OriginDraft::dangerously_insecure"
        );
        // The permission is for ranges and for plain http only.
        for refused in [
            "http://192.168.1.0/16",
            "http://192.168.*",
            "https://*",
            "file://",
            "*",
        ] {
            let error = OriginDraft::dangerously_insecure("name", refused, Scope::Cors);
            assert!(error.is_err(), "{refused}");
        }
        let pages =
            OriginDraft::dangerously_insecure("name", "http://*.github.io", Scope::Redirect);
        assert!(matches!(pages, Err(EntryError::PublicSuffix { .. })));
    }

    #[test]
    fn texts_name_no_setting_of_a_layer() {
        for text in [
            "file://",
            "file:///x",
            "http://192.168.*",
            "http://192.168.0.0/16",
            "null",
        ] {
            let error = draft(text, Scope::Cors).unwrap_err().to_string();
            for foreign in ["_file_origin", "_null_origin", "_insecure_origin"] {
                assert!(!error.contains(foreign), "{text}: {error}");
            }
        }
    }

    #[test]
    fn a_fixed_part_beside_a_wildcard_does_not_keep_strangers_out() {
        for (pattern, instead) in [
            ("https://shop-*.github.io", "https://your-name.github.io"),
            (
                "https://*-shop.vercel.app:*",
                "https://your-name.vercel.app:*",
            ),
        ] {
            let draft = draft(pattern, Scope::Cors).unwrap();
            assert!(
                matches!(
                    draft.allow_credentials(true),
                    Err(EntryError::PublicSuffix { instead: proposed, .. }) if proposed == instead
                ),
                "{pattern}"
            );
        }
        let own = draft("https://pr-*.shop.example.com", Scope::Cors).unwrap();
        assert!(own.allow_credentials(true).is_ok());
    }

    #[test]
    fn any_application_of_a_scheme_gets_no_power() {
        let any = draft("moz-extension://*", Scope::Cors).unwrap();
        let error = any.allow_credentials(true).unwrap_err();
        assert!(matches!(error, EntryError::AnyHost { .. }), "{error}");
        assert!(draft("moz-extension://*", Scope::IframeEmbed).is_err());
    }

    /// The origins that an error proposes are accepted as entries.
    #[test]
    fn proposals_can_be_entered() {
        for mistaken in [
            "http://a.example",
            "http://a.example:443",
            "http://a.example:8080",
            "http://*.a.example:*",
            "http://*.github.io",
            "http://*.co.uk",
            "https://*.github.io:8443",
        ] {
            let error = draft(mistaken, Scope::Cors)
                .unwrap()
                .allow_credentials(true);
            let instead = match error.unwrap_err() {
                EntryError::InsecureOrigin { instead, .. } => instead.unwrap(),
                EntryError::PublicSuffix { instead, .. } => instead,
                other => panic!("{mistaken}: {other}"),
            };
            let proposed = draft(&instead, Scope::Cors)
                .unwrap()
                .allow_credentials(true);
            assert!(proposed.is_ok(), "{mistaken}: {instead}");
        }
    }

    #[test]
    fn any_origin_is_no_entry() {
        let error = draft("*", Scope::Cors).unwrap_err();
        assert_eq!(error, EntryError::AnyOrigin);
        assert!(error.to_string().contains("MethodRule::public_any_origin"));
    }

    #[test]
    fn redirects_and_frames_need_names_that_strangers_cannot_have() {
        for scope in [Scope::Redirect, Scope::IframeEmbed] {
            let error = draft("https://*.github.io", scope);
            assert!(
                matches!(error, Err(EntryError::PublicSuffix { .. })),
                "{scope}"
            );
            assert!(draft("https://*.me.github.io", scope).is_ok(), "{scope}");
        }
        assert!(draft("https://*.github.io", Scope::Cors).is_ok());
        assert_eq!(draft("https://a.example", []), Err(EntryError::NoScope));
    }
}
