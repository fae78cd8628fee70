//! Where the layer belongs.

use super::Fix;
use crate::{
    cause::Cause,
    explain::{Context, fix_code::around_grpc, status::source},
};

pub(super) fn of_the_layers(context: &Context<'_>, cause: &Cause) -> Fix {
    let case = context.case;
    let origin = context.page_origin();
    let is_grpc = case.request.is_grpc_web();
    let proxy = context.proxy();
    match cause {
        Cause::NoCors if is_grpc => Fix::new(format!(
            "Add a CorsLayer that allows {origin}, outside; GrpcWebLayer belongs inside of it."
        ))
        .layer_in(context.layer_for_grpc(), around_grpc)
        .code("tonic", around_grpc(&context.layer_for_grpc())),
        Cause::NoCors => Fix::new(format!(
            "The server has no CORS: add a CorsLayer that allows {origin}, around all routes."
        ))
        .layer_in(context.layer(), |layer| context.around_routes(layer)),
        Cause::RouteNotCovered => Fix::new(
            "There is a CORS layer, but not around this route: call .layer( after the routes and \
             the fallback. In axum it covers only what was added before it.",
        )
        .layer_in(context.layer(), |layer| context.around_routes(layer))
        .code_if(context.is_tower(), "axum", format!("Router::new()\n    .route(\"{}\", …)\n    .fallback(…)\n    .layer(cors) // after routes and fallback", context.url().path())),
        Cause::LayersDisagree { refused, .. } if !refused.is_empty() => Fix::new(format!(
            "GET grants {origin}, and so does the preflight without {names}: add {names} to the \
             request headers of the layer that answers preflights (allow_headers). If that is \
             another layer than the one of GET, keep one of the two.",
            names = refused.join(", ")
        )),
        Cause::LayersDisagree { preflight_granted, .. } => Fix::new(format!(
            "Two CORS layers have different lists: {}. Keep one, outermost, and allow {origin} \
             there. The other may stand around a part of the routes, or in the proxy.",
            if *preflight_granted {
                "the one that answers preflights allows the page, the one around the handler does not"
            } else {
                "the one around the handler allows the page, the one that answers preflights does not"
            }
        ))
        .code_if(context.is_tower(), "axum", "Router::new()\n    .merge(routes) // without layers of their own\n    .layer(cors)"),
        Cause::ReplicasDisagree => Fix::new(format!(
            "The same request is granted once and once not: the replicas behind the address have \
             different configurations. Roll out the one that allows {origin} to all of them."
        )),
        Cause::CacheMixesOrigins => Fix::new(
            "A cache keeps the answer for one origin and serves it to others: answer with Vary: \
             Origin, also to requests without Origin, and purge the cache. The cache then keeps \
             an answer for each page.",
        )
        .code_if(context.is_nginx(), "proxy", "add_header Vary Origin always;\nproxy_cache_key $scheme$host$request_uri$http_origin;"),
        Cause::ProxyChangesHeaders(names) => {
            let what = if names.is_empty() {
                "such as Origin or Access-Control-Request-Method".to_owned()
            } else {
                names.join(", ")
            };
            Fix::new(format!(
                "The proxy removes headers of the request or of the answer ({what}): let it pass \
                 them on. The server behind it grants."
            ))
            .code_if(context.is_nginx(), "proxy", "proxy_set_header Origin $http_origin;\nproxy_pass_request_headers on;\n# and no proxy_hide_header Access-Control-…")
        }
        Cause::PreflightStatus(status) => Fix::new(format!(
            "Answer OPTIONS with 204 in the middleware itself, in place of passing it on to the \
             router, which answers {status}. The headers are right already."
        )),
        Cause::PreflightNotHandled { refused } => not_handled(context, refused),
        Cause::AuthBeforeCors { status, is_preflight } => Fix::new(format!(
            "An authentication answers {status} before the CORS layer does{}. Put the CORS layer \
             outside the authentication: in axum it is the last .layer.",
            if *is_preflight { "; preflights have no credentials" } else { "" }
        ))
        .layer_in(context.layer(), |layer| format!("{layer}\n\nlet app = app\n    .layer(authentication) // inside\n    .layer(cors); // last, so outermost"))
        .code_if(context.is_tower(), "axum", "app.layer(authentication)\n    .layer(cors) // last, so outermost"),
        Cause::LayerBeforeCors { status, has_signs } => Fix::new(format!(
            "The preflight is answered {status} before the CORS layer sees it; usually by {}. Put \
             the CORS layer outside of it: in axum it is the last .layer.{}",
            source(*status, true, is_grpc),
            if_refused(*has_signs, origin)
        ))
        .code_if(is_grpc, "tonic", around_grpc(&context.layer_for_grpc()))
        .code_if(context.is_tower() && !is_grpc, "axum", "app.layer(the_other)\n    .layer(cors) // last, so outermost")
        .code_if(context.is_nginx(), "proxy", "# let OPTIONS pass\nif ($request_method = OPTIONS) { … }"),
        Cause::HeadersOnlyOnPreflight => Fix::new(
            "Every answer needs the headers, not only those to preflights: call .layer( after the \
             handlers, or set them in the middleware for all methods.",
        )
        .layer_in(context.layer(), |layer| context.around_routes(layer)),
        Cause::ErrorWithoutHeaders { status, has_signs } => Fix::new(format!(
            "The {status} comes from outside the CORS layer; usually from {}. Errors need the \
             headers, too, or the page cannot read them: put the CORS layer outermost (in nginx: \
             add_header … always).{}",
            source(*status, false, is_grpc),
            if_refused(*has_signs, origin)
        ))
        .code_if(context.is_tower(), "axum", "app.layer(the_other)\n    .layer(cors) // last, so outermost")
        .code_if(context.is_nginx(), "proxy", "add_header Access-Control-Allow-Origin $allowed always;"),
        Cause::NotModifiedWithoutHeaders => Fix::new(
            "Send the CORS headers with 304, too: the browser takes them from there, and not from \
             what it has kept.",
        ),
        Cause::GatewayError(status) => Fix::new(format!(
            "The proxy answers {status}{}, because no server behind it does: start that server, \
             and check the address that the proxy has for it.",
            proxy.map_or(String::new(), |proxy| format!(" ({proxy})"))
        )),
        Cause::WebsocketRefused(status) => Fix::new(format!(
            "The handshake is answered {status}: allow {origin} in the server's check of the \
             Origin, or send what its authentication wants. CORS does not apply to WebSockets."
        )),
        Cause::WebsocketNotUpgraded(status) => Fix::new(format!(
            "The handshake is answered {status}, not 101: check the path, and that every proxy in \
             front passes on Upgrade and Connection."
        ))
        .code_if(context.is_nginx(), "proxy", "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection \"upgrade\";"),
        Cause::UnknownLayer => Fix::new(format!(
            "A CORS layer answers here or on another route, and grants {origin} nothing of what \
             was asked for. Add {origin} to its origins (allow_origins), and put it around this \
             route and its OPTIONS."
        )),
        _ => Fix::new(format!(
            "Compare the exchanges with what {origin} asks for; run without --no-probes to have \
             more asked."
        )),
    }
}

