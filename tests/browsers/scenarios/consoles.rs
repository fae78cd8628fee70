use serde::Deserialize;
use tempfile::TempDir;

use super::{
    run::{self, about},
    scenario::PageKind,
    stage::Stage,
};
use crate::{
    browser::{Window, in_browser},
    engine::Engine,
};

/// A part of the message in the console, for one cause.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    pub(super) cause: String,
    service: String,
    #[serde(default)]
    page: PageKind,
    script: String,
    // A part of the message, or none where the request passes.
    pub(super) chromium: Option<String>,
    pub(super) firefox: Option<String>,
    pub(super) webkit: Option<String>,
}

pub(super) fn all() -> Vec<Message> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        message: Vec<Message>,
    }
    let text = include_str!("consoles.toml");
    toml::from_str::<File>(text)
        .expect("the messages are well-formed")
        .message
}

/// Causes each message, and fails if the console says something else.
pub(super) async fn run(engine: Engine) {
    let stage = Stage::build().await;
    in_browser(engine, async move |window| {
        let mut wrong = Vec::new();
        let messages = all();
        for (index, message) in messages.iter().enumerate() {
            let said = said(&stage, &window, index, message).await;
            let is_as_expected = match message.of(engine) {
                Some(text) => said.iter().any(|line| line.contains(text)),
                None => {
                    // A console that nobody hears is silent, too: the page causes a message.
                    let loud = Message {
                        page: message.page,
                        ..messages[0].clone()
                    };
                    let text = loud.of(engine).expect("the first message has a text");
                    let heard = self::said(&stage, &window, index, &loud).await;
                    said.is_empty() && heard.iter().any(|line| line.contains(text))
                }
            };
            if !is_as_expected {
                let expected = message.of(engine);
                wrong.push(format!(
                    "{}: expected {expected:?}, not {said:#?}",
                    message.cause
                ));
            }
        }
        assert!(wrong.is_empty(), "{engine}: {}", wrong.join("\n"));
    })
    .await;
}

async fn said(stage: &Stage, window: &Window, index: usize, message: &Message) -> Vec<String> {
    let folder = TempDir::new().expect("there is room for a page");
    window
        .open(&run::address(stage, message.page, &folder))
        .await;
    // Older messages have another cause.
    window.console.messages().await;
    let about = about(stage, index, &message.service, &message.script);
    run::results(window, &[about]).await;
    window.console.messages().await
}

impl Message {
    fn of(&self, engine: Engine) -> Option<&str> {
        match engine {
            Engine::Chromium => self.chromium.as_deref(),
            Engine::Firefox => self.firefox.as_deref(),
            Engine::WebKit => self.webkit.as_deref(),
        }
    }
}
