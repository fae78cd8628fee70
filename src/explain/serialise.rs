//! The form in which an explanation is serialised: a map with the names of its methods.

use serde::{Serialize, Serializer};

use super::{
    browser::{CredentialsMode, Reading},
    explanation::Explanation,
    finding::Finding,
};

#[derive(Serialize)]
struct Written<'a> {
    taken_for: &'static str,
    rule: &'static str,
    method: &'a str,
    origin: Option<&'a str>,
    asked_for: Option<AskedFor<'a>>,
    policy: Option<&'a str>,
    entry: Option<&'a str>,
    is_allowed: bool,
    denial: Option<String>,
    reaches_service: bool,
    status: Option<u16>,
    headers: Vec<(&'a str, String)>,
    browser: Vec<InMode<'a>>,
    finding: Option<WrittenFinding<'a>>,
    notes: Vec<&'static str>,
}

#[derive(Serialize)]
struct AskedFor<'a> {
    method: &'a str,
    headers: &'a [String],
}

#[derive(Serialize)]
struct InMode<'a> {
    credentials: &'static str,
    reading: &'static str,
    step: Option<&'static str>,
    rule: Option<&'static str>,
    finding: Option<WrittenFinding<'a>>,
}

#[derive(Serialize)]
struct WrittenFinding<'a> {
    cause: &'a str,
    fix: &'a str,
    facts: Vec<&'a str>,
    rust: Option<&'a str>,
    toml: Option<&'a str>,
    page: Option<&'a str>,
}

impl<'a> From<&'a Finding> for WrittenFinding<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            cause: finding.cause(),
            fix: finding.fix(),
            facts: finding.facts().collect(),
            rust: finding.code().rust(),
            toml: finding.code().toml(),
            page: finding.code().page(),
        }
    }
}

impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let headers = self.headers().iter();
        Written {
            taken_for: self.taken_for().as_str(),
            rule: self.taken_for().rule(),
            method: self.method.as_str(),
            origin: self.origin.as_deref(),
            asked_for: self.asked_for.as_ref().map(|(method, headers)| AskedFor {
                method: method.as_str(),
                headers,
            }),
            policy: self.decider().map(|decider| decider.name()),
            entry: self.decider().and_then(|decider| decider.entry()),
            is_allowed: self.is_allowed(),
            denial: self.denial().map(|denial| format!("{:?}", denial.kind())),
            reaches_service: self.reaches_service(),
            status: self.status().map(|status| status.as_u16()),
            headers: headers
                .map(|(name, value)| (name.as_str(), value.as_bytes().escape_ascii().to_string()))
                .collect(),
            browser: CredentialsMode::ALL
                .iter()
                .map(|mode| in_mode(self, *mode))
                .collect(),
            finding: self.finding().map(WrittenFinding::from),
            notes: self.notes().collect(),
        }
        .serialize(serializer)
    }
}

fn in_mode(explanation: &Explanation, mode: CredentialsMode) -> InMode<'_> {
    let (reading, block) = match explanation.reading(mode) {
        Reading::Allowed => ("allowed", None),
        Reading::NotChecked => ("not checked", None),
        Reading::Blocked(block) => ("blocked", Some(block)),
    };
    InMode {
        credentials: mode.as_str(),
        reading,
        step: block.map(|block| block.step()),
        rule: block.map(|block| block.rule()),
        finding: explanation.finding_for(mode).map(WrittenFinding::from),
    }
}
