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

#[test]
#[ignore = "needs the example: run scripts/stores.sh"]
fn the_example_shows_no_other_machine_its_admin_page_with_the_token_that_all_know() {
    let refused = Command::new(built_example())
        .args(["--listen", "0.0.0.0:0"])
        .output()
        .expect("the example starts");
    assert!(!refused.status.success());
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(errors.starts_with("--admin-token: "), "{errors}");
}

/// An unset variable in a command line, and texts that no header may have.
#[test]
#[ignore = "needs the example: run scripts/stores.sh"]
fn the_example_does_not_start_with_a_token_that_is_none() {
    for token in ["", " ", "=", "50%", "schl\u{fc}ssel"] {
        let refused = Command::new(built_example())
            .args(["--admin-token", token])
            .output()
            .expect("the example starts");
        assert!(!refused.status.success(), "{token:?}");
        let errors = String::from_utf8_lossy(&refused.stderr);
        assert!(errors.starts_with("--admin-token: "), "{errors}");
    }
}

/// Each listens at every address of its machine, so by its own word both are the same.
#[tokio::test]
#[ignore = "needs the example: run scripts/stores.sh"]
async fn the_example_tells_its_own_replica_from_those_of_a_peer() {
    let options = ["--listen", "0.0.0.0:0", "--admin-token", "secret"];
    let (_peer, peer_port) = listening(&options).await;
    let peer = format!("http://localhost:{peer_port}");
    let (_own, port) = listening(&[&options[..], &["--peer", &peer]].concat()).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let replicas = format!("http://127.0.0.1:{port}/api/v1/replicas");
    let shown = insist("the peer answers", async || {
        let answer = client.get(&replicas).bearer_auth("secret").send().await;
        let answer: serde_json::Value = answer.unwrap().json().await.unwrap();
        let peer = &answer["replicas"][1];
        if peer["unreachable"].is_null() {
            Ok(answer)
        } else {
            Err(peer.to_string())
        }
    })
    .await;
    let urls_and_this: Vec<_> = [0, 1]
        .map(|index| &shown["replicas"][index])
        .map(|replica| (replica["url"].as_str(), replica["this"] == true))
        .into();
    let own = format!("http://0.0.0.0:{port}");
    assert_eq!(urls_and_this, [(Some(&*own), true), (Some(&*peer), false)]);
}

/// The process, and its first replica's port.
async fn listening(options: &[&str]) -> (tokio::process::Child, u16) {
    let mut command = tokio::process::Command::new(built_example());
    command.args(options).stdout(Stdio::piped());
    let mut process = command.kill_on_drop(true).spawn().expect("it starts");
    let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
    let first = said.next_line().await.unwrap().expect("it says something");
    let (_, port) = first.rsplit_once(':').expect(&first);
    // Its output must be read, or it would block.
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    (process, port.parse().unwrap())
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
