use super::{Context, fix_code::quoted, status::source};
use crate::{cause::Cause, net::CertificateProblem};

/// What to do about a cause.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fix {
    pub(crate) text: String,
    pub(crate) code: Vec<Code>,
}

#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// `tower-cors`, `tower-http`, `axum`, `tonic`, `page` or `proxy`.
    pub(crate) target: &'static str,
    pub(crate) code: String,
}

impl Fix {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code: Vec::new(),
        }
    }

    fn code(mut self, target: &'static str, code: impl Into<String>) -> Self {
        self.code.push(Code {
            target,
            code: code.into(),
        });
        self
    }

    fn code_if(self, applies: bool, target: &'static str, code: impl Into<String>) -> Self {
        if applies {
            self.code(target, code)
        } else {
            self
        }
    }
}

const OURS: &str = "tower-cors";

pub(crate) fn fix(context: &Context<'_>, cause: &Cause) -> Fix {
    match cause {
        Cause::MixedContent(_)
        | Cause::BlockedPort(_)
        | Cause::ForbiddenMethod(_)
        | Cause::UrlCredentials
        | Cause::PageCsp { .. }
        | Cause::MethodCase { .. }
        | Cause::OriginNull
        | Cause::NotFound(_)
        | Cause::HtmlInsteadOfApi { .. } => of_the_page(context, cause),
        Cause::HostNotFound
        | Cause::ConnectionRefused
        | Cause::ConnectionClosed { .. }
        | Cause::Timeout { .. }
        | Cause::Certificate(_)
        | Cause::TlsMismatch { .. } => of_the_network(context, cause),
        Cause::OriginScheme(_)
        | Cause::OriginWww(_)
        | Cause::OriginPort(_)
        | Cause::OriginSubdomain { .. }
        | Cause::OriginLoopback(_)
        | Cause::OriginSpelling(..)
        | Cause::OriginNotListed(_)
        | Cause::AllowOriginTwice(_)
        | Cause::AllowOriginList(_)
        | Cause::AllowOriginPattern(_)
        | Cause::AllowOriginInvalid(_)
        | Cause::TokenRefused { .. } => of_the_origin(context, cause),
        Cause::RedirectToHttps(_)
        | Cause::RedirectTrailingSlash(_)
        | Cause::RedirectElsewhere(_)
        | Cause::RedirectToLogin(_)
        | Cause::RedirectNullOrigin(_) => of_the_redirect(context, cause),
        Cause::WildcardWithCredentials
        | Cause::CredentialsNotAllowed { .. }
        | Cause::CredentialsSpelling(_)
        | Cause::MethodNotAllowed(_)
        | Cause::HeaderNotAllowed(_)
        | Cause::AllowListMalformed { .. }
        | Cause::WildcardMethodsWithCredentials(_)
        | Cause::WildcardHeadersWithCredentials(_)
        | Cause::AuthorizationUnderWildcard
        | Cause::HeaderMisspelt { .. }
        | Cause::HeaderNotExposed(_) => of_the_lists(context, cause),
        _ => of_the_layers(context, cause),
    }
}

