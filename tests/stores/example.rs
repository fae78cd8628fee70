//! The example itself on a shared store, checking itself over real sockets.

use std::{path::PathBuf, process::Command};

use crate::server::{Kind, Server};

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
    // Two processes of two replicas each; both add and remove entries of their own.
    let check = || {
        let mut command = Command::new(built_example());
        command.args(["--check", "--replicas", "2", "--store", &url]);
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
