use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::Process;

/// `examples/apps/trusted_application`, running.
pub(crate) struct Application {
    pub(crate) api: String,
    pub(crate) messaging: String,
    pub(crate) contoso: String,
    pub(crate) litware: String,
    pub(crate) fabrikam: String,
    _process: Process,
}

impl Application {
    pub(crate) async fn start() -> Self {
        let mut command = Command::new(built_example("trusted_application"));
        command.args(["--listen", "127.0.0.1:0"]);
        let mut process = Process::start(command);
        let api = format!("http://{}", process.line_after("listening on ").await);
        let messaging = format!("http://{}", process.line_after("messaging on ").await);
        let mut origins = Vec::new();
        for name in ["Contoso: ", "Litware: ", "Fabrikam: "] {
            let line = process.line_after(name).await;
            let origin = line.split(' ').next().unwrap_or_default();
            origins.push(origin.to_owned());
        }
        let [contoso, litware, fabrikam] = origins.try_into().expect("three were pushed");
        Self {
            api,
            messaging,
            contoso,
            litware,
            fabrikam,
            _process: process,
        }
    }

    /// A token for these origins, which the service gives to servers only.
    pub(crate) async fn issue(&self, allowed_origins: &str) -> Value {
        let url = format!(
            "{}/platformservice/v1/applications/1/anonApplicationTokens?endpointId=sip:a@b.example",
            self.api
        );
        let order = json!({
            "applicationSessionId": "browsers",
            "allowedOrigins": allowed_origins,
        });
        let client = reqwest::Client::builder().no_proxy().build();
        let client = client.expect("a client without TLS needs nothing");
        let request = client
            .post(url)
            .bearer_auth("demo-service-application")
            .json(&order);
        let response = request.send().await.expect("the service answers");
        assert_eq!(response.status(), 200);
        response.json().await.expect("the answer is JSON")
    }
}

/// Where cargo puts examples, beside the tests.
pub(crate) fn built_example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let target = test.parent().and_then(|deps| deps.parent());
    let example = target
        .expect("tests are in target/<profile>/deps")
        .join("examples")
        .join(name);
    assert!(
        example.exists(),
        "{} is not there: build it first, as scripts/browsers.sh does",
        example.display()
    );
    example
}