fn of_the_page(context: &Context<'_>, cause: &Cause) -> Fix {
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
                .code(OURS, context.setting(&format!(".allow_methods([{right:?}])")))
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
            let path = case.url.path();
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
            let path = case.url.path();
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

fn of_the_network(context: &Context<'_>, cause: &Cause) -> Fix {
    let url = context
        .lab
        .steps
        .last()
        .map_or(&context.case.url, |step| &step.sent.url);
    let url = context
        .lab
        .steps
        .iter()
        .find(|s| s.result.is_err())
        .map_or(url, |s| &s.sent.url);
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    match cause {
        Cause::HostNotFound => Fix::new(format!(
            "The name {host} has no address: check its spelling, DNS, and whether it is known \
             outside of your network."
        )),
        Cause::ConnectionRefused => Fix::new(format!(
            "Nothing answers on port {port} of {host}: start the server, check port and address \
             that it listens on (0.0.0.0, not 127.0.0.1, for other machines and containers)."
        )),
        Cause::ConnectionClosed { was_http: true } => Fix::new(
            "The server closed the connection without an answer: look into its log for a panic or \
             a crash. In axum, CatchPanicLayer inside the CORS layer turns panics into answers.",
        )
        .code_if(
            context.is_tower(),
            "axum",
            "app.layer(CatchPanicLayer::new()).layer(cors)",
        ),
        Cause::ConnectionClosed { was_http: false } => Fix::new(format!(
            "On port {port} something answers that does not speak HTTP: check the port. If it is \
             your server, look into its log for a panic or a crash."
        )),
        Cause::Timeout {
            is_preflight: true, ..
        } => Fix::new(format!(
            "The answer to OPTIONS {} hangs: let the CORS layer answer preflights before anything \
             waits.",
            url.path()
        )),
        Cause::Timeout {
            connecting: true, ..
        } => Fix::new(format!(
            "No connection to port {port} of {host}: a firewall drops it, or the server hangs. No \
             answer of a handler is waited for yet."
        )),
        Cause::Timeout { .. } => Fix::new(format!(
            "The answer of the handler of {} hangs: see what it waits for. With --timeout the \
             doctor waits longer.",
            url.path()
        )),
        Cause::Certificate(problem) => Fix::new(match problem {
            CertificateProblem::Authority => format!(
                "No authority that browsers trust has signed the certificate of {host}. Use one of \
                 a public authority, or trust yours on the machine (here with --cacert)."
            ),
            CertificateProblem::Expired => {
                format!("The certificate of {host} has expired, or is not valid yet: renew it.")
            }
            CertificateProblem::Name => format!(
                "The certificate is for another name than {host}: add the name to the certificate, \
                 or call the server by a name that it has."
            ),
            CertificateProblem::Other => {
                format!("The certificate of {host} is not valid: check its name, dates, authority.")
            }
        }),
        Cause::TlsMismatch { server_speaks_tls } => {
            let scheme = if *server_speaks_tls { "https" } else { "http" };
            let scheme = if url.scheme().starts_with("ws") {
                scheme.replace("http", "ws")
            } else {
                scheme.into()
            };
            let (_, rest) = url.as_str().split_once("://").unwrap_or_default();
            let better = format!("{scheme}://{rest}");
            Fix::new(format!(
                "Call {better}: on this port the server speaks {}.",
                if *server_speaks_tls {
                    "TLS"
                } else {
                    "plain HTTP, without TLS"
                }
            ))
            .code("page", call(context.case, &better))
        }
        _ => Fix::default(),
    }
}

fn of_the_origin(context: &Context<'_>, cause: &Cause) -> Fix {
    let origin = context.case.origin();
    let listed = |text: String| {
        Fix::new(text).code(OURS, context.layer()).code_if(
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
        Cause::AllowOriginList(value) => listed(format!(
            "Access-Control-Allow-Origin holds one origin. In place of {value:?} answer each page \
             with its own origin, here {origin}, and Vary: Origin."
        )),
        Cause::AllowOriginPattern(value) => {
            let pattern = if value.starts_with("http") && !value.contains(['^', '$', '\\', '(', '|']) {
                value.clone()
            } else {
                origin.to_owned()
            };
            Fix::new(format!(
                "Browsers do not know patterns. Let the server compare the page's origin with \
                 {value} (allow_origins takes patterns) and answer with the origin itself, here \
                 {origin}."
            ))
            .code(OURS, context.layer_with(&[&pattern]))
        }
        Cause::AllowOriginInvalid(value) => listed(format!(
            "The value {value:?} is no origin: a variable is not set, most often. Answer with \
             {origin}."
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

fn of_the_redirect(context: &Context<'_>, cause: &Cause) -> Fix {
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
        Cause::RedirectElsewhere(None) => {
            Fix::new("The redirect's Location is no URL: mend it, or answer without a redirect.")
        }
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

fn of_the_lists(context: &Context<'_>, cause: &Cause) -> Fix {
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
            "Separate the names in {header} by a comma each; {value:?} is no such list, and so \
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

fn of_the_layers(context: &Context<'_>, cause: &Cause) -> Fix {
    let case = context.case;
    let origin = case.origin();
    let is_grpc = case.request.is_grpc_web();
    let proxy = context.proxy();
    match cause {
        Cause::NoCors if is_grpc => Fix::new(format!(
            "Add a CorsLayer that allows {origin}, outside; GrpcWebLayer belongs inside of it."
        ))
        .code(OURS, context.layer_around_grpc())
        .code("tonic", context.layer_around_grpc()),
        Cause::NoCors => Fix::new(format!(
            "The server has no CORS: add a CorsLayer that allows {origin}, around all routes."
        ))
        .code(OURS, context.layer_around()),
        Cause::RouteNotCovered => Fix::new(
            "There is a CORS layer, but not around this route: call .layer( after the routes and \
             the fallback. In axum it covers only what was added before it.",
        )
        .code(OURS, context.layer_around())
        .code_if(context.is_tower(), "axum", format!("Router::new()\n    .route(\"{}\", …)\n    .fallback(…)\n    .layer(cors) // after routes and fallback", case.url.path())),
        Cause::LayersDisagree { preflight_granted } => Fix::new(format!(
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
             Origin, also to requests without Origin, and purge the cache. The answer for each \
             page then is kept by itself.",
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
        Cause::PreflightNotHandled(_) => not_handled(context),
        Cause::AuthBeforeCors { status, is_preflight } => Fix::new(format!(
            "An authentication answers {status} before the CORS layer does{}. Put the CORS layer \
             outside the authentication: in axum it is the last .layer.",
            if *is_preflight { "; preflights have no credentials" } else { "" }
        ))
        .code(OURS, format!("{}\n\nlet app = app\n    .layer(authentication) // inside\n    .layer(cors); // last, so outermost", context.layer()))
        .code_if(context.is_tower(), "axum", "app.layer(authentication)\n    .layer(cors) // last, so outermost"),
        Cause::LayerBeforeCors(status) => Fix::new(format!(
            "The preflight is answered {status} before the CORS layer sees it; usually by {}. Put \
             the CORS layer outside of it: in axum it is the last .layer.",
            source(*status, true, is_grpc)
        ))
        .code_if(is_grpc, "tonic", context.layer_around_grpc())
        .code_if(context.is_tower() && !is_grpc, "axum", "app.layer(the_other)\n    .layer(cors) // last, so outermost")
        .code_if(context.is_nginx(), "proxy", "# let OPTIONS pass\nif ($request_method = OPTIONS) { … }"),
        Cause::HeadersOnlyOnPreflight => Fix::new(
            "Every answer needs the headers, not only those to preflights: call .layer( after the \
             handlers, or set them in the middleware for all methods.",
        )
        .code(OURS, context.layer_around()),
        Cause::ErrorWithoutHeaders(status) => Fix::new(format!(
            "The {status} comes from outside the CORS layer; usually from {}. Errors need the \
             headers, too, or the page cannot read them: put the CORS layer outermost (in nginx: \
             add_header … always).",
            source(*status, false, is_grpc)
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
        _ => Fix::new(format!(
            "Compare the exchanges with what {origin} asks for; run without --no-probes to have \
             more asked."
        )),
    }
}

fn not_handled(context: &Context<'_>) -> Fix {
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
    Fix::new(format!(
        "GET has CORS headers, OPTIONS has none, and the browser asks by OPTIONS first because of \
         {asks}. Put the layer around the whole router with .layer( rather than on single methods \
         (route_layer, or headers set in handlers).{proxy}"
    ))
    .code(OURS, context.layer_around())
    .code_if(context.is_tower(), "axum", "Router::new()\n    .route(…) // without route_layer(cors)\n    .layer(cors)")
    .code_if(context.is_nginx(), "proxy", "if ($request_method = OPTIONS) {\n    # the Access-Control headers, and\n    return 204;\n}")
}

/// The page's call, to another URL.
fn call(case: &crate::case::Case, url: &str) -> String {
    if case.is_websocket() {
        return format!("new WebSocket({url:?})");
    }
    if case.request.method == "GET" {
        format!("fetch({url:?})")
    } else {
        format!("fetch({url:?}, {{ method: {:?}, … }})", case.request.method)
    }
}

/// `ws` and `wss` as the schemes that they stand for.
fn as_web(url: &url::Url) -> url::Url {
    let mut web = url.clone();
    let scheme = url.scheme().replacen("ws", "http", 1);
    // Both are special schemes, so that one may take the other's place.
    let _ = web.set_scheme(&scheme);
    web
}
