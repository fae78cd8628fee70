//! The admin API and page. Neither is for pages of other origins, so neither has a CORS layer;
//! and administrators authenticate with a token, so no other site can use their cookies.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRef, Path, Query, Request, State},
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{
            AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH,
            LINK,
        },
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use reqwest::Url;
use serde::Deserialize;
use serde_json::{Value, json};
use tower_cors::trusted::{
    Actor, EntryId, OriginDraft, OriginRecord, Scope, Scopes, Status, TrustedOrigin, Version,
};

use crate::{
    problem::Problem,
    replica::{Replica, Replicas},
};

const ENTRIES: &str = "/api/v1/trustedOrigins";
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 200;
const MAX_BODY: usize = 16 * 1024;

pub(crate) fn router(replica: Arc<Replica>, all: Replicas, token: &str) -> Router {
    let state = Admin { replica, all };
    let id = format!("{ENTRIES}/{{id}}");
    let api = Router::new()
        .route(ENTRIES, get(list).post(create))
        .route(&id, get(fetch).put(replace).delete(delete))
        .route(&format!("{id}/lifecycle/activate"), post(activate))
        .route(&format!("{id}/lifecycle/deactivate"), post(deactivate))
        .route("/api/v1/replicas", get(replicas))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Arc::<str>::from(token), authenticate));
    let page = Router::new()
        .route(
            "/admin",
            get(|| asset("text/html", include_str!("admin.html"))),
        )
        .route(
            "/admin.js",
            get(|| asset("text/javascript", include_str!("admin.js"))),
        )
        .route(
            "/admin.css",
            get(|| asset("text/css", include_str!("admin.css"))),
        );
    api.merge(page).with_state(state)
}

#[derive(Clone)]
struct Admin {
    replica: Arc<Replica>,
    all: Replicas,
}

impl FromRef<Admin> for Arc<Replica> {
    fn from_ref(admin: &Admin) -> Self {
        Arc::clone(&admin.replica)
    }
}

async fn authenticate(State(token): State<Arc<str>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match given == Some(&*token) {
        true => next.run(request).await,
        false => Problem::unauthorized().into_response(),
    }
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    q: String,
    status: Option<String>,
    scope: Option<String>,
    after: Option<String>,
    limit: Option<String>,
}

