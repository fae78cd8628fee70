//! What the page has to change.

use super::{Fix, call::as_web, call::call};
use crate::{cause::Cause, explain::Context};

pub(super) fn of_the_page(context: &Context<'_>, cause: &Cause) -> Fix {
    let case = context.case;
    match cause {
        Cause::MixedContent(url) => {
            let secure = if url.scheme() == "ws" { "wss" } else { "https" };
            let mut better = url.clone();
            // Both schemes are special, so that one may take the other's place.
            let _ = better.set_scheme(secure);
            Fix::new(format!(
                "Serve the API by TLS and call {better}. Pages that were loaded by https may not \
                 call insecure URLs, whatever the server answers."
            ))
            .code("page", call(case, better.as_str()))
        }
        Cause::BlockedPort(port) => Fix::new(format!(
            "Let the server listen on another port than {port}, for example 8080: browsers never \
             connect to it (https://fetch.spec.whatwg.org/#port-blocking)."
        )),
        Cause::ForbiddenMethod(method) => Fix::new(format!(
            "Use another method than {method}, for example GET or POST: no page may send it."
        )),
        Cause::UrlCredentials => Fix::new(
            "Take user and password out of the URL, and send them in the header Authorization, \
             which the server has to allow (allow_headers).",
        )
        .code("page", "fetch(url, { headers: { Authorization: \"Basic \" + btoa(user + \":\" + password) } })"),
        Cause::PageCsp { name, directive, url } => {
            let origin = crate::page::Origin::of(&as_web(url))
                .map_or_else(|| url.to_string(), |origin| origin.as_str().to_owned());
            let origin = if url.scheme().starts_with("ws") {
                origin.replacen("http", "ws", 1)
            } else {
                origin
            };
            let sources = directive.strip_prefix(name.as_str()).unwrap_or_default().trim();
            let sources = if sources == "'none'" { "" } else { sources };
            Fix::new(format!(
                "Add {origin} to connect-src in the Content-Security-Policy of the page. The \
                 server has no part in it."
            ))
            .code("page", format!("Content-Security-Policy: connect-src {sources} {origin}").replace("  ", " "))
        }
        Cause::MethodCase { page, listed } => {
            let right = page.to_ascii_uppercase();
            if *page == right {
                Fix::new(format!(
                    "Methods are case-sensitive. Write {right} in the server's list in place of \
                     {listed}."
                ))
                .layer(context.layer())
            } else {
                Fix::new(format!(
                    "Methods are case-sensitive, and fetch() does not change this one. Write \
                     {listed} in the page in place of {page}."
                ))
                .code("page", format!("fetch(url, {{ method: {listed:?} }})"))
            }
        }
        Cause::OriginNull => Fix::new(
            "Serve the page from an origin of its own, and allow that. The browser says \
             `Origin: null` for pages opened as file:, sandboxed frames (add allow-same-origin to \
             the sandbox) and data: URLs. To allow null lets in every site, since each can open a \
             sandboxed frame.",
        )
        .code("page", "# in place of file:///…/index.html\npython3 -m http.server 3000"),
        Cause::NotFound(slash) => {
            let path = context.url().path();
            let text = match slash {
                Some(url) => format!(
                    "There is nothing under {path}, but there is under {}: mind the slash at the \
                     end.",
                    url.path()
                ),
                None => format!(
                    "Check the path {path}: GET is answered 404, too. Put the CORS layer around \
                     the fallback as well, so that pages can read a 404."
                ),
            };
            let right = slash.as_ref().map(|url| call(case, url.as_str()));
            Fix::new(text).code_if(right.is_some(), "page", right.unwrap_or_default())
        }
        Cause::HtmlInsteadOfApi { is_login } => {
            let path = context.url().path();
            let login = if *is_login {
                " It is a page for signing in: the session has ended, or the API is behind a \
                 sign-in. Answer 401 in its place."
            } else {
                ""
            };
            Fix::new(format!(
                "The server answers {path} with an HTML page, as applications do for paths that \
                 they do not know. Check the path: is a prefix such as /api missing, or does the \
                 proxy send it to the wrong server?{login}"
            ))
        }
        _ => Fix::default(),
    }
}
