use serde_json::{Value, json};

use crate::driver::Driver;

/// What Chromium writes to the console of its developer tools.
#[derive(Clone)]
pub(crate) struct Console {
    url: String,
    client: reqwest::Client,
}

impl Console {
    pub(crate) fn new(driver: &Driver, session: &str) -> Self {
        Self {
            url: format!("{}/session/{session}/se/log", driver.url),
            client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client without TLS needs nothing"),
        }
    }

    /// The messages since the last time.
    pub(crate) async fn messages(&self) -> Vec<String> {
        let request = self
            .client
            .post(&self.url)
            .json(&json!({ "type": "browser" }));
        let response = request.send().await.expect("the driver answers");
        let log: Value = response.json().await.expect("the log is JSON");
        let entries = log["value"].as_array().expect("the log has entries");
        let messages = entries.iter().filter_map(|entry| entry["message"].as_str());
        messages.map(str::to_owned).collect()
    }

    /// Fails unless a message has this in it.
    pub(crate) async fn expect(&self, text: &str) {
        let messages = self.messages().await;
        let is_there = messages.iter().any(|message| message.contains(text));
        assert!(is_there, "the console does not say {text:?}: {messages:#?}");
    }
}
