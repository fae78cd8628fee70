use url::Url;

use crate::{
    failure::{CertificateProblem, Said},
    judge::Spelling,
};

/// Why the page does not get what it asked for, with what the fix has to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    MixedContent(Url),
    BlockedPort(u16),
    ForbiddenMethod(String),
    UrlCredentials,
    PageCsp {
        name: String,
        directive: String,
        url: Url,
    },
    HostNotFound,
    ConnectionRefused,
    ConnectionClosed(Said),
    Timeout {
        is_preflight: bool,
        connecting: bool,
    },
    Certificate(CertificateProblem),
    TlsMismatch {
        server_speaks_tls: bool,
    },
    NoCors,
    RouteNotCovered,
    LayersDisagree {
        preflight_granted: bool,
        /// The headers without which the preflight is granted.
        refused: Vec<String>,
    },
    ReplicasDisagree,
    OriginScheme(String),
    OriginWww(String),
    OriginPort(String),
    /// A parent domain, or with `every` a pattern for all subdomains.
    OriginSubdomain {
        found: String,
        every: bool,
    },
    OriginLoopback(String),
    OriginSpelling(Spelling, String),
    OriginNull,
    /// Whose origin is allowed instead, where that is said.
    OriginNotListed(Option<String>),
    /// The CORS layer allows the origin, and another check of the origin does not.
    OriginNotTrusted,
    TokenRefused {
        is_preflight: bool,
    },
    AllowOriginTwice(String),
    AllowOriginList(String),
    AllowOriginPattern(String),
    AllowOriginInvalid(String),
    HeaderMisspelt {
        wrong: String,
        right: &'static str,
    },
    CacheMixesOrigins,
    ProxyChangesHeaders(Vec<String>),
    WildcardWithCredentials,
    CredentialsNotAllowed {
        on_preflight: bool,
    },
    CredentialsSpelling(String),
    PreflightStatus(u16),
    PreflightNotHandled {
        /// The headers without which the preflight is granted.
        refused: Vec<String>,
    },
    AuthBeforeCors {
        status: u16,
        is_preflight: bool,
    },
    LayerBeforeCors {
        status: u16,
        has_signs: bool,
    },
    MethodNotAllowed(String),
    MethodCase {
        page: String,
        listed: String,
    },
    HeaderNotAllowed(Vec<String>),
    AllowListMalformed {
        header: &'static str,
        value: String,
    },
    WildcardMethodsWithCredentials(String),
    WildcardHeadersWithCredentials(Vec<String>),
    AuthorizationUnderWildcard,
    HeadersOnlyOnPreflight,
    ErrorWithoutHeaders {
        status: u16,
        has_signs: bool,
    },
    NotModifiedWithoutHeaders,
    /// With the path that there is, where only a slash is missing or too much.
    NotFound(Option<Url>),
    GatewayError(u16),
    HtmlInsteadOfApi {
        is_login: bool,
    },
    RedirectToHttps(Url),
    RedirectTrailingSlash(Url),
    RedirectElsewhere(Option<Url>),
    RedirectToLogin(Url),
    RedirectNullOrigin(Url),
    HeaderNotExposed(Vec<String>),
    WebsocketRefused(u16),
    WebsocketNotUpgraded(u16),
    /// Some answers have signs of a CORS layer, and none has a grant.
    UnknownLayer,
    Unknown,
}

