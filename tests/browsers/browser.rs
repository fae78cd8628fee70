use std::{future::Future, panic::resume_unwind, time::Duration};

use fantoccini::{Client, ClientBuilder, Locator, wd::TimeoutConfiguration};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{console::Console, driver::Driver, engine::Engine};

/// A window of a browser.
#[derive(Clone)]
pub(crate) struct Window {
    pub(crate) engine: Engine,
    pub(crate) client: Client,
    pub(crate) console: Console,
}

/// The time that a page has. Long, since several browsers may share two cores.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a test in a browser of its own, which ends with the test, also where the test panics.
pub(crate) async fn in_browser<T, F>(engine: Engine, test: T)
where
    T: FnOnce(Window) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let profile = TempDir::new().expect("there is room for a profile");
    let driver = Driver::start(engine, profile.path()).await;
    let client = connect(engine, &driver, &profile).await;
    let session = client.session_id().await.expect("the driver answers");
    let console = Console::new(engine, &driver, &session.expect("there is a session"));
    let window = Window {
        engine,
        client: client.clone(),
        console,
    };
    let outcome = tokio::spawn(test(window)).await;
    client.close().await.expect("the browser closes");
    if let Err(panic) = outcome {
        resume_unwind(panic.into_panic());
    }
}

async fn connect(engine: Engine, driver: &Driver, profile: &TempDir) -> Client {
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(engine.capabilities(profile.path()))
        .connect(&driver.url)
        .await
        .unwrap_or_else(|error| {
            let lines = driver.lines.lock().expect("no thread panics with it");
            panic!("{engine} does not start: {error}: {lines:#?}")
        });
    let long = Some(Duration::from_secs(240));
    let timeouts = TimeoutConfiguration::new(long, long, Some(Duration::ZERO));
    client
        .update_timeouts(timeouts)
        .await
        .expect("timeouts can be set");
    client
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
        // Not the driver's command for it: WebKit's leaves out line breaks, and the space between
        // the cells of a row.
        let read = "return arguments[0].innerText.replaceAll('\\t', ' ').trim();";
        let element = serde_json::to_value(element).expect("an element is JSON");
        let text = self.client.execute(read, vec![element]).await;
        let text = text.expect("an element has a text");
        text.as_str().expect("it is a text").to_owned()
    }

    pub(crate) async fn click(&self, css: &str) {
        let element = self.client.find(Locator::Css(css)).await;
        let element = element.unwrap_or_else(|error| panic!("there is no {css:?}: {error}"));
        element.click().await.expect("it can be clicked");
    }

    /// Runs the body of an asynchronous function in the page, and returns its result.
    pub(crate) async fn run(&self, body: &str, args: Vec<Value>) -> Value {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             (async (args) => {{ {body} }})([...arguments].slice(0, -1))
                 .then(done, (error) => done(`${{error}}`));"
        );
        let result = self.client.execute_async(&script, args).await;
        result.expect("the script runs")
    }

    /// `fetch()`: the status and text of the answer, or [`FAILED`].
    pub(crate) async fn fetch(&self, url: &str, init: Value) -> Value {
        let body = "
            const response = await fetch(args[0], args[1]);
            return { status: response.status, text: await response.text() };";
        let answer = self.run(body, vec![json!(url), init]).await;
        if answer == format!("TypeError: {}", self.engine.network_error()) {
            json!(FAILED)
        } else {
            answer
        }
    }
}

/// The result of [`Window::fetch`] where the page may not know more.
pub(crate) const FAILED: &str = "a network error";
