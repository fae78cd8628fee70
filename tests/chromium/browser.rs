use std::{future::Future, panic::resume_unwind, time::Duration};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{console::Console, driver::Driver};

/// A window of Chromium.
#[derive(Clone)]
pub(crate) struct Window {
    pub(crate) client: Client,
    pub(crate) console: Console,
}

/// How long a page has for what it does.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a test in a Chromium of its own, which ends with the test however the test ends.
pub(crate) async fn in_chromium<T, F>(test: T)
where
    T: FnOnce(Window) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let driver = Driver::start().await;
    let profile = TempDir::new().expect("there is room for a profile");
    let client = connect(&driver, &profile).await;
    let session = client.session_id().await.expect("the driver answers");
    let console = Console::new(&driver, &session.expect("there is a session"));
    let window = Window {
        client: client.clone(),
        console,
    };
    let outcome = tokio::spawn(test(window)).await;
    client.close().await.expect("Chromium closes");
    if let Err(panic) = outcome {
        resume_unwind(panic.into_panic());
    }
}

async fn connect(driver: &Driver, profile: &TempDir) -> Client {
    let args = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-proxy-server",
        &format!("--user-data-dir={}", profile.path().display()),
    ];
    let Value::Object(capabilities) = json!({
        "browserName": "chrome",
        "goog:chromeOptions": { "args": args },
        "goog:loggingPrefs": { "browser": "ALL" },
    }) else {
        unreachable!("it is written as an object");
    };
    ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&driver.url)
        .await
        .expect("chromedriver starts Chromium: is it installed?")
}

impl Window {
    pub(crate) async fn open(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    /// The text of an element, once there is one.
    pub(crate) async fn text(&self, css: &str) -> String {
        let wait = self.client.wait().at_most(PATIENCE);
        let element = wait.for_element(Locator::Css(css)).await;
        let element = element.unwrap_or_else(|error| panic!("no {css:?} appears: {error}"));
        element.text().await.expect("an element has a text")
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.client.find(Locator::Css(css)).await;
        let element = element.unwrap_or_else(|error| panic!("there is no {css:?}: {error}"));
        element.click().await.expect("it can be clicked");
    }

    /// Runs the body of an asynchronous function in the page, and returns what it returns.
    pub(crate) async fn run(&self, body: &str, args: Vec<Value>) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async (args) => {{ {body} }})([...arguments].slice(0, -1))
                 .then(done, (error) => done(`${{error}}`));"
        );
        let result = self.client.execute_async(&script, args).await;
        result.expect("the script runs")
    }

    /// `fetch()`: the status and text of the answer, or the error of a page that gets none.
    pub(crate) async fn fetch(&self, url: &str, init: Value) -> Value {
        let body = "
            const response = await fetch(args[0], args[1]);
            return { status: response.status, text: await response.text() };";
        self.run(body, vec![json!(url), init]).await
    }
}

/// What `fetch()` says where the page may not know more.
pub(crate) const FAILED: &str = "TypeError: Failed to fetch";
