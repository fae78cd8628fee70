//! The sites whose pages chat: each on an origin of its own, with a server of its own that gets
//! the tokens, as a customer of the service would run it.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Error, key::random_id, service_application::SECRET};

const APPLICATION: &str = "1627259584";

/// The sites. The first two belong to one customer, whose tokens name them both; the third one has
/// got hold of such a token.
pub(crate) const NAMES: [&str; 3] = ["Contoso", "Litware", "Fabrikam"];
const LISTED: usize = 2;

/// One site.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) name: &'static str,
    /// The origin of its pages.
    pub(crate) origin: String,
    /// Whether its ordinary token names it.
    pub(crate) is_listed: bool,
    /// Where the service issues tokens.
    tokens_url: String,
    /// The origins that its ordinary token names.
    named: Vec<String>,
    /// A site that tokens name: its name and origin.
    other: (&'static str, String),
    /// Links to the pages of all sites.
    links: String,
    client: reqwest::Client,
}

/// The sites, whose origins these are, as customers of the service at `api`.
pub(crate) fn sites(api: SocketAddr, origins: &[String]) -> Result<Vec<Site>, Error> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let listed = &origins[..LISTED];
    let link = |(name, origin)| format!("<a href=\"{origin}\">{name}</a>");
    let links: Vec<String> = NAMES.iter().zip(origins).map(link).collect();
    let site = |(index, (name, origin)): (usize, (&'static str, &String))| {
        // Contoso's other site is Litware, and everybody else's is Contoso.
        let other = usize::from(index == 0);
        Site {
            name,
            origin: origin.clone(),
            is_listed: index < LISTED,
            tokens_url: format!(
                "http://{api}/platformservice/v1/applications/{APPLICATION}/anonApplicationTokens"
            ),
            named: listed.to_vec(),
            other: (NAMES[other], origins[other].clone()),
            links: links.join(" · "),
            client: client.clone(),
        }
    };
    Ok(NAMES
        .into_iter()
        .zip(origins)
        .enumerate()
        .map(site)
        .collect())
}

/// A page that leads to those of the sites.
pub(crate) fn index(sites: &[Site]) -> String {
    let links = sites.first().map_or("", |site| &site.links);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>A chat service</title>\
         <p>This is the chat service, which has no pages of its own. Open a site that uses it: {links}"
    )
}

impl Site {
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/", get(page))
            .route("/framed", get(framed))
            .route("/end-session", post(end_session))
            .route(
                "/chat.js",
                get(|| asset("text/javascript", include_str!("chat.js"))),
            )
            .route(
                "/chat.css",
                get(|| asset("text/css", include_str!("chat.css"))),
            )
            .with_state(Arc::new(self))
    }

    /// What a page needs to begin: a token, which the service gives this server, and a link.
    pub(crate) async fn bootstrap(&self, kind: TokenKind) -> Result<Value, BadGateway> {
        let session = random_id();
        let allowed_origins = match kind {
            TokenKind::Own | TokenKind::Expired => self.named.join(";"),
            TokenKind::Other => self.other.1.clone(),
        };
        let mut order = json!({
            "applicationSessionId": session,
            "allowedOrigins": allowed_origins,
        });
        if kind == TokenKind::Expired {
            order["expired"] = json!(true);
        }
        let request = self
            .client
            .post(format!(
                "{}?endpointId=sip:helpdesk@contoso.com",
                self.tokens_url
            ))
            .bearer_auth(SECRET)
            .json(&order);
        let issued: Value = request.send().await?.error_for_status()?.json().await?;
        Ok(json!({
            "site": self.name,
            "kind": self.describe(kind),
            "session": session,
            "token": issued["token"],
            "discover": issued["_links"]["service:discover"]["href"],
        }))
    }

    /// Only the site's server may end a session.
    pub(crate) async fn end_session(&self, session: &str) -> Result<(), BadGateway> {
        let mut url = reqwest::Url::parse(&self.tokens_url).map_err(|_| BadGateway)?;
        let mut segments = url.path_segments_mut().map_err(|()| BadGateway)?;
        segments.push(session);
        drop(segments);
        let request = self.client.delete(url).bearer_auth(SECRET);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    /// The token in words.
    fn describe(&self, kind: TokenKind) -> String {
        match (kind, self.is_listed) {
            (TokenKind::Own, true) => "its own token".to_owned(),
            (TokenKind::Own, false) => format!("a token of {}", self.other.0),
            (TokenKind::Expired, _) => "an expired token".to_owned(),
            (TokenKind::Other, _) => format!("a token for {} alone", self.other.0),
        }
    }
}

/// Which token the page is given.
#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TokenKind {
    #[default]
    Own,
    /// One whose time is over.
    Expired,
    /// One that names the other site alone.
    Other,
}

#[derive(Deserialize)]
struct PageQuery {
    #[serde(default)]
    token: TokenKind,
}

async fn page(
    State(site): State<Arc<Site>>,
    Query(query): Query<PageQuery>,
) -> Result<Response, BadGateway> {
    let bootstrap = site.bootstrap(query.token).await?.to_string();
    let page = include_str!("page.html")
        .replace("{{name}}", site.name)
        .replace("{{own}}", &site.describe(TokenKind::Own))
        .replace("{{expired}}", &site.describe(TokenKind::Expired))
        .replace("{{other}}", &site.describe(TokenKind::Other))
        .replace("{{links}}", &site.links)
        // A `</script>` in the text would end the script element.
        .replace("{{bootstrap}}", &bootstrap.replace('<', "\\u003c"));
    Ok(([(header::CACHE_CONTROL, "no-store")], Html(page)).into_response())
}

async fn framed(State(site): State<Arc<Site>>) -> Html<String> {
    Html(include_str!("framed.html").replace("{{name}}", site.name))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EndSession {
    application_session_id: String,
}

/// The page asks its own server, which may end the session.
async fn end_session(
    State(site): State<Arc<Site>>,
    Json(ended): Json<EndSession>,
) -> Result<StatusCode, BadGateway> {
    site.end_session(&ended.application_session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, content_type)], text)
}

/// The service cannot be reached, or says no.
#[derive(Debug, thiserror::Error)]
#[error("the chat service gave no token")]
pub(crate) struct BadGateway;

impl From<reqwest::Error> for BadGateway {
    fn from(_: reqwest::Error) -> Self {
        Self
    }
}

impl IntoResponse for BadGateway {
    fn into_response(self) -> Response {
        (StatusCode::BAD_GATEWAY, self.to_string()).into_response()
    }
}
