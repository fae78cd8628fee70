//! Every mistake that configuration can contain, as a value.

use std::{fmt, sync::Arc};

use http::HeaderName;

use crate::debug_as_display::debug_as_display;

use crate::origin::{OriginError, OriginErrorKind};
pub use crate::{
    build_errors::BuildErrors,
    settings::{HeaderSetting, OriginSetting},
};

/// The longest that any browser keeps the result of a preflight, in seconds.
pub(crate) const MAX_AGE_SECS: u32 = 86_400;

/// The longest max-age where preflights are answered more broadly than requests are judged, in
/// seconds.
pub(crate) const MAX_BROAD_AGE_SECS: u32 = 60;

/// The position of an entry in a text with several entries. Empty for an array, whose entries can
/// be told apart by their values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(Option<(Option<Arc<str>>, usize)>);

impl Place {
    pub(crate) fn new(variable: Option<Arc<str>>, index: usize) -> Self {
        Self(Some((variable, index)))
    }

    /// The environment variable that the text comes from.
    pub fn variable(&self) -> Option<&str> {
        self.0.as_ref()?.0.as_deref()
    }

    /// The entry's number in the text, from 1.
    pub fn position(&self) -> Option<usize> {
        self.0.as_ref().map(|(_, index)| index + 1)
    }
}

/// In parentheses and with a space before it, or nothing.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((Some(variable), index)) => write!(f, " ({variable}, entry {})", index + 1),
            Some((None, index)) => write!(f, " (entry {})", index + 1),
            None => Ok(()),
        }
    }
}

