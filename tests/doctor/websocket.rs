use axum::{
    Router,
    extract::{Request, ws::WebSocketUpgrade},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::any,
};
use http::StatusCode;

use crate::support::{Doctor, PAGE, Server, by_hand, reply};

const URL: &str = "ws://127.0.0.1:8080/live";

fn open() -> Router {
    Router::new().route(
        "/live",
        any(async |ws: WebSocketUpgrade| ws.on_upgrade(async |_| ())),
    )
}

async fn check_origin(request: Request, next: Next) -> Response {
    if request
        .headers()
        .get("origin")
        .is_some_and(|origin| origin == PAGE)
    {
        return next.run(request).await;
    }
    StatusCode::FORBIDDEN.into_response()
}

#[tokio::test]
async fn handshakes() {
    let checked = Server::start(open().layer(from_fn(check_origin))).await;
    let doctor = |page: &str, server: &Server| {
        Doctor::new(URL)
            .page(page)
            .args(["--cookie", "sid=1"])
            .at("127.0.0.1:8080", server.address)
    };
    let report = doctor(PAGE, &checked).run().await;
    assert_eq!(
        (report.verdict(), report.warnings()),
        ("readable", vec![]),
        "{}",
        report.stdout
    );
    assert_eq!(report.json()["status"], 101);
    assert_eq!(report.json()["steps"][0]["kind"], "websocket");
    let seen = checked.seen();
    assert_eq!(seen[0].headers["cookie"], "sid=1");
    assert!(
        !seen[1].headers.contains_key("cookie"),
        "a probe has no cookies"
    );

    let report = doctor("https://b.example", &checked).run().await;
    assert_eq!(
        (report.verdict(), report.cause(), report.code),
        ("blocked", "websocket-refused", 1)
    );
    assert!(report.advises("https://b.example"));
    assert_eq!(
        report.json()["console"],
        "Error during WebSocket handshake: Unexpected response code: 403"
    );

    let anybody = Server::start(open()).await;
    let report = doctor(PAGE, &anybody)
        .args(["-H", "Authorization: x"])
        .run()
        .await;
    assert_eq!(report.verdict(), "readable");
    assert_eq!(
        report.warnings(),
        ["header-dropped", "websocket-any-origin"]
    );

    let anybody = Server::start(open()).await;
    let with_token =
        || doctor(PAGE, &anybody).args(["-H", "Sec-WebSocket-Protocol: graphql-ws, s3cr3t-t0k3n"]);
    for report in [with_token().run().await, with_token().run_as_it_is().await] {
        assert!(!report.stdout.contains("s3cr3t"), "{}", report.stdout);
    }
    let protocols: Vec<_> = anybody
        .seen()
        .iter()
        .map(|seen| seen.headers["sec-websocket-protocol"].clone())
        .collect();
    let own = "graphql-ws, s3cr3t-t0k3n";
    assert_eq!(protocols, [own, "graphql-ws", own, "graphql-ws"]);

    let no_upgrade = Server::start(by_hand(|_| reply(200, &[]))).await;
    let report = doctor(PAGE, &no_upgrade).run().await;
    assert_eq!(
        (report.verdict(), report.cause()),
        ("blocked", "websocket-not-upgraded")
    );
    assert!(report.advises("Upgrade") && report.advises("proxy"));
}
