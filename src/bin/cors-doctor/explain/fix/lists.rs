//! Fixes for headers that have to say more or something else: allowed methods, allowed headers,
//! exposed headers, and credentials.

use super::Fix;
use crate::{
    cause::Cause,
    explain::{
        Context,
        fix_code::around_grpc,
        layer_code::{is_listable_header, listable_method},
    },
};

pub(super) fn of_the_lists(context: &Context<'_>, cause: &Cause) -> Fix {
    let case = context.case;
    let origin = context.page_origin();
    match cause {
        Cause::WildcardWithCredentials => Fix::new(format!(
            "Answer with {origin} in place of *, and Access-Control-Allow-Credentials: true \
             (allow_credentials). If the page needs no cookies, leave out credentials: 'include' \
             there."
        ))
        .layer(context.layer())
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
        .layer(context.layer()),
        Cause::CredentialsSpelling(value) => Fix::new(format!(
            "Access-Control-Allow-Credentials has to be true, in lower case and once, not \
             {value:?} (allow_credentials)."
        ))
        .layer(context.layer()),
        Cause::MethodNotAllowed(method) => {
            let listed = listable_method(method);
            let text = match &listed {
                Some(listed) => {
                    format!("Add {listed} to the methods that the server allows (allow_methods).")
                }
                None => not_the_list("allow_methods"),
            };
            let of_tower_http = listed.as_deref().map(method_code).unwrap_or_default();
            Fix::new(text).layer(context.layer()).code_if(
                context.is_tower() && listed.is_some(),
                "tower-http",
                format!("cors.allow_methods([{of_tower_http}])"),
            )
        }
        Cause::HeaderNotAllowed(names) => {
            let listed = listable_headers(names);
            let text = if listed.is_empty() {
                not_the_list("allow_headers")
            } else {
                let names = listed.join(", ");
                format!(
                    "Add {names} to the request headers that the server allows (allow_headers)."
                )
            };
            let of_tower_http = listed
                .iter()
                .map(|name| format!("HeaderName::from_static({name:?})"))
                .collect::<Vec<_>>()
                .join(", ");
            Fix::new(text).layer(context.layer()).code_if(
                context.is_tower() && !listed.is_empty(),
                "tower-http",
                format!("cors.allow_headers([{of_tower_http}])"),
            )
        }
        Cause::AllowListMalformed { header, value } => Fix::new(format!(
            "Separate the names in {header} by a comma each; {value:?} is malformed, so \
             nothing in it counts."
        ))
        .layer(context.layer()),
        Cause::WildcardMethodsWithCredentials(method) => {
            let listed = listable_method(method);
            let text = by_name(listed.iter().map(String::as_str), "allow_methods");
            Fix::new(text).layer(context.layer())
        }
        Cause::WildcardHeadersWithCredentials(names) => {
            let listed = listable_headers(names);
            let text = by_name(listed.into_iter(), "allow_headers");
            Fix::new(text).layer(context.layer())
        }
        Cause::AuthorizationUnderWildcard => {
            Fix::new("List authorization by name (allow_headers): the wildcard does not cover it.")
                .layer(context.layer())
        }
        Cause::HeaderMisspelt { wrong, right } => Fix::new(format!(
            "Call the header {right}; {wrong} means nothing to browsers."
        )),
        Cause::HeaderNotExposed(names) => {
            let layer = context.layer().expose(names);
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
            .layer(layer.clone())
            .code_if(case.request.is_grpc_web(), "tonic", around_grpc(&layer))
        }
        _ => Fix::default(),
    }
}

/// The page sends a method or header that no list accepts. The notes of the layer say which.
fn not_the_list(setting: &str) -> String {
    format!("The server's list ({setting}) is not what has to change.")
}

fn by_name<'a>(listed: impl Iterator<Item = &'a str>, setting: &str) -> String {
    let names: Vec<&str> = listed.collect();
    if names.is_empty() {
        return not_the_list(setting);
    }
    format!(
        "List {} by name in place of * ({setting}): with credentials the wildcard is just a name.",
        names.join(", ")
    )
}

fn listable_headers(names: &[String]) -> Vec<&str> {
    let names = names.iter().map(String::as_str);
    names.filter(|name| is_listable_header(name)).collect()
}

/// Code for the method: the `http` crate has constants only for the usual ones.
fn method_code(method: &str) -> String {
    match method {
        "GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "OPTIONS" | "PATCH" => {
            format!("Method::{method}")
        }
        other => format!("Method::from_bytes(b{other:?})?"),
    }
}