/// One mistake in a configuration: the value, what is wrong with it, and what to write instead.
///
/// The text of an error begins with the setting that it is about, as in
/// `allow_methods: "patch": methods are case-sensitive: did you mean "PATCH"?`.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No origin is allowed and no policy is set, so that the layer would refuse everybody.
    #[error(
        "allow_origins: nothing says which origins are allowed: list some, pass `Any`, set an \
         `origin_policy`, or pass an empty list, `[\"\"; 0]`, if nobody is"
    )]
    MissingOrigins,

    /// The environment variable that a list should come from is not set, or is not UTF-8.
    #[error(
        "{setting}: the environment variable {variable} is not set: set it, to nothing if nothing is \
         to be allowed"
    )]
    MissingVariable {
        /// The setting.
        setting: &'static str,
        /// The variable.
        variable: String,
    },

    /// `"*"` beside other origins, which would then have no effect.
    #[error(
        "allow_origins: \"*\" allows every origin, so that the others in the list say nothing: remove \
         the \"*\", or the others"
    )]
    AnyBesideOrigins,

    /// `"*"` among the origins without transport security.
    #[error(
        "{setting}: \"*\" is not an origin: name the origins, or allow any origin with \
         allow_origins(Any), without credentials"
    )]
    AnyInsecureOrigin {
        /// Where the origin was set.
        setting: OriginSetting,
    },

    /// `always_allow_origin` with anything else than exactly one origin.
    #[error(
        "always_allow_origin: {value:?}: every answer names the same origin: write exactly one, \
         without a wildcard, or use `allow_origins`"
    )]
    ConstantOrigin {
        /// The entry.
        value: String,
    },

    /// `always_allow_origin` together with `Refuse`: the answer to all requests is the same, so
    /// none can be refused.
    #[error(
        "denied_requests: with always_allow_origin all requests get the same answer: leave \
         `denied_requests` out, or use `allow_origins`"
    )]
    ConstantOriginRefuses,

    /// Every host of an application's scheme together with credentials: any application of the kind
    /// that a user has installed would act as the user.
    #[error(
        "{setting}: {value:?}: any installed extension or application with this scheme matches, \
         and credentials would go to it: list the hosts that are yours, or call \
         `dangerously_allow_public_suffixes`"
    )]
    AnyHostWithCredentials {
        /// Where the origin was set.
        setting: OriginSetting,
        /// The entry.
        value: String,
    },

    /// Both a list of origins and a policy are set; one would silently win.
    #[error(
        "origin_policy: a list of origins is set too: keep one, or put the list behind the policy with \
         `fallback`, which is asked where the policy returns `Abstain`: a denial is final"
    )]
    OriginsAndPolicy,

    /// A set of origins together with single insecure ones. A set cannot be added to.
    #[error(
        "dangerously_allow_insecure_origin: allow_origins is a set, which no entry can be added to: \
         list the entries, or put the insecure ones into the set"
    )]
    SetAndInsecureOrigins,

    /// A mistake in the configuration that is judged in shadow.
    #[error("report_only: {mistake}")]
    ReportOnly {
        /// The mistake.
        mistake: Box<ConfigError>,
    },

    /// An entry is not an origin or an origin pattern as browsers send it.
    #[error("{setting}{place}: {value:?}: {error}{}", permission_for(error.kind()))]
    Origin {
        /// Where the origin was set.
        setting: OriginSetting,
        /// The entry.
        value: String,
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        error: OriginError,
    },

    /// Any origin together with credentials: every site could act as the signed-in user.
    #[error(
        "{setting}: \"*\": any origin cannot be combined with credentials: list the origins \
         that may send them, or leave out allow_credentials"
    )]
    AnyOriginWithCredentials {
        /// Where the origin was set.
        setting: OriginSetting,
    },

    /// Any origin in a check of where requests come from, which would then pass all of them.
    #[error(
        "{setting}: \"*\": every site could send forms and open WebSockets as the signed-in \
         user: list the origins that may, or leave the layer out"
    )]
    AnyOriginTrusted {
        /// Where the origin was set.
        setting: OriginSetting,
    },

    /// `null` in a check of where requests come from.
    #[error(
        "{setting}: \"null\": every sandboxed frame on any site sends null, and could send forms \
         as the signed-in user: serve the page from an origin of its own"
    )]
    NullOriginTrusted {
        /// Where the origin was set.
        setting: OriginSetting,
    },

    /// `file://` in a check of where requests come from.
    #[error(
        "{setting}: \"file://\": every local file has this one origin, also those that arrive by \
         mail, and could send forms as the signed-in user: serve the page from http://localhost"
    )]
    FileOriginTrusted {
        /// Where the origin was set.
        setting: OriginSetting,
    },

    /// `null`, without a call of `dangerously_allow_null_origin`.
    #[error(
        "{setting}: \"null\": every sandboxed frame on any site sends null, so this allows \
         any site: serve the page from an origin of its own, or call \
         `dangerously_allow_null_origin`"
    )]
    NullOrigin {
        /// Where the origin was set.
        setting: OriginSetting,
    },

    /// An origin whose traffic can be altered on the way, together with credentials.
    #[error(
        "{setting}: {value:?}: credentials would go to an origin that is neither https \
         nor loopback{}, or pass it to `dangerously_allow_insecure_origin`",
        instead.as_deref().map_or(": list another".to_owned(), |one| format!(": write {one:?}"))
    )]
    InsecureOrigin {
        /// Where the origin was set.
        setting: OriginSetting,
        /// The entry.
        value: String,
        /// The same with `https`, where the scheme has such a counterpart.
        instead: Option<String>,
    },

    /// A wildcard that crosses a public suffix, together with credentials: strangers can register
    /// names that it matches.
    #[error(
        "{setting}: {value:?}: anyone can register a name below {suffix:?}: write the \
         subdomain that is yours, as in {instead:?}, or call `dangerously_allow_public_suffixes`"
    )]
    PublicSuffix {
        /// Where the origin was set.
        setting: OriginSetting,
        /// The entry.
        value: String,
        /// The base of the wildcard: a public suffix, or a parent of public suffixes.
        suffix: String,
        /// A narrower pattern.
        instead: String,
    },

    /// A method that is not a token, that no page can send, or that is misspelt.
    #[error("allow_methods{place}: {value:?}: {reason}")]
    Method {
        /// The method.
        value: String,
        /// Where it stands.
        place: Place,
        /// What is wrong with it.
        reason: MethodErrorReason,
    },

    /// A header name that is not a token, that no page can send or read, or that has no place in
    /// the list.
    #[error("{list}{place}: {value:?}: {reason}")]
    HeaderName {
        /// The name.
        value: String,
        /// Where it stands.
        place: Place,
        /// The list that it stands in.
        list: HeaderSetting,
        /// What is wrong with it.
        reason: HeaderNameErrorReason,
    },

    /// A combinator allows requests with a header without asking the policy inside or behind it, and
    /// that policy is the one that would check the header.
    #[error(
        "origin_policy: requests with {header} are allowed without asking a policy that reads \
         {header}, so a forged one would pass: let that policy judge them, as in \
         `tokens.fallback(cookies)`"
    )]
    BypassedPolicy {
        /// The header.
        header: HeaderName,
    },

    /// A policy or a set that lists origins without transport security, together with credentials.
    #[error(
        "{setting}: some of its origins have no transport security, and credentials would go \
         to them: list https origins, or call `dangerously_allow_insecure_origins`"
    )]
    InsecurePolicy {
        /// Where the origins were set.
        setting: OriginSetting,
    },

    /// A policy or a set with wildcards that cross a public suffix, together with credentials.
    #[error(
        "{setting}: some of its wildcards match names that anyone can register: write \
         subdomains that are yours, or call `dangerously_allow_public_suffixes`"
    )]
    PublicSuffixPolicy {
        /// Where the origins were set.
        setting: OriginSetting,
    },

    /// All response headers exposed, together with credentials: browsers would take the `*` for a
    /// name.
    #[error(
        "expose_headers: \"*\": browsers read this as a header named * when credentials are \
         allowed: list the names"
    )]
    ExposeAnyWithCredentials,

    /// Longer than any browser keeps a preflight result, or negative.
    #[error("max_age: {seconds}: write 0 (no caching) to {max} seconds", max = MAX_AGE_SECS)]
    MaxAge {
        /// The value, in seconds.
        seconds: i64,
    },

    /// A status with which browsers fail a preflight.
    #[error("preflight_status: {status}: browsers accept 200 to 299: write 204 or 200")]
    PreflightStatus {
        /// The status code.
        status: u16,
    },

    /// The policy answers preflights more broadly than it judges requests, and the rest of the
    /// configuration does not prevent the requests that this lets through.
    #[error("origin_policy: a preflight can pass whose request will be denied: {0}")]
    BroadPreflight(BroadPreflightReason),
}