/// The entries whose name or origin begins with `q`, in the order in which they were made.
async fn list(
    State(replica): State<Arc<Replica>>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let status: Option<Status> = query.status.as_deref().map(str::parse).transpose()?;
    let scope: Option<Scope> = query.scope.as_deref().map(str::parse).transpose()?;
    let after: Option<EntryId> = query.after.as_deref().map(str::parse).transpose()?;
    let limit = match query.limit.as_deref().map(str::parse) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit @ 1..=MAX_LIMIT)) => limit,
        Some(_) => {
            let cause = format!("limit: write a number from 1 to {MAX_LIMIT}");
            return Err(Problem::field(StatusCode::BAD_REQUEST, "limit", cause));
        }
    };
    let begins = |text: &str| {
        let beginning = text.get(..query.q.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(&query.q))
    };
    let keep = |entry: &TrustedOrigin| {
        (begins(entry.name()) || begins(entry.pattern().as_str()))
            && status.is_none_or(|status| entry.status() == status)
            && scope.is_none_or(|scope| entry.scopes().contains(scope))
    };
    // One more tells whether there is a next page.
    let mut found = replica.origins.list(after, limit + 1, keep);
    let has_more = found.len() > limit;
    found.truncate(limit);
    let records: Vec<OriginRecord> = found.iter().map(|entry| (&**entry).into()).collect();
    let mut response = Json(&records).into_response();
    if let (true, Some(last)) = (has_more, found.last()) {
        let mut next = Url::parse("http://none.invalid").expect("it is a URL");
        let id = last.id().to_string();
        let limit = limit.to_string();
        next.query_pairs_mut()
            .extend_pairs([("after", &id), ("limit", &limit), ("q", &query.q)])
            .extend_pairs(query.status.map(|status| ("status", status)))
            .extend_pairs(query.scope.map(|scope| ("scope", scope)));
        let query = next.query().unwrap_or_default();
        let link = format!("<{ENTRIES}?{query}>; rel=\"next\"");
        // A query in this form is always a header value.
        if let Ok(link) = link.parse() {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

async fn fetch(
    State(replica): State<Arc<Replica>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let entry = replica.store.fetch(parse_id(&id)?).await?;
    Ok(shown(&entry).into_response())
}

async fn create(
    State(replica): State<Arc<Replica>>,
    body: Bytes,
) -> Result<impl IntoResponse, Problem> {
    let entry = replica.store.create(parse_draft(&body)?, admin()?).await?;
    replica.serves(entry.version()).await;
    Ok((StatusCode::CREATED, shown(&entry)))
}

async fn replace(
    State(replica): State<Arc<Replica>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let (id, expected) = (parse_id(&id)?, parse_if_match(&headers)?);
    let draft = parse_draft(&body)?;
    let entry = replica.store.replace(id, expected, draft, admin()?).await?;
    replica.serves(entry.version()).await;
    Ok(shown(&entry).into_response())
}

async fn delete(
    State(replica): State<Arc<Replica>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (id, expected) = (parse_id(&id)?, parse_if_match(&headers)?);
    let version = replica.store.delete(id, expected, admin()?).await?;
    replica.serves(version).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn activate(
    state: State<Arc<Replica>>,
    id: Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    set_status(state, id, headers, Status::Active).await
}

async fn deactivate(
    state: State<Arc<Replica>>,
    id: Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    set_status(state, id, headers, Status::Inactive).await
}

async fn set_status(
    State(replica): State<Arc<Replica>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    status: Status,
) -> Result<Response, Problem> {
    let (id, expected) = (parse_id(&id)?, parse_if_match(&headers)?);
    let edit = replica.store.set_status(id, expected, status, admin()?);
    let entry = edit.await?;
    replica.serves(entry.version()).await;
    Ok(shown(&entry).into_response())
}

/// How it goes with each replica.
async fn replicas(State(admin): State<Admin>) -> Json<Value> {
    let statuses: Vec<Value> = admin.all.iter().map(|replica| replica.status()).collect();
    Json(json!({"this": admin.replica.url(), "replicas": statuses}))
}

/// An entry, with its version for `If-Match`.
fn shown(entry: &TrustedOrigin) -> ([(HeaderName, String); 1], Json<OriginRecord>) {
    let tag = format!("\"{}\"", entry.version());
    ([(ETAG, tag)], Json(entry.into()))
}

/// A real service has an account for each administrator.
fn admin() -> Result<Actor, Problem> {
    Ok(Actor::new("demo admin")?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    origin: String,
    scopes: Vec<String>,
    #[serde(default)]
    allow_credentials: bool,
    status: Option<String>,
}

fn parse_draft(body: &[u8]) -> Result<OriginDraft, Problem> {
    let written: Written =
        serde_json::from_slice(body).map_err(|error| Problem::malformed(error.to_string()))?;
    let scopes = written.scopes.iter().map(|scope| scope.parse::<Scope>());
    let scopes = scopes.collect::<Result<Scopes, _>>()?;
    let status = written.status.as_deref().map(str::parse).transpose()?;
    Ok(OriginDraft::new(&written.name, &written.origin, scopes)?
        .credentials(written.allow_credentials)?
        .with_status(status.unwrap_or_default()))
}

/// What is no id is the id of nothing.
fn parse_id(id: &str) -> Result<EntryId, Problem> {
    id.parse().map_err(|_| Problem::not_found(id))
}

/// The version that an edit was made from, if it says so.
fn parse_if_match(headers: &HeaderMap) -> Result<Option<Version>, Problem> {
    let Some(value) = headers.get(IF_MATCH) else {
        return Ok(None);
    };
    let number = value.to_str().ok().and_then(|text| {
        let number = text.strip_prefix('"')?.strip_suffix('"')?;
        number.parse().ok()
    });
    match number {
        Some(number) => Ok(Some(Version::new(number))),
        None => {
            let cause = "If-Match: write the ETag of the entry, as in \"7\"".to_owned();
            Err(Problem::field(StatusCode::BAD_REQUEST, "If-Match", cause))
        }
    }
}

async fn asset(content_type: &'static str, text: &'static str) -> impl IntoResponse {
    let content_type = format!("{content_type}; charset=utf-8");
    let policy = "default-src 'self'; img-src data:; frame-ancestors 'none'".to_owned();
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-cache".to_owned()),
    ];
    (headers, text)
}
