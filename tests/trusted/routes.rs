//! One service, several rules: the registry behind routes of axum, over real sockets.

use axum::Router;
use tower_cors::{
    DeniedRequests, OriginSet,
    routes::{MethodCorsRouter, MethodRule},
    trusted::store::{EmbeddedStore, OriginStore},
};

use super::{admin, cors};
use crate::support::sockets::{ask, serve};

const TRUSTED: &str = "https://app.example";
const LOGIN: &str = "https://login.example";
const STRANGER: &str = "https://evil.example";

fn app(store: &EmbeddedStore) -> Router {
    let origins = store.origins().clone();
    let api = MethodRule::trusted_or_bearer(origins.clone());
    let sign_in = MethodRule::trusted_only(OriginSet::parse([LOGIN]).unwrap())
        .allow_credentials(true)
        .allow_headers(["content-type"])
        .denied_requests(DeniedRequests::Refuse);
    let users = MethodCorsRouter::new()
        .get(async || "users", api.clone())
        .post(async || "created", api)
        .delete(async || "gone", MethodRule::trusted_only(origins));
    let token = MethodCorsRouter::new().post(async || "token", sign_in);
    let metadata = MethodCorsRouter::new().get(async || "{}", MethodRule::public_any_origin());
    Router::new()
        .route("/users", users.build().unwrap())
        .route("/token", token.build().unwrap())
        .route("/.well-known/metadata", metadata.build().unwrap())
}

fn head(method: &str, path: &str, origin: &str, more: &[&str]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\norigin: {origin}");
    for line in more {
        head = format!("{head}\r\n{line}");
    }
    head
}

fn allowed<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    let line = lines.iter().find(|line| line.starts_with(name))?;
    line.split_once(": ").map(|(_, value)| value)
}

const ORIGIN: &str = "access-control-allow-origin";
const CREDENTIALS: &str = "access-control-allow-credentials";

#[tokio::test]
async fn each_endpoint_has_its_own_rule() {
    let store = EmbeddedStore::in_memory();
    let entry = cors(TRUSTED).allow_credentials(true).unwrap();
    store.create(entry, admin()).await.unwrap();
    let at = serve(app(&store)).await;
    let cookie = "cookie: session=1";
    let bearer = "authorization: Bearer t";
    for (request, status, origin, credentials) in [
        // Cookie callers by the registry, bearer callers from anywhere, without credentials.
        (
            head("GET", "/users", TRUSTED, &[cookie]),
            200,
            Some(TRUSTED),
            true,
        ),
        (head("GET", "/users", STRANGER, &[cookie]), 403, None, false),
        (
            head("GET", "/users", STRANGER, &[bearer]),
            200,
            Some(STRANGER),
            false,
        ),
        (
            head("GET", "/users", TRUSTED, &[bearer]),
            200,
            Some(TRUSTED),
            false,
        ),
        (
            head("GET", "/users", STRANGER, &[bearer, cookie]),
            403,
            None,
            false,
        ),
        (
            head("GET", "/users", TRUSTED, &[bearer, cookie]),
            200,
            Some(TRUSTED),
            true,
        ),
        // A method for cookie callers only.
        (
            head("DELETE", "/users", STRANGER, &[bearer]),
            403,
            None,
            false,
        ),
        (
            head("DELETE", "/users", TRUSTED, &[cookie]),
            200,
            Some(TRUSTED),
            true,
        ),
        // Sign-in has a list of its own, which the registry does not widen.
        (
            head("POST", "/token", LOGIN, &[cookie]),
            200,
            Some(LOGIN),
            true,
        ),
        (head("POST", "/token", TRUSTED, &[cookie]), 403, None, false),
        // Metadata is for everybody.
        (
            head("GET", "/.well-known/metadata", STRANGER, &[]),
            200,
            Some("*"),
            false,
        ),
        // The page itself, which browsers name as origin of its own POST.
        (
            head(
                "POST",
                "/users",
                "http://api.example",
                &["sec-fetch-site: same-origin"],
            ),
            200,
            None,
            false,
        ),
    ] {
        let (got, lines, _) = ask(at, &request).await;
        assert_eq!(got, status, "{request}");
        assert_eq!(allowed(&lines, ORIGIN), origin, "{request}");
        assert_eq!(
            allowed(&lines, CREDENTIALS).is_some(),
            credentials,
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_deactivated_origin_is_refused_from_the_next_request_on() {
    let store = EmbeddedStore::in_memory();
    let entry = cors(TRUSTED).allow_credentials(true).unwrap();
    let entry = store.create(entry, admin()).await.unwrap();
    let at = serve(app(&store)).await;
    let get = head("GET", "/users", TRUSTED, &["cookie: session=1"]);
    let preflight = head(
        "OPTIONS",
        "/users",
        TRUSTED,
        &["access-control-request-method: DELETE"],
    );
    for _ in 0..3 {
        assert_eq!(ask(at, &get).await.0, 200);
        assert_eq!(ask(at, &preflight).await.0, 204);
        store.deactivate(entry.id(), None, admin()).await.unwrap();
        let (status, lines, body) = ask(at, &get).await;
        assert_eq!((status, &*body), (403, ""));
        assert_eq!(
            lines,
            [
                "cache-control: no-store",
                "content-length: 0",
                "vary: origin,authorization,cookie"
            ]
        );
        assert_eq!(ask(at, &preflight).await.0, 403);
        store.activate(entry.id(), None, admin()).await.unwrap();
    }
}
