use serde::Deserialize;

/// What a page asks for, and what the server answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    #[serde(default)]
    pub(super) at: Place,
    /// The page's requests, one after the other.
    #[serde(default = "one_get")]
    pub(super) fetch: Vec<Asked>,
    /// Answers: the status, and then header lines. Words in braces stand for addresses.
    #[serde(default = "allows_all")]
    pub(super) preflight: Vec<String>,
    #[serde(default = "allows_page")]
    pub(super) answer: Vec<String>,
    /// What a redirect leads to.
    #[serde(default)]
    pub(super) then: Then,
    /// How each request ends by the standard: a status that the page reads, `blocked`, `preflight
    /// fails`, or `not sent`.
    pub(super) expect: String,
}

/// Which server the page asks.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Place {
    /// Of another site.
    #[default]
    Service,
    /// Of another origin of the page's site.
    Sibling,
    /// Of the page's own origin.
    Page,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default = "get")]
    pub(super) method: String,
    #[serde(default)]
    pub(super) headers: Vec<String>,
    #[serde(default)]
    pub(super) include: bool,
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) query: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Then {
    #[serde(default = "allows_all")]
    pub(super) preflight: Vec<String>,
    #[serde(default = "allows_page")]
    pub(super) answer: Vec<String>,
}

/// What the page sees, and the requests that arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) sees: String,
    pub(super) arrives: Vec<String>,
}

/// Those of all files, in order.
pub(super) fn all() -> Vec<Case> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        case: Vec<Case>,
    }
    let files = [
        include_str!("kept.toml"),
        include_str!("cors_check.toml"),
        include_str!("credentials.toml"),
        include_str!("preflights.toml"),
        include_str!("headers.toml"),
        include_str!("exposed.toml"),
        include_str!("redirects.toml"),
    ];
    let parse = |text| toml::from_str::<File>(text).expect("the cases are well-formed");
    files
        .into_iter()
        .flat_map(|text| parse(text).case)
        .collect()
}

impl Default for Then {
    fn default() -> Self {
        Self {
            preflight: allows_all(),
            answer: allows_page(),
        }
    }
}

fn get() -> String {
    "GET".to_owned()
}

fn one_get() -> Vec<Asked> {
    vec![Asked {
        method: get(),
        headers: Vec::new(),
        include: false,
        body: None,
        query: String::new(),
    }]
}

fn allows_all() -> Vec<String> {
    let mut lines = vec![
        "204".to_owned(),
        "access-control-allow-origin: {page}".to_owned(),
    ];
    lines.push("access-control-allow-methods: PUT, DELETE".to_owned());
    lines.push("access-control-allow-headers: x-a, x-b".to_owned());
    lines
}

fn allows_page() -> Vec<String> {
    vec![
        "200".to_owned(),
        "access-control-allow-origin: {page}".to_owned(),
    ]
}
