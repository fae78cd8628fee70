//! The admin API and page. Neither is for pages of other origins, so neither has a CORS layer;
//! and administrators authenticate with a token, so no other site can use their cookies.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRef, RawQuery, Request, State},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{
            AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LINK,
            REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use reqwest::Url;
use serde_json::{Value, json};
use tower_cors::trusted::entry::{Actor, OriginRecord, Status, TrustedOrigin};

use crate::{
    access::{AdminHosts, AdminToken},
    input::{Draft, Id, IfMatch, ListQuery},
    peers::{OF_THIS_PROCESS, Peers},
    problem::Problem,
    replica::{Replica, Replicas},
};

const ENTRIES: &str = "/api/v1/trustedOrigins";
const MAX_BODY: usize = 16 * 1024;

pub(crate) fn router(
    replica: Arc<Replica>,
    all: Replicas,
    peers: Peers,
    token: AdminToken,
    hosts: AdminHosts,
) -> Router {
    let state = Admin {
        replica,
        all,
        peers,
    };
    let id = format!("{ENTRIES}/{{id}}");
    let api = Router::new()
        .route(ENTRIES, get(list).post(create))
        .route(&id, get(fetch).put(replace).delete(delete))
        .route(&format!("{id}/lifecycle/activate"), post(activate))
        .route(&format!("{id}/lifecycle/deactivate"), post(deactivate))
        .route("/api/v1/replicas", get(replicas))
        .route(OF_THIS_PROCESS, get(replicas_of_this_process))
        .route("/api/{*path}", any(async || Problem::no_endpoint()))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(token, authenticate));
    let page = Router::new()
        // People open the first address that the program prints.
        .route("/", get(async || Redirect::to("/admin")))
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
    // Outermost: a request under a foreign name learns nothing, not even whether its token is right.
    api.merge(page)
        .layer(from_fn(protect))
        .layer(from_fn_with_state(hosts, check_host))
        .with_state(state)
}

#[derive(Clone)]
struct Admin {
    replica: Arc<Replica>,
    all: Replicas,
    peers: Peers,
}

impl FromRef<Admin> for Arc<Replica> {
    fn from_ref(admin: &Admin) -> Self {
        Arc::clone(&admin.replica)
    }
}

async fn check_host(State(hosts): State<AdminHosts>, request: Request, next: Next) -> Response {
    if hosts.allows(request.uri(), request.headers()) {
        next.run(request).await
    } else {
        Problem::misdirected().into_response()
    }
}

/// Headers that keep browsers from guessing content types, from sending this address to other sites,
/// and from storing answers.
async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn authenticate(State(token): State<AdminToken>, request: Request, next: Next) -> Response {
    let given = request.headers().get(AUTHORIZATION);
    let given = given.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if given.is_some_and(|given| token.is(given)) {
        next.run(request).await
    } else {
        Problem::unauthorized().into_response()
    }
}

/// The entries whose name or origin begins with `q`, in the order in which they were made.
async fn list(
    State(replica): State<Arc<Replica>>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = ListQuery::parse(query.as_deref().unwrap_or_default())?;
    let limit = query.limit;
    let begins = |text: &str| {
        let beginning = text.get(..query.q.len());
        beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(&query.q))
    };
    let keep = |entry: &TrustedOrigin| {
        (begins(entry.name()) || begins(entry.pattern().as_str()))
            && query.status.is_none_or(|status| entry.status() == status)
            && query
                .scope
                .is_none_or(|scope| entry.scopes().contains(scope))
    };
    // One more tells whether there is a next page.
    // A search that finds little looks at all entries: other requests are served meanwhile.
    let mut found = replica.origins.search(query.after, limit + 1, keep).await;
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
            .extend_pairs(query.status.map(|status| ("status", status.as_str())))
            .extend_pairs(query.scope.map(|scope| ("scope", scope.as_str())));
        let query = next.query().unwrap_or_default();
        let link = format!("<{ENTRIES}?{query}>; rel=\"next\"");
        // A query in this form is always a header value.
        if let Ok(link) = link.parse() {
            response.headers_mut().insert(LINK, link);
        }
    }
    Ok(response)
}

async fn fetch(State(replica): State<Arc<Replica>>, Id(id): Id) -> Result<Response, Problem> {
    let entry = replica.store.fetch(id).await?;
    Ok(shown(&entry).into_response())
}

async fn create(
    State(replica): State<Arc<Replica>>,
    Draft(draft): Draft,
) -> Result<impl IntoResponse, Problem> {
    let entry = replica.store.create(draft, admin()?).await?;
    replica.serves(entry.version()).await;
    Ok((StatusCode::CREATED, shown(&entry)))
}

async fn replace(
    State(replica): State<Arc<Replica>>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Draft(draft): Draft,
) -> Result<Response, Problem> {
    let entry = replica.store.replace(id, expected, draft, admin()?).await?;
    replica.serves(entry.version()).await;
    Ok(shown(&entry).into_response())
}

async fn delete(
    State(replica): State<Arc<Replica>>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    let version = replica.store.delete(id, expected, admin()?).await?;
    replica.serves(version).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn activate(state: State<Arc<Replica>>, id: Id, at: IfMatch) -> Result<Response, Problem> {
    set_status(state, id, at, Status::Active).await
}

async fn deactivate(state: State<Arc<Replica>>, id: Id, at: IfMatch) -> Result<Response, Problem> {
    set_status(state, id, at, Status::Inactive).await
}

async fn set_status(
    State(replica): State<Arc<Replica>>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    status: Status,
) -> Result<Response, Problem> {
    let edit = replica.store.set_status(id, expected, status, admin()?);
    let entry = edit.await?;
    replica.serves(entry.version()).await;
    Ok(shown(&entry).into_response())
}

/// How it goes with each replica: those of this process, and those of its peers.
async fn replicas(State(admin): State<Admin>) -> Json<Value> {
    let mut replicas = own_replicas(&admin);
    for (shown, replica) in replicas.iter_mut().zip(&*admin.all) {
        shown["this"] = json!(Arc::ptr_eq(replica, &admin.replica));
    }
    replicas.extend(admin.peers.replicas().await);
    Json(json!({"replicas": replicas}))
}

/// For peers, which would ask each other in a circle.
async fn replicas_of_this_process(State(admin): State<Admin>) -> Json<Value> {
    Json(json!({"replicas": own_replicas(&admin)}))
}

fn own_replicas(admin: &Admin) -> Vec<Value> {
    admin.all.iter().map(|replica| replica.status()).collect()
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
