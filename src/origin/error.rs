use std::fmt;

use crate::debug_as_display::debug_as_display;

/// Why a text is not an origin, or not an origin pattern.
///
/// ```
/// use tower_cors::origin::{OriginErrorKind, OriginPattern};
///
/// let error = "https://Example.com/".parse::<OriginPattern>().unwrap_err();
/// assert_eq!(error.kind(), OriginErrorKind::UpperCase);
/// assert_eq!(error.suggestion(), Some("https://example.com"));
///
/// assert!("https://example.com".parse::<OriginPattern>().is_ok());
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", kind, Instead(suggestion.as_deref()))]
pub struct OriginError {
    kind: OriginErrorKind,
    suggestion: Option<String>,
}

impl OriginError {
    /// What is wrong.
    pub fn kind(&self) -> OriginErrorKind {
        self.kind
    }

    /// What was probably meant, in the spelling of browsers.
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }

    pub(super) fn with_suggestion(kind: OriginErrorKind, suggestion: Option<String>) -> Self {
        Self { kind, suggestion }
    }
}

debug_as_display!(OriginError);

impl From<OriginErrorKind> for OriginError {
    fn from(kind: OriginErrorKind) -> Self {
        Self {
            kind,
            suggestion: None,
        }
    }
}

/// What is wrong with an origin or an origin pattern.
///
/// The texts name no permission that would let it in: that depends on where the origin is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum OriginErrorKind {
    /// There is nothing.
    #[error("the entry is empty: remove it; a list without entries allows nobody")]
    Empty,
    /// There is no `scheme://`, or the scheme has a character that no scheme has.
    #[error("an origin begins with a scheme and ://")]
    Scheme,
    /// Upper case, where browsers send lower case.
    #[error("browsers send origins in lower case")]
    UpperCase,
    /// White space or a control character.
    #[error("an origin has no white space or control character")]
    Space,
    /// A host that is not written in ASCII.
    #[error("browsers send the ASCII form of a host, whose labels begin with xn--")]
    NonAscii,
    /// `user:password@`.
    #[error("an origin has no user name or password")]
    UserInfo,
    /// A path, be it only a slash.
    #[error("an origin has no path, not even a trailing slash")]
    Path,
    /// A query.
    #[error("an origin has no query")]
    Query,
    /// A fragment.
    #[error("an origin has no fragment")]
    Fragment,
    /// A character that no host has.
    #[error("a host has only letters, digits, '-', '_' and '.'")]
    Character,
    /// There is no host.
    #[error("there is no host after ://")]
    EmptyHost,
    /// A label that is empty, too long, or begins or ends with a hyphen.
    #[error("a label of a host has 1 to 63 characters and neither begins nor ends with '-'")]
    Label,
    /// A label that begins with `xn--` and is not the punycode of a name (RFC 3492).
    #[error("the part after xn-- is not valid punycode")]
    Punycode,
    /// Two dots at the end of the host.
    #[error("a host ends in at most one dot")]
    TrailingDots,
    /// Not an IP address, although brackets or a number as the last label say that it must be one.
    #[error("an IP address is four numbers without leading zeros, or IPv6 in brackets")]
    IpAddress,
    /// An IPv6 address that is not as browsers write it.
    #[error("an IPv6 address is written in its one canonical form")]
    IpAddressForm,
    /// Not a port.
    #[error("a port is a number from 1 to 65535 without leading zeros")]
    Port,
    /// The scheme's default port.
    #[error("browsers leave out the default port")]
    DefaultPort,
    /// Longer than any origin.
    #[error("an origin is at most 327 bytes long, its host at most 253")]
    Length,
    /// `null`, which browsers send for every opaque origin.
    #[error("every sandboxed frame on any site sends null")]
    Null,
    /// `file:`. Most browsers send `null` for the pages of local files, and some can be told to
    /// send `file://`: one origin for every file there is.
    #[error(
        "every local file has this one origin, also those that arrive by mail: serve the page from \
         http://localhost"
    )]
    File,
    /// A scheme whose URLs are never the origin of a page: `ws`, `wss`, `ftp`, `data`, `blob`,
    /// `about`, `javascript`.
    #[error("no page has an origin with this scheme, so the entry would match nothing")]
    NoPage,
    /// Quotation marks around the entry, as a configuration file or a shell may leave them.
    #[error("the quotation marks are part of the text")]
    Quotes,
    /// Several entries in one text.
    #[error("these are several entries in one text: split them at the {0}")]
    Joined(&'static str),
    /// A separator before or behind the entry.
    #[error("the {0} is part of the text")]
    Separator(&'static str),
    /// `*` alone, which is not an origin.
    #[error(
        "\"*\" is any origin, which a set of origins cannot hold: pass `Any` to allow_origins, or \
         use `MethodRule::public_any_origin`"
    )]
    Any,
    /// `https://*`: any host, in a scheme where everybody can have one.
    #[error(
        "anyone can have a host with this scheme: list domains, as in \"https://*.example.com\", or \
         decide in a policy with `policy_fn`"
    )]
    AnyHost,
    /// A part of an IP address with a wildcard, as in `http://192.168.*`.
    #[error("addresses have no wildcards: write a range, as in \"http://192.168.0.0/16:*\"")]
    AddressPart,
    /// A range of IP addresses without a permission for it.
    #[error("a range of addresses is only for machines under development, and needs a permission")]
    AddressRange,
    /// A range whose prefix is longer than the address, or whose address has bits behind the
    /// prefix.
    #[error("a range is the first address and the number of fixed bits, as in 192.168.0.0/16")]
    AddressRangeForm,
    /// A wildcard in a place where it has no meaning.
    #[error(
        "a wildcard stands for whole labels before the host (*.), for a part of the first label \
         (pr-*), or for the port (:*)"
    )]
    Wildcard,
    /// A wildcard in the host of an application's scheme, where only `scheme://*` is possible.
    #[error("in this scheme a host is listed as it is, or every host by a * alone")]
    ApplicationWildcard,
    /// `*.` more than once.
    #[error("*. stands for one label or more already: write it once")]
    RepeatedWildcard,
    /// `*.` before an IP address.
    #[error("an IP address has no subdomains")]
    AddressWildcard,
}

debug_as_display!(OriginErrorKind);

impl OriginErrorKind {
    /// Whether the text has the parts of an origin, and only no browser would send it.
    ///
    /// True for `https://example.com:443`, false for `https://example.com/path`.
    pub fn is_well_formed(self) -> bool {
        matches!(
            self,
            Self::AddressWildcard
                | Self::DefaultPort
                | Self::File
                | Self::NoPage
                | Self::IpAddressForm
                | Self::Label
                | Self::Null
                | Self::Punycode
                | Self::RepeatedWildcard
        )
    }
}

struct Instead<'a>(Option<&'a str>);

impl fmt::Display for Instead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(spelling) => write!(f, ": write {spelling:?}"),
            None => Ok(()),
        }
    }
}
