//! Clients from npm, in pages: gRPC-Web, Connect, MCP and GraphQL (`tests/clients`).
//!
//! Each calls the server of `examples/apps/rpc_server`, and cannot once the server no longer lists the
//! page's origin. `scripts/clients.sh` bundles the clients.

#[path = "../../../examples/apps/rpc_server/protocols/mod.rs"]
mod protocols;

use axum::{Router, response::Html, routing::get};
use serde_json::json;

use crate::{
    browser::{Window, in_browser},
    engine::{Engine, in_each_engine},
    scene::Scene,
};

in_each_engine! {
    every_client_calls_through_the_layer_and_none_from_another_origin,
    a_client_misses_what_is_not_exposed,
}

/// A client of `tests/clients/src/main.js`.
struct Client {
    name: &'static str,
    /// Below which the server has the client's protocol.
    path: &'static str,
    /// The answer, the number of messages in a stream, and the text of a failure.
    gets: &'static str,
    /// Without a preflight a request arrives although the page is not listed.
    is_simple: bool,
}

const fn client(name: &'static str, path: &'static str, gets: &'static str) -> Client {
    Client {
        name,
        path,
        gets,
        is_simple: false,
    }
}

const CLIENTS: [Client; 15] = [
    client("grpc-web, text", "", "hello, 3, 5 no such text"),
    client("grpc-web, binary", "", "hello, 3, 5 no such text"),
    client("@improbable-eng/grpc-web", "", "hello, 3, 5 no such text"),
    client(
        "@protobuf-ts/grpcweb-transport",
        "",
        // This client does not decode the message.
        "hello, 3, NOT_FOUND no%20such%20text",
    ),
    client("connect-web, gRPC-Web", "", "hello, 3, 5 no such text"),
    client(
        "connect-web, Connect",
        "/connect",
        "hello, 3, 5 no such text",
    ),
    Client {
        is_simple: true,
        ..client(
            "connect-web, Connect with GET",
            "/connect",
            "hello, 3, 5 no such text",
        )
    },
    client("MCP", "", "hello, 1, a session"),
    client("MCP with a token", "", "hello, 1, a session"),
    client("Apollo Client", "", "hello"),
    client("Apollo Client with GET", "", "hello"),
    client("Apollo Client with cookies and a token", "", "hello"),
    client("graphql-request", "", "hello"),
    client("graphql-request with a token", "", "hello"),
    client("graphql-request with cookies and a token", "", "hello"),
];

async fn every_client_calls_through_the_layer_and_none_from_another_origin(engine: Engine) {
    let page = page().await;
    in_browser(engine, async move |window| {
        window.open(&page.url("/")).await;
        let mut wrong = Vec::new();
        for client in &CLIENTS {
            let name = client.name;
            let listed = serve(&page.url("")).await;
            let got = run(&window, name, &listed.url(client.path)).await;
            if got != client.gets {
                wrong.push(format!("{name}: {got:?}, not {:?}", client.gets));
            }

            let unlisted = serve("https://somebody.example").await;
            let got = run(&window, name, &unlisted.url(client.path)).await;
            let arrived = (unlisted.preflights() > 0, unlisted.requests() > 0);
            let expected = (!client.is_simple, client.is_simple);
            if !got.starts_with("failed: ") || arrived != expected {
                wrong.push(format!("{name}, not listed: {got:?}, {arrived:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    })
    .await;
}

/// A gRPC status in the headers, and the session of MCP, are lost where they are not exposed.
async fn a_client_misses_what_is_not_exposed(engine: Engine) {
    let page = page().await;
    in_browser(engine, async move |window| {
        window.open(&page.url("/")).await;
        let origins = [page.url("")];
        let (grpc, mcp) = (
            protocols::grpc::cors(&origins),
            protocols::mcp::cors(&origins),
        );
        for (name, router, cors, gets) in [
            (
                "connect-web, gRPC-Web",
                protocols::grpc::router(),
                grpc,
                "hello, 3, 2 ",
            ),
            ("MCP", protocols::mcp::router(), mcp, "hello, 1, no session"),
        ] {
            let cors = cors.expose_headers(["x-else"]).build().unwrap();
            let scene = Scene::serve(router.layer(cors)).await;
            let got = run(&window, name, &scene.url("")).await;
            assert!(got.starts_with(gets), "{name}: {got:?}");
        }
    })
    .await;
}

/// The server of the example, for the pages of one origin.
async fn serve(origin: &str) -> Scene {
    let router = protocols::router(&[origin.to_owned()]);
    Scene::serve(router.expect("the origin is well-formed")).await
}

async fn run(window: &Window, client: &str, server: &str) -> String {
    let run = "return window.wrappedJSObject?.runClient(args[0], args[1]) ?? window.runClient(args[0], args[1]);";
    let args = vec![json!(client), json!(server)];
    let got = window.run(run, args).await;
    got.as_str().expect("clients return texts").to_owned()
}

/// A page with the bundled clients.
async fn page() -> Scene {
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/target/clients/clients.js");
    let script = std::fs::read_to_string(bundle)
        .unwrap_or_else(|error| panic!("{bundle}: {error}: run scripts/clients.sh"));
    let html = "<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><title>Clients</title>\
                <script src=/clients.js></script>";
    let javascript = [("content-type", "text/javascript")];
    let router = Router::new()
        .route("/", get(async move || Html(html)))
        .route("/clients.js", get(async move || (javascript, script)));
    Scene::serve(router).await
}
