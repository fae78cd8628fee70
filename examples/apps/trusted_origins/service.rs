//! The service that pages of other origins call, endpoint by endpoint.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{
        HeaderMap, StatusCode, Uri,
        header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, SET_COOKIE},
    },
    middleware::from_fn_with_state,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_cors::{
    ConfigErrors,
    routes::{MethodCorsRouter, MethodRule},
};

use crate::replica::{Replica, note_refusals};

/// A real service gives every user another session, and other tokens.
const SESSION: &str = "session=demo-session";
const TOKEN: &str = "Bearer demo-token";

pub(crate) fn router(replica: &Arc<Replica>) -> Result<Router, ConfigErrors> {
    // Pages that use the user's cookies need an entry. Pages with a token need none.
    let rule = MethodRule::trusted_or_bearer(replica.origins.clone()).allow_headers([CONTENT_TYPE]);
    let profile = MethodCorsRouter::new()
        .get(show, rule.clone())
        .put(change, rule)
        .build()?;
    let metadata = MethodCorsRouter::new()
        .get(metadata, MethodRule::public_any_origin())
        .build()?;
    Ok(Router::new()
        .route("/profile", profile)
        .route("/.well-known/metadata", metadata)
        // Navigations, not calls of pages: no CORS.
        .route("/sign-in", get(sign_in))
        .route("/badge", get(badge))
        .layer(from_fn_with_state(Arc::clone(replica), note_refusals))
        .with_state(Arc::clone(replica)))
}

async fn show(headers: HeaderMap) -> Response {
    match caller(&headers) {
        Some(how) => Json(json!({"user": "Ada", "known by": how})).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn change(headers: HeaderMap, Json(_): Json<Value>) -> Response {
    match caller(&headers) {
        Some(how) => Json(json!({"changed": true, "known by": how})).into_response(),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn metadata() -> Json<Value> {
    Json(json!({"name": "A service with trusted origins"}))
}

fn caller(headers: &HeaderMap) -> Option<&'static str> {
    let cookies = headers.get_all(COOKIE).iter();
    let cookies = cookies.filter_map(|line| line.to_str().ok());
    if cookies
        .flat_map(|line| line.split("; "))
        .any(|cookie| cookie == SESSION)
    {
        return Some("cookie");
    }
    let is_token = headers
        .get(AUTHORIZATION)
        .is_some_and(|value| value == TOKEN);
    is_token.then_some("token")
}

#[derive(Deserialize)]
struct SignIn {
    #[serde(default)]
    redirect_uri: String,
}

/// Starts a session, and sends the browser back where it came from if that may be.
async fn sign_in(State(replica): State<Arc<Replica>>, Query(query): Query<SignIn>) -> Response {
    let cookie = [(
        SET_COOKIE,
        format!("{SESSION}; Path=/; HttpOnly; SameSite=Lax"),
    )];
    let target = query.redirect_uri.parse::<Uri>().ok();
    match target.filter(|target| replica.origins.is_redirect_allowed(target)) {
        Some(target) => (cookie, Redirect::to(&target.to_string())).into_response(),
        None => {
            let page = "<!doctype html><title>Signed in</title><p>Signed in. To be sent back to a \
                        page, its origin needs the scope REDIRECT.";
            (cookie, Html(page)).into_response()
        }
    }
}

/// A page for frames of trusted origins.
async fn badge(State(replica): State<Arc<Replica>>) -> impl IntoResponse {
    let policy = format!("frame-ancestors {}", replica.origins.frame_ancestors());
    let page = "<!doctype html><title>Badge</title><p>In good standing";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(page))
}
