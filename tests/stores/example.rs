//! The example itself on a shared store, checking itself over real sockets.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{
    scene::insist,
    server::{Kind, Server},
};

#[test]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
fn the_example_checks_itself_on_postgres() {
    checks_itself(Kind::Postgres);
}

#[test]
#[ignore = "needs nats-server: run scripts/stores.sh"]
fn the_example_checks_itself_on_nats() {
    checks_itself(Kind::Nats);
}

fn checks_itself(kind: Kind) {
    let server = Server::start(kind);
    let url = server.url_at(server.port());
    // Two processes of three replicas each; both add and remove entries of their own.
    let check = || {
        let mut command = Command::new(built_example());
        command.args(["--check", "--replicas", "3", "--store", &url]);
        command.output().expect("the example starts")
    };
    let outputs = std::thread::scope(|scope| {
        let running = [scope.spawn(check), scope.spawn(check)];
        running.map(|check| check.join().unwrap())
    });
    for output in outputs {
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{errors}");
        assert!(said.contains("steps are as they must be"), "{said}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn the_example_starts_before_its_database() {
    let mut server = Server::start(Kind::Postgres);
    let url = server.url_at(server.port());
    server.kill();
    let mut command = tokio::process::Command::new(built_example());
    command.args(["--store", &url]).stdout(Stdio::piped());
    let mut process = command.kill_on_drop(true).spawn().expect("it starts");
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
    let first = said.next_line().await.unwrap().expect("it says something");
    let address = first.strip_prefix("listening on ").expect(&first);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let replicas = format!("http://{address}/api/v1/replicas");
    let is_connected = async || {
        let request = client.get(&replicas).bearer_auth("demo-admin");
        let answer = request.send().await.expect("it answers");
        let answer: serde_json::Value = answer.json().await.unwrap();
        answer["replicas"][0]["connected"] == true
    };
    assert!(!is_connected().await);

    server.restart();
    insist("the replica finds its table", async || {
        is_connected().await.then_some(()).ok_or("it does not")
    })
    .await;
}

/// Where cargo puts examples, beside the tests.
fn built_example() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let target = test.parent().and_then(|deps| deps.parent());
    let example = target
        .expect("tests are in target/<profile>/deps")
        .join("examples/trusted_origins");
    assert!(
        example.exists(),
        "{} is not there: build it first, as scripts/stores.sh does",
        example.display()
    );
    example
}
