//! What a layer is built from, whichever implementation it is of.

pub(crate) const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
pub(crate) const HEADERS: [&str; 6] = [
    "authorization",
    "content-type",
    "x-api-key",
    "x-csrf-token",
    "x-request-id",
    "x-trace-id",
];
pub(crate) const EXPOSED: [&str; 3] = ["etag", "location", "x-request-id"];
pub(crate) const MAX_AGE: u32 = 600;

#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) origins: Origins,
    pub(crate) credentials: bool,
    pub(crate) exposed: bool,
    /// Any method, any request header: with credentials, those that a preflight asks for.
    pub(crate) any_lists: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origins {
    Any,
    One,
    List(usize),
    Patterns(usize),
    /// Patterns whose bases have twenty lengths.
    MixedPatterns(usize),
    /// A policy that looks at each origin, and allows every one.
    Policy,
    /// The list of ten is in a bearer token, which has been verified before.
    #[cfg(feature = "token")]
    Token,
}

impl Config {
    pub(crate) fn new(origins: Origins) -> Self {
        Self {
            origins,
            credentials: false,
            exposed: false,
            any_lists: false,
        }
    }

    /// The list of origins, as it is written in a configuration.
    pub(crate) fn entries(&self) -> Vec<String> {
        match self.origins {
            Origins::Any | Origins::Policy => Vec::new(),
            Origins::One => vec![listed_origin(0)],
            Origins::List(count) => (0..count).map(listed_origin).collect(),
            #[cfg(feature = "token")]
            Origins::Token => (0..10).map(listed_origin).collect(),
            Origins::Patterns(count) => (0..count)
                .map(|i| format!("https://*.{}", base(i)))
                .collect(),
            Origins::MixedPatterns(count) => (0..count)
                .map(|i| format!("https://*.{}", mixed_base(i)))
                .collect(),
        }
    }

    /// Ten origins or one pattern at most, as in most configurations.
    pub(crate) fn is_small(&self) -> bool {
        match self.origins {
            Origins::Any | Origins::One | Origins::Policy => true,
            Origins::List(count) => count <= 10,
            Origins::Patterns(count) | Origins::MixedPatterns(count) => count <= 1,
            #[cfg(feature = "token")]
            Origins::Token => true,
        }
    }
}

pub(crate) fn listed_origin(i: usize) -> String {
    format!("https://app-{i:06}.example.com")
}

pub(super) fn base(i: usize) -> String {
    format!("tenant-{i:05}.example.com")
}

pub(super) fn mixed_base(i: usize) -> String {
    format!("{}-{i:05}.example.com", "t".repeat(1 + i % 20))
}
