//! Fixes for headers that have to say more or something else: allowed methods, allowed headers,
//! exposed headers, and credentials.

use super::{Fix, OURS};
use crate::{
    cause::Cause,
    explain::{Context, fix_code::quoted},
};

pub(super) fn of_the_lists(context: &Context<'_>, cause: &Cause) -> Fix {
    let case = context.case;
    let origin = case.origin();
    match cause {
        Cause::WildcardWithCredentials => Fix::new(format!(
            "Answer with {origin} in place of *, and Access-Control-Allow-Credentials: true \
             (allow_credentials). If the page needs no cookies, leave out credentials: 'include' \
             there."
        ))
        .code(OURS, context.layer())
        .code_if(
            context.is_tower(),
            "tower-http",
            format!(
                "{}\n    .allow_credentials(true)",
                context.tower_http_origins()
            ),
        ),
        Cause::CredentialsNotAllowed { on_preflight } => Fix::new(format!(
            "Answer {} with Access-Control-Allow-Credentials: true (allow_credentials), or leave \
             out credentials: 'include' in the page.",
            if *on_preflight {
                "preflights and requests"
            } else {
                "the request as well"
            }
        ))
        .code(OURS, context.layer()),
        Cause::CredentialsSpelling(value) => Fix::new(format!(
            "Access-Control-Allow-Credentials has to be true, in lower case and once, not \
             {value:?} (allow_credentials)."
        ))
        .code(OURS, context.layer()),
        Cause::MethodNotAllowed(method) => Fix::new(format!(
            "Add {method} to the methods that the server allows (allow_methods)."
        ))
        .code(
            OURS,
            context.setting(&format!(".allow_methods([{method:?}])")),
        )
        .code_if(
            context.is_tower(),
            "tower-http",
            format!("cors.allow_methods([Method::{method}])"),
        ),
        Cause::HeaderNotAllowed(names) => {
            let listed = quoted(names.iter().map(String::as_str));
            Fix::new(format!(
                "Add {} to the request headers that the server allows (allow_headers).",
                names.join(", ")
            ))
            .code(
                OURS,
                context.setting(&format!(".allow_headers([{listed}])")),
            )
            .code_if(
                context.is_tower(),
                "tower-http",
                format!(
                    "cors.allow_headers([{}])",
                    names
                        .iter()
                        .map(|n| format!("HeaderName::from_static({n:?})"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            )
        }
        Cause::AllowListMalformed { header, value } => Fix::new(format!(
            "Separate the names in {header} by a comma each; {value:?} is malformed, so \
             nothing in it counts."
        ))
        .code(OURS, context.layer()),
        Cause::WildcardMethodsWithCredentials(method) => Fix::new(format!(
            "List {method} by name in place of * (allow_methods): with credentials the wildcard \
             is just a name."
        ))
        .code(OURS, context.layer()),
        Cause::WildcardHeadersWithCredentials(names) => Fix::new(format!(
            "List {} by name in place of * (allow_headers): with credentials the wildcard is just \
             a name.",
            names.join(", ")
        ))
        .code(OURS, context.layer()),
        Cause::AuthorizationUnderWildcard => Fix::new(
            "List authorization by name beside * (allow_headers): the wildcard does not cover it.",
        )
        .code(
            OURS,
            context.setting(".allow_headers([\"*\", \"authorization\"])"),
        ),
        Cause::HeaderMisspelt { wrong, right } => Fix::new(format!(
            "Call the header {right}; {wrong} means nothing to browsers."
        )),
        Cause::HeaderNotExposed(names) => {
            let listed = quoted(names.iter().map(String::as_str));
            let credentials = if case.request.credentials {
                " With credentials * does not count."
            } else {
                ""
            };
            Fix::new(format!(
                "Expose {} to scripts: Access-Control-Expose-Headers, on the answer itself \
                 (expose_headers).{credentials}",
                names.join(", ")
            ))
            .code(OURS, context.setting(&format!(".expose_headers([{listed}])")))
            .code_if(
                case.request.is_grpc_web(),
                "tonic",
                format!("Server::builder()\n    .layer(cors.expose_headers([{listed}])) // outside\n    .layer(GrpcWebLayer::new())"),
            )
        }
        _ => Fix::default(),
    }
}
