//! What to do without a redirect.

use super::{Fix, call::call};
use crate::{cause::Cause, explain::Context};

pub(super) fn of_the_redirect(context: &Context<'_>, cause: &Cause) -> Fix {
    let direct = |url: &url::Url, text: String| {
        Fix::new(text).code("page", call(context.case, url.as_str()))
    };
    match cause {
        Cause::RedirectToHttps(url) => direct(
            url,
            format!(
                "Call {url} directly. A preflight must not be redirected, and a redirect needs CORS headers, too."
            ),
        ),
        Cause::RedirectTrailingSlash(url) => direct(
            url,
            format!("Call {url}: the slash at the end counts, and the server redirects to it."),
        ),
        Cause::RedirectElsewhere(Some(url)) => direct(
            url,
            format!(
                "Call {url} directly, and allow the page there. Redirects do not work for preflights, and need CORS headers of their own."
            ),
        ),
        Cause::RedirectElsewhere(None) => Fix::new(
            "The redirect's Location is not a URL: correct it, or answer without a redirect.",
        ),
        Cause::RedirectToLogin(url) => Fix::new(format!(
            "Let the API answer 401 in place of a redirect to {url}, inside the CORS layer: a \
             script cannot sign in there. The page then sends its user to the login itself."
        ))
        .code_if(
            context.is_tower(),
            "axum",
            "app.layer(session) // answers 401\n    .layer(cors) // outermost",
        ),
        Cause::RedirectNullOrigin(url) => Fix::new(format!(
            "Avoid the redirect: answer with the URL in JSON and let the page fetch {url} itself, \
             or serve it from the same origin. Behind a redirect to another origin browsers say \
             `Origin: null`, and to allow null lets in every site."
        )),
        _ => Fix::default(),
    }
}
