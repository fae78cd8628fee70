use super::Context;
use crate::{browse::Ending, cause::Cause, failure::Said};

/// One sentence about what the page experiences, and why.
pub(crate) fn summary(context: &Context<'_>, cause: Option<&Cause>) -> String {
    let page = context.case.origin();
    let Some(cause) = cause else {
        return match &context.course.ending {
            Ending::NotTried => format!(
                "Nothing speaks against the request of {page}, which was not sent for want of --send."
            ),
            Ending::Readable(_) if context.case.is_websocket() => {
                format!("The server opens a WebSocket for {page}.")
            }
            _ => format!("{page} reads the answer."),
        };
    };
    let subject = match &context.course.ending {
        Ending::Readable(_) => format!("{page} reads the answer, but"),
        Ending::PreflightRefused(..) => {
            format!("The request of {page} is not sent, because its preflight fails:")
        }
        Ending::Kept(_) if context.course.last.redirects == 0 => {
            format!("The browser sends nothing for {page}:")
        }
        Ending::NoAnswer(_) => format!("There is no answer for {page}:"),
        _ if context.case.is_websocket() => format!("{page} gets no WebSocket:"),
        _ => format!("{page} cannot read the answer:"),
    };
    format!("{subject} {}.", reason(cause))
}

fn reason(cause: &Cause) -> String {
    match cause {
        Cause::MixedContent(_) => "an https page may not call an insecure URL".into(),
        Cause::BlockedPort(port) => format!("browsers block port {port}"),
        Cause::ForbiddenMethod(method) => format!("no page may send {method}"),
        Cause::UrlCredentials => "the URL has a user and a password in it".into(),
        Cause::PageCsp { name, .. } => format!("the page's own policy ({name}) forbids it"),
        Cause::HostNotFound => "the host has no address".into(),
        Cause::ConnectionRefused => "nothing listens there".into(),
        Cause::ConnectionClosed(Said::Nothing) => "the server closes the connection".into(),
        Cause::ConnectionClosed(Said::NotHttp) => "the server does not speak HTTP".into(),
        Cause::ConnectionClosed(Said::NotTls) => "the server speaks neither TLS nor HTTP".into(),
        Cause::Timeout { .. } => "nothing came in time".into(),
        Cause::Certificate(_) => "the certificate is not accepted".into(),
        Cause::TlsMismatch { .. } => "the URL's scheme is not what the server speaks".into(),
        Cause::NoCors => "the server has no CORS at all".into(),
        Cause::RouteNotCovered => "the CORS layer does not cover this route".into(),
        Cause::LayersDisagree { refused, .. } if !refused.is_empty() => {
            "the layer that answers preflights refuses headers of it".into()
        }
        Cause::LayersDisagree { .. } => "two CORS layers disagree about the origin".into(),
        Cause::ReplicasDisagree => "servers behind one address are configured differently".into(),
        Cause::OriginScheme(found)
        | Cause::OriginWww(found)
        | Cause::OriginPort(found)
        | Cause::OriginLoopback(found)
        | Cause::OriginSubdomain {
            found,
            every: false,
        } => {
            format!("the server allows {found}, which is another origin")
        }
        Cause::OriginSubdomain { every: true, .. } => {
            "the server allows every subdomain, and not the domain itself".into()
        }
        Cause::OriginSpelling(spelling, _) => {
            format!(
                "the server's list spells the origin with {}",
                spelling.words()
            )
        }
        Cause::OriginNull => "the page has no origin of its own".into(),
        Cause::OriginNotListed(_) => "the server does not allow the page's origin".into(),
        Cause::TokenRefused { is_preflight: true } => {
            "the server wants a token, which no preflight carries".into()
        }
        Cause::TokenRefused {
            is_preflight: false,
        } => "the token is missing, or was not issued for this page".into(),
        Cause::AllowOriginTwice(_) => "Access-Control-Allow-Origin comes twice".into(),
        Cause::AllowOriginList(_) => "Access-Control-Allow-Origin has several origins".into(),
        Cause::AllowOriginPattern(_) => "Access-Control-Allow-Origin has a pattern".into(),
        Cause::AllowOriginInvalid(_) => "Access-Control-Allow-Origin is not an origin".into(),
        Cause::HeaderMisspelt { wrong, right } => format!("{right} is misspelt as {wrong}"),
        Cause::CacheMixesOrigins => "a cache serves the answer for another origin".into(),
        Cause::ProxyChangesHeaders(_) => "a proxy changes the headers".into(),
        Cause::WildcardWithCredentials => "the wildcard does not count with credentials".into(),
        Cause::CredentialsNotAllowed { .. } => "the server does not allow credentials".into(),
        Cause::CredentialsSpelling(_) => {
            "Access-Control-Allow-Credentials is not the word true".into()
        }
        Cause::PreflightStatus(status) => {
            format!("it has the headers, but the status {status}")
        }
        Cause::PreflightNotHandled { .. } => {
            "nothing on this path answers OPTIONS with CORS".into()
        }
        Cause::AuthBeforeCors { .. } => "an authentication answers before the CORS layer".into(),
        Cause::LayerBeforeCors { status, .. } => format!("a layer outside CORS answers {status}"),
        Cause::MethodNotAllowed(method) => format!("the method {method} is not allowed"),
        Cause::MethodCase { page, listed } => {
            format!("the page sends {page}, the list has {listed}")
        }
        Cause::HeaderNotAllowed(names) => format!("{} is not allowed", names.join(", ")),
        Cause::AllowListMalformed { header, .. } => format!("{header} is not a list"),
        Cause::WildcardMethodsWithCredentials(_) | Cause::WildcardHeadersWithCredentials(_) => {
            "with credentials the wildcard is just a name".into()
        }
        Cause::AuthorizationUnderWildcard => "the wildcard does not cover Authorization".into(),
        Cause::HeadersOnlyOnPreflight => "only preflights have CORS headers".into(),
        Cause::ErrorWithoutHeaders { status, .. } => {
            format!("the error {status} has no CORS headers")
        }
        Cause::NotModifiedWithoutHeaders => "the 304 has no CORS headers".into(),
        Cause::NotFound(_) => "there is nothing under this path".into(),
        Cause::GatewayError(status) => format!("a proxy answers {status} for a server"),
        Cause::HtmlInsteadOfApi { .. } => "it is an HTML page in place of an API's answer".into(),
        Cause::RedirectToHttps(url)
        | Cause::RedirectTrailingSlash(url)
        | Cause::RedirectElsewhere(Some(url)) => format!("the server redirects to {url}"),
        Cause::RedirectElsewhere(None) => "the server redirects to nowhere".into(),
        Cause::RedirectToLogin(_) => "the server redirects to a login".into(),
        Cause::RedirectNullOrigin(_) => {
            "behind the redirect the browser says Origin: null, which is refused".into()
        }
        Cause::HeaderNotExposed(names) => format!("its script cannot read {}", names.join(", ")),
        Cause::WebsocketRefused(status) => format!("the handshake is answered {status}"),
        Cause::WebsocketNotUpgraded(status) => {
            format!("the handshake is answered {status} in place of 101")
        }
        Cause::OriginNotTrusted => "a check of origins refuses the page".into(),
        Cause::UnknownLayer | Cause::Unknown => "the exchanges show why not".into(),
    }
}
