use std::{fmt, path::Path, process::Command as StdCommand};

use serde_json::{Map, Value, json};
use tokio::process::Command;

/// A browser engine that the tests run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    WebKit,
}

/// For each function named, one test in each engine: `chromium::name`, `firefox::name` and
/// `webkit::name`, so that `cargo test --test browsers -- --ignored webkit` runs those of one.
macro_rules! in_each_engine {
    ($($name:ident),+ $(,)?) => {
        $crate::engine::in_each_engine!(@ chromium Chromium $($name)+);
        $crate::engine::in_each_engine!(@ firefox Firefox $($name)+);
        $crate::engine::in_each_engine!(@ webkit WebKit $($name)+);
    };
    (@ $module:ident $engine:ident $($name:ident)+) => {
        mod $module {
            $(
                #[tokio::test]
                #[ignore = "needs browsers and their drivers: run scripts/browsers.sh"]
                async fn $name() {
                    super::$name($crate::engine::Engine::$engine).await;
                }
            )+
        }
    };
}
pub(crate) use in_each_engine;

impl Engine {
    pub(crate) const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::WebKit];

    /// The engine's driver, which is to listen on this port.
    pub(crate) fn driver(self, port: u16, profile: &Path) -> Command {
        let mut command = match self {
            Self::Chromium => Command::new("chromedriver"),
            Self::Firefox => Command::new(geckodriver()),
            Self::WebKit => Command::new("WebKitWebDriver"),
        };
        command.arg(format!("--port={port}"));
        match self {
            Self::Chromium => &mut command,
            // Every geckodriver wants port 9222 for WebDriver BiDi, unless told otherwise. The
            // console can be read with system access only.
            Self::Firefox => command
                .args(["--websocket-port=0", "--allow-system-access"])
                .env("MOZ_HEADLESS", "1"),
            Self::WebKit => command
                .env("WEBKIT_PROFILE", profile)
                .env("GSETTINGS_BACKEND", "memory")
                .env("NO_AT_BRIDGE", "1"),
        };
        command
    }

    /// The capabilities that a session asks the driver for.
    pub(crate) fn capabilities(self, profile: &Path) -> Map<String, Value> {
        let capabilities = match self {
            Self::Chromium => json!({
                "browserName": "chrome",
                "goog:chromeOptions": { "args": [
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
                    format!("--user-data-dir={}", profile.display()),
                ] },
                "goog:loggingPrefs": { "browser": "ALL" },
            }),
            // The driver makes a profile of its own.
            Self::Firefox => json!({
                "browserName": "firefox",
                "moz:firefoxOptions": {
                    "binary": "/usr/bin/firefox-esr",
                    "prefs": { "network.proxy.type": 0, "network.manage-offline-status": false },
                },
            }),
            Self::WebKit => json!({
                "webkitgtk:browserOptions": {
                    "binary": concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browsers/webkit_window.py"),
                    "args": ["--automation"],
                },
            }),
        };
        let Value::Object(capabilities) = capabilities else {
            unreachable!("each is written as an object");
        };
        capabilities
    }

    /// The message of the `TypeError` of a `fetch()` whose response the page may not know.
    pub(crate) fn network_error(self) -> &'static str {
        match self {
            Self::Chromium => "Failed to fetch",
            Self::Firefox => "NetworkError when attempting to fetch resource.",
            Self::WebKit => "Load failed",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Debian has no package of it, so scripts/setup.sh builds one below `target`.
fn geckodriver() -> String {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin/geckodriver");
    let installed = StdCommand::new("geckodriver").arg("--version").output();
    if installed.is_ok() {
        "geckodriver".to_owned()
    } else {
        built.to_owned()
    }
}
