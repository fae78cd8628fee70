use serde::Deserialize;

use crate::engine::Engine;

/// A script, its result, and the requests that arrive.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    /// The service that `stage.js` calls by default.
    pub(super) service: String,
    #[serde(default)]
    pub(super) page: PageKind,
    /// Request headers that [`arrives`](Self::arrives) tells.
    #[serde(default)]
    pub(super) shows: Vec<String>,
    /// The body of an asynchronous function.
    pub(super) script: String,
    /// The result of the script.
    sees: String,
    /// Such as `PUT 200`: the method, and the status of the answer.
    arrives: Vec<String>,
    chromium: Option<Difference>,
    firefox: Option<Difference>,
    webkit: Option<Difference>,
}

/// Where the script runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PageKind {
    /// A page of another site than the services are of.
    #[default]
    Site,
    /// A page from the disk.
    File,
    /// A page that is treated as one of a public network.
    Public,
    /// A page that the script leaves, so it has one of its own.
    Left,
}

/// How an engine does not behave as the standard has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Difference {
    /// One sentence of `src/guide/browsers.md`.
    pub(super) fact: String,
    sees: Option<String>,
    arrives: Option<Vec<String>>,
}

/// The result of a script, and the requests that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) sees: String,
    pub(super) arrives: Vec<String>,
}

/// Those of all files, in order.
pub(super) fn all() -> Vec<Scenario> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        scenario: Vec<Scenario>,
    }
    let files = [
        include_str!("requests.toml"),
        include_str!("preflights.toml"),
        include_str!("credentials.toml"),
        include_str!("responses.toml"),
        include_str!("redirects.toml"),
        include_str!("caches.toml"),
        include_str!("bodies.toml"),
        include_str!("elements.toml"),
        include_str!("channels.toml"),
        include_str!("contexts.toml"),
        include_str!("attacks.toml"),
    ];
    let parse = |text| toml::from_str::<File>(text).expect("the scenarios are well-formed");
    files
        .into_iter()
        .flat_map(|text| parse(text).scenario)
        .collect()
}

impl Scenario {
    /// The outcome that the standard asks for.
    pub(super) fn by_the_standard(&self) -> Outcome {
        Outcome {
            sees: self.sees.clone(),
            arrives: self.arrives.clone(),
        }
    }

    /// The outcome that this engine is known for.
    pub(super) fn expected(&self, engine: Engine) -> Outcome {
        let standard = self.by_the_standard();
        let difference = match engine {
            Engine::Chromium => &self.chromium,
            Engine::Firefox => &self.firefox,
            Engine::WebKit => &self.webkit,
        };
        match difference {
            None => standard,
            Some(difference) => Outcome {
                sees: difference.sees.clone().unwrap_or(standard.sees),
                arrives: difference.arrives.clone().unwrap_or(standard.arrives),
            },
        }
    }

    pub(super) fn differences(&self) -> impl Iterator<Item = &Difference> {
        let engines = [&self.chromium, &self.firefox, &self.webkit];
        engines.into_iter().filter_map(Option::as_ref)
    }
}
