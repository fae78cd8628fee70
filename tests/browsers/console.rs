use std::{mem, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    driver::{Driver, Lines},
    engine::Engine,
};

/// The console of a browser's developer tools.
#[derive(Clone)]
pub(crate) struct Console {
    engine: Engine,
    session: String,
    lines: Lines,
}

/// The text in the console for one cause, in the words of each engine.
pub(crate) struct Message {
    pub(crate) chromium: &'static str,
    pub(crate) firefox: &'static str,
    pub(crate) webkit: &'static str,
}

impl Message {
    pub(crate) const NO_ALLOW_ORIGIN: Self = Self {
        chromium: "No 'Access-Control-Allow-Origin' header is present",
        firefox: "CORSMissingAllowOrigin",
        webkit: "is not allowed by Access-Control-Allow-Origin",
    };
    /// Such an answer has neither the status nor the header; engines name one of them.
    pub(crate) const PREFLIGHT_REFUSED: Self = Self {
        chromium: "Response to preflight request doesn't pass",
        firefox: "CORSMissingAllowOrigin",
        webkit: "Preflight response is not successful. Status code: 403",
    };

    fn of(&self, engine: Engine) -> &'static str {
        match engine {
            Engine::Chromium => self.chromium,
            Engine::Firefox => self.firefox,
            Engine::WebKit => self.webkit,
        }
    }
}

impl Console {
    pub(crate) fn new(engine: Engine, driver: &Driver, session: &str) -> Self {
        Self {
            engine,
            session: format!("{}/session/{session}", driver.url),
            lines: Lines::clone(&driver.lines),
        }
    }

    /// The messages about requests since the last time.
    pub(crate) async fn messages(&self) -> Vec<String> {
        match self.engine {
            Engine::Chromium => self.log_of_chromium().await,
            Engine::Firefox => self.errors_of_firefox().await,
            Engine::WebKit => self.output_of_webkit().await,
        }
    }

    /// Fails unless a message has this in it.
    pub(crate) async fn expect(&self, message: &Message) {
        let text = message.of(self.engine);
        let messages = self.messages().await;
        let is_there = messages.iter().any(|message| message.contains(text));
        assert!(is_there, "the console does not say {text:?}: {messages:#?}");
    }

    async fn log_of_chromium(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().expect("the log has entries");
        let messages = entries.iter().filter_map(|entry| entry["message"].as_str());
        messages.map(str::to_owned).collect()
    }

    /// The driver has no command for it, so the browser's own code is asked. Long messages are cut,
    /// which is why their category stands before them.
    async fn errors_of_firefox(&self) -> Vec<String> {
        const READ: &str = "
            const errors = Services.console.getMessageArray()
                .filter((m) => m instanceof Ci.nsIScriptError && m.category.startsWith('CORS'));
            Services.console.reset();
            return errors.map((m) => `${m.category}: ${m.errorMessage}`);";
        let context = |name| json!({ "context": name });
        self.post("/moz/context", context("chrome")).await;
        let read = json!({ "script": READ, "args": [] });
        let messages = self.post("/execute/sync", read).await;
        self.post("/moz/context", context("content")).await;
        serde_json::from_value(messages).expect("they are texts")
    }

    async fn output_of_webkit(&self) -> Vec<String> {
        // The output passes through two pipes, so the last lines may be under way.
        sleep(Duration::from_millis(300)).await;
        let lines = mem::take(&mut *self.lines.lock().expect("no thread panics with it"));
        lines
            .into_iter()
            .filter(|line| line.starts_with("CONSOLE"))
            .collect()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let url = format!("{}{path}", self.session);
        let request = reqwest::Client::new().post(url).json(&body);
        let response = request.send().await.expect("the driver answers");
        let mut answer: Value = response.json().await.expect("the answer is JSON");
        answer["value"].take()
    }
}
