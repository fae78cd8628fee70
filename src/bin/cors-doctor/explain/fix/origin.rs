//! Which origins the server has to allow.

use super::{Fix, OURS};
use crate::{cause::Cause, explain::Context};

pub(super) fn of_the_origin(context: &Context<'_>, cause: &Cause) -> Fix {
    let origin = context.page_origin();
    let listed = |text: String| {
        Fix::new(text).layer(context.layer()).code_if(
            context.is_tower(),
            "tower-http",
            context.tower_http_origins(),
        )
    };
    match cause {
        Cause::OriginScheme(found) => listed(format!(
            "Allow {origin}; the server allows {found}, and http and https are different origins."
        )),
        Cause::OriginWww(found) => listed(format!(
            "Allow {origin} as well; the server allows {found}. With and without www. are \
             different origins."
        )),
        Cause::OriginPort(found) => listed(format!(
            "Allow {origin}; the server allows {found}. The port is part of the origin."
        )),
        Cause::OriginSubdomain { found, every: false } => listed(format!(
            "Allow {origin}; the server allows {found}, which does not include its subdomains."
        )),
        Cause::OriginSubdomain { found, every: true } => listed(format!(
            "Allow {origin} beside its subdomains: the server allows every one of them (it would \
             allow {found}), and a pattern does not include the domain itself."
        )),
        Cause::OriginLoopback(found) => listed(format!(
            "Allow {origin}; the server allows {found}. Browsers take localhost and 127.0.0.1 for \
             different origins."
        )),
        Cause::OriginSpelling(spelling, found) => listed(format!(
            "Write {origin} in the list in place of {found}: browsers never send {}.",
            spelling.words()
        )),
        Cause::OriginNotListed(other) => {
            let instead = match other {
                Some(other) => format!(" in place of {other} alone"),
                None => String::new(),
            };
            listed(format!(
                "Add {origin} to the origins that the server allows{instead} (allow_origins)."
            ))
        }
        Cause::OriginNotTrusted => listed(format!(
            "The CORS layer lets {origin} in (allow_origins), and another check of the origin \
             refuses it, usually a CSRF protection: add {origin} to the origins that this trusts."
        )),
        Cause::AllowOriginList(value) => listed(format!(
            "Access-Control-Allow-Origin holds one origin. In place of {value:?} answer each page \
             with its own origin, here {origin}, and Vary: Origin."
        )),
        Cause::AllowOriginPattern(value) => {
            Fix::new(format!(
                "Browsers do not know patterns. Let the server compare the page's origin with \
                 {value} (allow_origins takes patterns) and answer with the origin itself, here \
                 {origin}."
            ))
            .layer(context.layer().pattern(value))
        }
        Cause::AllowOriginInvalid(value) if value.contains(['"', '\'']) => listed(format!(
            "The value {value:?} is not an origin: quotes belong to the configuration, not into \
             the header. Answer with {origin}."
        )),
        Cause::AllowOriginInvalid(value) => listed(format!(
            "The value {value:?} is not an origin, most often because a variable is not set. Answer \
             with {origin}."
        )),
        Cause::AllowOriginTwice(value) => Fix::new(format!(
            "The header Access-Control-Allow-Origin comes more than once ({value}). Remove it in \
             one place, so that it comes once: another layer, the handler, or the proxy in front \
             sets it, too."
        ))
        .code_if(context.is_nginx(), "proxy", "proxy_hide_header Access-Control-Allow-Origin;"),
        Cause::TokenRefused { is_preflight: true } => Fix::new(format!(
            "The answer depends on a token, and a preflight has none: answer preflights of \
             {origin} without the token, with with_preflight."
        ))
        .code(OURS, "let policy = tokens.with_preflight(Optimistic::new());\nlet cors = CorsLayer::builder().origin_policy(policy).build()?;"),
        Cause::TokenRefused { is_preflight: false } => Fix::new(format!(
            "Send a token that was issued for a page of {origin}: the one that was sent, if any, \
             is not accepted from there. See which origins the token lists, and where it is read."
        ))
        .code(OURS, format!("// the claim of the token has to list the page, for example\n// \"allowed-origins\": [{origin:?}]\nlet cors = CorsLayer::builder().origin_policy(tokens.with_preflight(Optimistic::new())).build()?;")),
        _ => Fix::default(),
    }
}