/// Advice for an error with signs: some CORS layers, such as Starlette's, refuse an origin this
/// way.
fn if_refused(has_signs: bool, origin: &str) -> String {
    if has_signs {
        format!(
            " If it is a CORS layer that answers so, which its headers hint at, add {origin} to \
             its origins (allow_origins)."
        )
    } else {
        String::new()
    }
}

fn not_handled(context: &Context<'_>, refused: &[String]) -> Fix {
    let case = context.case;
    let announced = case.announced();
    let mut asks = Vec::new();
    if !matches!(case.request.method.as_str(), "GET" | "HEAD" | "POST") {
        asks.push(format!("the method {}", case.request.method));
    }
    if !announced.is_empty() {
        asks.push(format!("the header {}", announced.join(", ")));
    }
    if asks.is_empty() {
        asks.push("the upload listener or the streamed body".into());
    }
    let proxy = match context.proxy() {
        Some(proxy) => format!(" Or the proxy in front answers OPTIONS itself ({proxy})."),
        None => String::new(),
    };
    let asks = asks.join(" and ");
    let without = if refused.is_empty() {
        String::new()
    } else {
        format!(
            " Without {names} the preflight is granted: allow these headers (allow_headers).",
            names = refused.join(", ")
        )
    };
    Fix::new(format!(
        "GET has CORS headers, OPTIONS has none, and the browser asks by OPTIONS first because of \
         {asks}. Put the layer around the whole router with .layer( rather than on single methods \
         (route_layer, or headers set in handlers).{proxy}{without}"
    ))
    .layer_in(context.layer(), |layer| context.around_routes(layer))
    .code_if(context.is_tower(), "axum", "Router::new()\n    .route(…) // without route_layer(cors)\n    .layer(cors)")
    .code_if(context.is_nginx(), "proxy", "if ($request_method = OPTIONS) {\n    # the Access-Control headers, and\n    return 204;\n}")
}
