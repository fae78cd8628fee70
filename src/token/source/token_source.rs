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
    header_list::HeaderListSource,
    query::QuerySource,
    url::{Part, UrlSource},
};
use crate::request::Head;

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
    HeaderList(HeaderListSource),
    Query(QuerySource),
    Cookie(CookieSource),
    Url(UrlSource),
    Extension(ExtensionSource),
}

impl TokenSource {
    /// `Authorization: Bearer <token>` (RFC 6750, section 2.1), or `DPoP <token>` for a token that
    /// is bound to a key of its sender (RFC 9449, section 7.1).
    pub fn bearer() -> HeaderSource {
        HeaderSource::new(AUTHORIZATION)
            .scheme("Bearer")
            .scheme("DPoP")
    }

    /// A header whose value is the token, or a scheme and the token.
    pub fn header(name: HeaderName) -> HeaderSource {
        HeaderSource::new(name)
    }

    /// One element of a header whose value is a list, such as `Sec-WebSocket-Protocol`.
    pub fn header_list(name: HeaderName) -> HeaderListSource {
        HeaderListSource::new(name)
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

    /// What the function finds in the name of the host that the request is for, in lower case and
    /// without the port. A request with an invalid host, such as one with user information, is
    /// refused.
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

    /// Looks for a token. In a preflight only the URL is looked at: it has neither credentials nor
    /// cookies of the request that it announces, so headers there come from somebody else.
    ///
    /// Nothing is decoded that could not become a token of `max_len` bytes.
    pub(crate) fn find<'a>(
        &self,
        head: &Head<'a>,
        is_preflight: bool,
        max_len: usize,
    ) -> Find<Cow<'a, str>> {
        match &self.0 {
            Kind::Query(source) => source.find(head.uri, max_len),
            Kind::Url(source) => source.find(head),
            Kind::Extension(_) => Find::Nothing,
            _ if is_preflight => Find::Nothing,
            Kind::Header(source) => source.find(head.headers, max_len),
            Kind::HeaderList(source) => source.find(head.headers, max_len),
            Kind::Cookie(source) => source.find(head.headers),
        }
    }

    /// Looks for what an outer layer has verified.
    pub(crate) fn find_verified(&self, head: &Head<'_>) -> Option<Verified> {
        match &self.0 {
            Kind::Extension(source) => source.find(head.extensions),
            _ => None,
        }
    }

    /// The request headers that it reads, for `Vary`; the URL needs none. Nobody knows what an outer
    /// layer has read: `Authorization` and `Cookie` are likely.
    pub(crate) fn reads(&self) -> Vec<HeaderName> {
        match &self.0 {
            Kind::Header(source) => vec![source.name().clone()],
            Kind::HeaderList(source) => vec![source.name().clone()],
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
            Kind::HeaderList(source) => source.mistake(),
            Kind::Header(_) | Kind::Url(_) | Kind::Extension(_) => None,
        }
    }
}

impl From<HeaderSource> for TokenSource {
    fn from(source: HeaderSource) -> Self {
        Self(Kind::Header(source))
    }
}

impl From<HeaderListSource> for TokenSource {
    fn from(source: HeaderListSource) -> Self {
        Self(Kind::HeaderList(source))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_in_the_path_make_it_secret() {
        for (source, expected) in [
            (TokenSource::path(|path| Some(path)), true),
            (TokenSource::host(|host| Some(host)), false),
            (TokenSource::query("t").into(), false),
            (TokenSource::bearer().into(), false),
        ] {
            assert_eq!(source.reads_path(), expected, "{source:?}");
        }
    }
}