debug_as_display!(ConfigError);

/// The permission that lets the entry in, where there is one.
fn permission_for(kind: OriginErrorKind) -> &'static str {
    match kind {
        OriginErrorKind::File => ", or call `dangerously_allow_file_origin`",
        OriginErrorKind::AddressPart => ", and pass it to `dangerously_allow_insecure_origin`",
        OriginErrorKind::AddressRange => ": pass it to `dangerously_allow_insecure_origin`",
        _ => "",
    }
}

/// Why a method cannot be allowed.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MethodErrorReason {
    /// Not a token (RFC 9110, section 5.6.2).
    #[error("a method is made of letters, digits and !#$%&'*+-.^_`|~")]
    NotAToken,
    /// A forbidden method of the Fetch standard.
    #[error("pages cannot send this method: leave it out")]
    Forbidden,
    /// A known method in the wrong case.
    #[error("methods are case-sensitive: did you mean {0:?}?")]
    Case(&'static str),
    /// A word that means all methods in other software.
    #[error("this would be a method of its own name: for any method write \"*\" or pass `Any`")]
    Any,
    /// A `*` beside other characters.
    #[error("a * means any method only when it stands alone: list the methods")]
    Wildcard,
    /// Several methods in one text.
    #[error("these are several methods in one text: split them at the {0}")]
    Joined(&'static str),
    /// A separator before or behind the method.
    #[error("the {0} is part of the text: leave it out")]
    Separator(&'static str),
    /// Quotation marks around the method, as a configuration file or a shell may leave them.
    #[error("the quotation marks are part of the text: leave them out")]
    Quotes,
}

debug_as_display!(MethodErrorReason);

/// Why a header name cannot be listed.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderNameErrorReason {
    /// Not a token (RFC 9110, section 5.6.2).
    #[error("a header name is made of letters, digits and !#$%&'*+-.^_`|~")]
    NotAToken,
    /// A `*` beside other characters, which would be a name and match nothing.
    #[error("a * means any header only when it stands alone: list the names")]
    Wildcard,
    /// Several names in one text.
    #[error("these are several names in one text: split them at the {0}")]
    Joined(&'static str),
    /// A separator before or behind the name.
    #[error("the {0} is part of the text: leave it out")]
    Separator(&'static str),
    /// Quotation marks around the name, as a configuration file or a shell may leave them.
    #[error("the quotation marks are part of the text: leave them out")]
    Quotes,
    /// A forbidden header name of the Fetch standard: pages cannot set it, or cannot read it.
    #[error("browsers keep this header to themselves: leave it out")]
    Forbidden,
    /// A header of the CORS protocol that belongs to the other direction.
    #[error("this header is part of the CORS protocol: leave it out")]
    Protocol,
}

debug_as_display!(HeaderNameErrorReason);

/// A condition that a policy with broad preflight answers needs and does not have.
#[derive(Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BroadPreflightReason {
    /// Refused requests would reach the inner service.
    #[error("set denied_requests to Refuse, so that the judgement is enforced")]
    Forwards,
    /// Credentials would go out on the strength of the preflight alone.
    #[error("leave out allow_credentials, and policies that grant credentials")]
    Credentials,
    /// Any method would be let through.
    #[error("list the methods instead of allowing any")]
    AnyMethod,
    /// Any request header would be let through.
    #[error("list the request headers instead of allowing any")]
    AnyHeader,
    /// The broad answer would be kept for long.
    #[error("set max_age to at most {max} seconds", max = MAX_BROAD_AGE_SECS)]
    MaxAge,
}

debug_as_display!(BroadPreflightReason);

/// All mistakes of a configuration, never none.
///
/// ```
/// use tower_cors::{CorsLayer, error::ConfigError};
///
/// let errors = CorsLayer::builder()
///     .allow_origins(["https://example.com/", "https://example.org"])
///     .allow_methods(["patch"])
///     .build()
///     .unwrap_err();
///
/// assert_eq!(
///     errors.to_string(),
///     "allow_origins: \"https://example.com/\": an origin has no path, not even a trailing \
///      slash: write \"https://example.com\"\n\
///      allow_methods: \"patch\": methods are case-sensitive: did you mean \"PATCH\"?",
/// );
/// assert!(matches!(errors.iter().next(), Some(ConfigError::Origin { .. })));
/// ```
pub type ConfigErrors = BuildErrors<ConfigError>;