impl Cause {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::MixedContent(_) => "mixed-content",
            Self::BlockedPort(_) => "blocked-port",
            Self::ForbiddenMethod(_) => "forbidden-method",
            Self::UrlCredentials => "url-credentials",
            Self::PageCsp { .. } => "page-csp",
            Self::HostNotFound => "host-not-found",
            Self::ConnectionRefused => "connection-refused",
            Self::ConnectionClosed(_) => "connection-closed",
            Self::Timeout { .. } => "timeout",
            Self::Certificate(_) => "certificate",
            Self::TlsMismatch { .. } => "tls-mismatch",
            Self::NoCors => "no-cors",
            Self::RouteNotCovered => "route-not-covered",
            Self::LayersDisagree { .. } => "layers-disagree",
            Self::ReplicasDisagree => "replicas-disagree",
            Self::OriginScheme(_) => "origin-scheme",
            Self::OriginWww(_) => "origin-www",
            Self::OriginPort(_) => "origin-port",
            Self::OriginSubdomain { .. } => "origin-subdomain",
            Self::OriginLoopback(_) => "origin-loopback",
            Self::OriginSpelling(..) => "origin-spelling",
            Self::OriginNull => "origin-null",
            Self::OriginNotListed(_) | Self::OriginNotTrusted => "origin-not-listed",
            Self::TokenRefused { .. } => "token-refused",
            Self::AllowOriginTwice(_) => "allow-origin-twice",
            Self::AllowOriginList(_) => "allow-origin-list",
            Self::AllowOriginPattern(_) => "allow-origin-pattern",
            Self::AllowOriginInvalid(_) => "allow-origin-invalid",
            Self::HeaderMisspelt { .. } => "header-misspelt",
            Self::CacheMixesOrigins => "cache-mixes-origins",
            Self::ProxyChangesHeaders(_) => "proxy-changes-headers",
            Self::WildcardWithCredentials => "wildcard-with-credentials",
            Self::CredentialsNotAllowed { .. } => "credentials-not-allowed",
            Self::CredentialsSpelling(_) => "credentials-spelling",
            Self::PreflightStatus(_) => "preflight-status",
            Self::PreflightNotHandled { .. } => "preflight-not-handled",
            Self::AuthBeforeCors { .. } => "auth-before-cors",
            Self::LayerBeforeCors { .. } => "layer-before-cors",
            Self::MethodNotAllowed(_) => "method-not-allowed",
            Self::MethodCase { .. } => "method-case",
            Self::HeaderNotAllowed(_) => "header-not-allowed",
            Self::AllowListMalformed { .. } => "allow-list-malformed",
            Self::WildcardMethodsWithCredentials(_) => "wildcard-methods-with-credentials",
            Self::WildcardHeadersWithCredentials(_) => "wildcard-headers-with-credentials",
            Self::AuthorizationUnderWildcard => "authorization-under-wildcard",
            Self::HeadersOnlyOnPreflight => "headers-only-on-preflight",
            Self::ErrorWithoutHeaders { .. } => "error-without-headers",
            Self::NotModifiedWithoutHeaders => "not-modified-without-headers",
            Self::NotFound(_) => "not-found",
            Self::GatewayError(_) => "gateway-error",
            Self::HtmlInsteadOfApi { .. } => "html-instead-of-api",
            Self::RedirectToHttps(_) => "redirect-to-https",
            Self::RedirectTrailingSlash(_) => "redirect-trailing-slash",
            Self::RedirectElsewhere(_) => "redirect-elsewhere",
            Self::RedirectToLogin(_) => "redirect-to-login",
            Self::RedirectNullOrigin(_) => "redirect-null-origin",
            Self::HeaderNotExposed(_) => "header-not-exposed",
            Self::WebsocketRefused(_) => "websocket-refused",
            Self::WebsocketNotUpgraded(_) => "websocket-not-upgraded",
            Self::UnknownLayer | Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    const CHANGELOG: &str = include_str!("../../../../CHANGELOG.md");

    #[test]
    fn the_changelog_has_the_number_of_codes() {
        // Every code is one line of `Cause::code`.
        let code = |line: &'static str| {
            let arm = line.trim().strip_prefix("Self::")?;
            arm.split_once("=> \"")?.1.strip_suffix("\",")
        };
        let mut codes: BTreeSet<&str> = include_str!("code.rs").lines().filter_map(code).collect();
        // What is unknown has no name.
        assert!(codes.remove("unknown"));
        let wanted = format!("out of {} codes", codes.len());
        assert!(CHANGELOG.contains(&wanted), "the changelog lacks: {wanted}");
    }
}
