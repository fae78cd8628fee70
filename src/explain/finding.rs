use std::borrow::Cow;

use crate::protocol::Rules;

/// Why a page cannot do something, and the change that would let it.
///
/// Its words are those of the log and of a [`Denial`](crate::Denial)'s text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub(super) cause: Cow<'static, str>,
    pub(super) fix: Cow<'static, str>,
    pub(super) facts: Vec<String>,
    pub(super) code: FixCode,
}

impl Finding {
    /// Why.
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// What to change.
    pub fn fix(&self) -> &str {
        &self.fix
    }

    /// What is known beyond the cause: all missing headers, or what a policy says.
    pub fn facts(&self) -> impl Iterator<Item = &str> {
        self.facts.iter().map(String::as_str)
    }

    /// The fix to be pasted, where it is a change of code or of a configuration.
    pub fn code(&self) -> &FixCode {
        &self.code
    }
}

/// A fix to be pasted. Each part is a change by itself, unless the text of the fix says otherwise; a
/// list is the whole new list if the old one is short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixCode {
    pub(super) rust: Option<String>,
    pub(super) toml: Option<String>,
    pub(super) page: Option<String>,
}

impl FixCode {
    /// Rust code, as in `.allow_origins(["https://app.example.com"])`: for the builder, or where the
    /// policy or the entry is made.
    pub fn rust(&self) -> Option<&str> {
        self.rust.as_deref()
    }

    /// Lines for a configuration file in TOML, whose keys are those of `CorsConfig`.
    pub fn toml(&self) -> Option<&str> {
        self.toml.as_deref()
    }

    /// What the page has to pass to `fetch()`.
    pub fn page(&self) -> Option<&str> {
        self.page.as_deref()
    }

    /// Without the lines for a file, if the configuration cannot come from one.
    pub(super) fn for_rules(self, rules: &Rules) -> Self {
        let is_of_file = !rules.by_method && (rules.plain_list.is_some() || rules.to_all.is_some());
        Self {
            toml: self.toml.filter(|_| is_of_file),
            ..self
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rust.is_none() && self.toml.is_none() && self.page.is_none()
    }
}
