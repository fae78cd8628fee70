//! Where in a request a token travels.

use std::{borrow::Cow, sync::Arc};

use http::{
    Extensions, HeaderName,
    header::{AUTHORIZATION, COOKIE},
};

use super::{
    cookie::CookieSource,
    extension::{ExtensionSource, Verified, VerifiedOrigins},
    find::Find,
    header::HeaderSource,
    query::QuerySource,
    url::{Part, UrlSource},
};
use crate::request::CorsRequest;

/// A place in a request where a token may be.
///
/// A preflight carries the URL of the request to come, and neither headers nor cookies: a token
/// in the URL can be judged there, others cannot.
///
/// ```
/// use tower_cors::token::source::TokenSource;
///
/// // Authorization: Bearer psat=eyJ...
/// let header = TokenSource::bearer().prefix("psat=");
/// // ?anonymousContext=psat%253deyJ...
/// let query = TokenSource::query("anonymousContext").up_to_layers(2).prefix("psat=");
/// // /feeds/eyJ.../events
/// let path = TokenSource::path(|path| path.strip_prefix("/feeds/")?.split('/').next());
/// ```
#[derive(Clone, Debug)]
pub struct TokenSource(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Header(HeaderSource),
    Query(QuerySource),
    Cookie(CookieSource),
    Url(UrlSource),
    Extension(ExtensionSource),
}

impl TokenSource {
    /// `Authorization: Bearer <token>` (RFC 6750, section 2.1).
    pub fn bearer() -> HeaderSource {
        HeaderSource::new(AUTHORIZATION).scheme("Bearer")
    }

    /// A header whose value is the token, or a scheme and the token.
    pub fn header(name: HeaderName) -> HeaderSource {
        HeaderSource::new(name)
    }

    /// A key of gRPC's metadata; a key that ends in `-bin` has its values in base64.
    pub fn grpc_metadata(key: HeaderName) -> HeaderSource {
        HeaderSource::grpc_metadata(key)
    }

    /// A parameter of the query.
    pub fn query(name: impl Into<Box<str>>) -> QuerySource {
        QuerySource::new(name)
    }

    /// A cookie. Its name is compared exactly; one that begins with `__Host-` cannot be set by
    /// pages of sibling domains.
    pub fn cookie(name: impl Into<Box<str>>) -> CookieSource {
        CookieSource::new(name)
    }

    /// What the function finds in the path, which is as it was sent: percent-encoded.
    pub fn path<F>(extract: F) -> Self
    where
        F: for<'a> Fn(&'a str) -> Option<&'a str> + Send + Sync + 'static,
    {
        Self(Kind::Url(UrlSource::new(Part::Path, extract)))
    }

    /// What the function finds in the name of the host that the request is for, without the port.
    pub fn host<F>(extract: F) -> Self
    where
        F: for<'a> Fn(&'a str) -> Option<&'a str> + Send + Sync + 'static,
    {
        Self(Kind::Url(UrlSource::new(Part::Host, extract)))
    }

    /// An `Arc<`[`VerifiedToken`](crate::token::VerifiedToken)`>` in the request's extensions, left by
    /// an outer authentication layer.
    ///
    /// Where there is one, it is the token of the request, and nothing is verified a second time.
    pub fn verified_token() -> Self {
        Self(Kind::Extension(ExtensionSource::Token))
    }

    /// [`VerifiedOrigins`] in the request's extensions, left by an outer authentication layer.
    pub fn verified_origins() -> Self {
        Self::verified_origins_in(|extensions| extensions.get().cloned())
    }

    /// What the function makes of the request's extensions, for an authentication layer that
    /// leaves something of its own there.
    pub fn verified_origins_in<F>(find: F) -> Self
    where
        F: Fn(&Extensions) -> Option<VerifiedOrigins> + Send + Sync + 'static,
    {
        Self(Kind::Extension(ExtensionSource::Origins(Arc::new(find))))
    }

    /// Looks for a token. A preflight is looked into only where it is as the request to come.
    ///
    /// Nothing is decoded that could not become a token of `max_len` bytes.
    pub(crate) fn find<'a>(&self, request: &CorsRequest<'a>, max_len: usize) -> Find<Cow<'a, str>> {
        let is_preflight = request.preflight().is_some();
        match &self.0 {
            Kind::Header(_) | Kind::Cookie(_) if is_preflight => Find::Nothing,
            Kind::Header(source) => source.find(request.headers(), max_len),
            Kind::Cookie(source) => source.find(request.headers()),
            Kind::Query(source) => source.find(request.uri(), max_len),
            Kind::Url(source) => source.find(request),
            Kind::Extension(_) => Find::Nothing,
        }
    }

    /// Looks for what an outer layer has verified.
    pub(crate) fn find_verified(&self, request: &CorsRequest<'_>) -> Option<Verified> {
        match &self.0 {
            Kind::Extension(source) => source.find(request.extensions()),
            _ => None,
        }
    }

    /// The request header that it reads, for `Vary`; the URL needs none. What an outer layer has
    /// read is not known: `Authorization` and `Cookie` are likely.
    pub(crate) fn reads(&self) -> Vec<HeaderName> {
        match &self.0 {
            Kind::Header(source) => vec![source.name().clone()],
            Kind::Cookie(_) => vec![COOKIE],
            Kind::Query(_) | Kind::Url(_) => Vec::new(),
            Kind::Extension(_) => vec![AUTHORIZATION, COOKIE],
        }
    }

    /// Whether both read the same header.
    pub(crate) fn shares_header_with(&self, other: &Self) -> bool {
        matches!(
            (&self.0, &other.0),
            (Kind::Header(own), Kind::Header(other)) if own.name() == other.name()
        )
    }

    /// Whether what it finds has yet to be verified.
    pub(crate) fn needs_verifier(&self) -> bool {
        !matches!(self.0, Kind::Extension(_))
    }

    /// Whether tokens are in the path.
    pub(crate) fn reads_path(&self) -> bool {
        matches!(&self.0, Kind::Url(source) if source.reads_path())
    }

    /// Whether what it finds has claims.
    pub(crate) fn needs_claim(&self) -> bool {
        !matches!(self.0, Kind::Extension(ExtensionSource::Origins(_)))
    }

    pub(crate) fn mistake(&self) -> Option<&'static str> {
        match &self.0 {
            Kind::Query(source) => source.mistake(),
            Kind::Cookie(source) => source.mistake(),
            Kind::Header(_) | Kind::Url(_) | Kind::Extension(_) => None,
        }
    }
}

impl From<HeaderSource> for TokenSource {
    fn from(source: HeaderSource) -> Self {
        Self(Kind::Header(source))
    }
}

impl From<QuerySource> for TokenSource {
    fn from(source: QuerySource) -> Self {
        Self(Kind::Query(source))
    }
}

impl From<CookieSource> for TokenSource {
    fn from(source: CookieSource) -> Self {
        Self(Kind::Cookie(source))
    }
}
