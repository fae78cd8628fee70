use std::{net::SocketAddr, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

/// A call of the doctor.
#[derive(Clone, Default)]
pub(crate) struct Doctor {
    args: Vec<String>,
    stdin: Option<String>,
}

pub(crate) struct Report {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The objects on standard output, where it was asked for them.
    pub(crate) objects: Vec<Value>,
}

impl Doctor {
    pub(crate) fn new(url: &str) -> Self {
        Self::default().arg(url)
    }

    pub(crate) fn page(self, origin: &str) -> Self {
        self.args(["--origin", origin])
    }

    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    pub(crate) fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(args.into_iter().map(str::to_owned));
        self
    }

    /// Leads `host:port` of a URL to a server of the test.
    pub(crate) fn at(self, host_and_port: &str, address: SocketAddr) -> Self {
        let rule = format!("{host_and_port}:{}:{}", address.ip(), address.port());
        self.args(["--connect-to", &rule])
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.to_owned());
        self
    }

    /// Runs it with `--json`.
    pub(crate) async fn run(self) -> Report {
        let mut report = self.arg("--json").run_as_it_is().await;
        report.objects = report
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect();
        report
    }

    pub(crate) async fn run_as_it_is(self) -> Report {
        const PATIENCE: Duration = Duration::from_secs(120);
        let mut child = Command::new(env!("CARGO_BIN_EXE_cors-doctor"))
            .args(&self.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        if let Some(text) = &self.stdin {
            stdin.write_all(text.as_bytes()).await.unwrap();
        }
        drop(stdin);
        let output = timeout(PATIENCE, child.wait_with_output())
            .await
            .unwrap_or_else(|_| panic!("the doctor does not end: {:?}", self.args))
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Report {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr,
            objects: Vec::new(),
        }
    }
}

impl Report {
    pub(crate) fn json(&self) -> &Value {
        let [one] = &self.objects[..] else {
            panic!("one object: {} {}", self.stdout, self.stderr);
        };
        one
    }

    pub(crate) fn verdict(&self) -> &str {
        self.json()["verdict"].as_str().unwrap()
    }

    /// The code, or nothing.
    pub(crate) fn cause(&self) -> &str {
        self.json()["cause"].as_str().unwrap_or_default()
    }

    pub(crate) fn warnings(&self) -> Vec<&str> {
        let warnings = self.json()["warnings"].as_array().unwrap();
        warnings
            .iter()
            .map(|w| w["code"].as_str().unwrap())
            .collect()
    }

    /// All that the fix says, code and all; without a cause the warnings.
    pub(crate) fn advice(&self) -> String {
        let json = self.json();
        if json["cause"].is_null() {
            json["warnings"].to_string()
        } else {
            json["fix"].to_string()
        }
    }

    /// Whether the advice has one of the alternatives, in any case.
    pub(crate) fn advises(&self, alternatives: &str) -> bool {
        let advice = self.advice().to_lowercase();
        alternatives
            .split('|')
            .any(|text| advice.contains(&text.to_lowercase()))
    }
}
