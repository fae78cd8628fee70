use crate::{
    debug_as_display::debug_as_display,
    origin::{OriginError, OriginErrorKind},
};

/// Why a text, or a record of a store, is not accepted as an entry.
///
/// The text of an error begins with the field that it is about, as in
/// `origin: "example.com": ...`; [`field`](Self::field) has it apart.
///
/// ```
/// use tower_cors::trusted::entry::{OriginDraft, Scope};
///
/// let error = OriginDraft::new("Shop", "https://shop.example/", Scope::Cors).unwrap_err();
/// assert_eq!(error.field(), "origin");
/// assert_eq!(
///     error.to_string(),
///     "origin: an origin has no path, not even a trailing slash: write \"https://shop.example\"",
/// );
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Not an id of an entry.
    #[error("id: an id is 16 hexadecimal digits in lower case, the first at most 7")]
    Id,
    /// Not a name for an entry.
    #[error("name: {0}")]
    Name(NameErrorReason),
    /// Not an origin or an origin pattern, in any spelling that is understood.
    #[error("origin: {error}{}", permission_for(.0.kind()), error = .0)]
    Origin(OriginError),
    /// Credentials would go to an origin whose traffic can be altered on the way.
    #[error(
        "origin: {value:?}: somebody who controls the network controls this origin, and would get \
         the credentials: {}leave out credentials, or set dangerously_allow_insecure for this entry",
        instead.as_ref().map(|instead| format!("write {instead:?}, ")).unwrap_or_default()
    )]
    InsecureOrigin {
        /// The origin.
        value: String,
        /// The same with `https`, where there may be one.
        instead: Option<String>,
    },
    /// An entry names origins. Any origin is a rule of a route.
    #[error(
        "origin: \"*\": an entry names one origin, or a family such as \"https://*.example.com\": \
         routes for all pages have the rule MethodRule::public_any_origin, or bearer_any_origin"
    )]
    AnyOrigin,
    /// A wildcard crosses a public suffix: strangers can register names that it matches.
    #[error(
        "origin: {value:?}: anyone can register a name below {suffix:?}: write the subdomain that \
         is yours, as in {instead:?}"
    )]
    PublicSuffix {
        /// The origin.
        value: String,
        /// The base of the wildcard: a public suffix, or a parent of public suffixes.
        suffix: String,
        /// A narrower pattern.
        instead: String,
    },
    /// Any application of a scheme, with more than calls without credentials.
    #[error(
        "origin: {value:?}: any installed application or extension with this scheme would match: \
         write the host that is yours, or leave it at calls without credentials"
    )]
    AnyHost {
        /// The origin.
        value: String,
    },
    /// The entry has no scope.
    #[error("scopes: name at least one of CORS, REDIRECT and IFRAME_EMBED")]
    NoScope,
    /// Not a scope.
    #[error("scopes: {0:?}: write CORS, REDIRECT or IFRAME_EMBED")]
    Scope(String),
    /// Not a status.
    #[error("status: {0:?}: write ACTIVE or INACTIVE")]
    Status(String),
    /// Credentials are for calls by pages, which the entry does not allow.
    #[error("allow_credentials: credentials need the scope CORS: add it, or write false")]
    CredentialsWithoutCors,
    /// Not a moment.
    #[error("{field}: {value:?}: write a time as in \"2026-11-21T12:00:00.000Z\"")]
    Time {
        /// The field.
        field: &'static str,
        /// The text.
        value: String,
    },
    /// Not a name of an actor.
    #[error("last_updated_by: {0}")]
    Actor(NameErrorReason),
    /// The id, the name or the origin of an entry before it.
    #[error("another entry has the same id, name or origin")]
    Duplicate,
    /// Not the form of a record at all.
    #[error("not a record: {0}")]
    Form(String),
}

debug_as_display!(EntryError);

/// The permission that lets the origin in, where there is one.
fn permission_for(kind: OriginErrorKind) -> &'static str {
    match kind {
        OriginErrorKind::AddressPart => {
            ", and set dangerously_allow_insecure for this entry, in code with \
             OriginDraft::dangerously_insecure"
        }
        OriginErrorKind::AddressRange => {
            ": set dangerously_allow_insecure for this entry, in code with \
             OriginDraft::dangerously_insecure"
        }
        _ => "",
    }
}

impl EntryError {
    /// The field that the error is about, or an empty text when it is about the whole.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name(_) => "name",
            Self::Origin(_)
            | Self::InsecureOrigin { .. }
            | Self::AnyOrigin
            | Self::AnyHost { .. }
            | Self::PublicSuffix { .. } => "origin",
            Self::NoScope | Self::Scope(_) => "scopes",
            Self::Status(_) => "status",
            Self::CredentialsWithoutCors => "allow_credentials",
            Self::Time { field, .. } => field,
            Self::Actor(_) => "last_updated_by",
            Self::Duplicate | Self::Form(_) => "",
        }
    }
}

/// The mistake in a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum NameErrorReason {
    /// There is nothing.
    #[error("a name is not empty")]
    Empty,
    /// More than 255 characters.
    #[error("a name has at most 255 characters")]
    TooLong,
    /// White space at the beginning or at the end, which people do not see.
    #[error("a name neither begins nor ends with white space")]
    Space,
    /// A control character.
    #[error("a name has no control characters")]
    Control,
}

debug_as_display!(NameErrorReason);
