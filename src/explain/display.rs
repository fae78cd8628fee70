use std::fmt;

use http::HeaderMap;

use super::{
    browser::{CredentialsMode, Reading},
    explanation::Explanation,
    finding::Finding,
    wrap::{code, labelled},
};
use crate::escaped::OneLine;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        labelled(f, "request", &self.request_line())?;
        labelled(f, "taken for", self.taken_for().as_str())?;
        labelled(f, "", self.taken_for().rule())?;
        if let Some(decider) = self.decider() {
            labelled(f, "policy", &OneLine(&decider.to_string()).to_string())?;
        }
        labelled(f, "answer", &self.answer_line())?;
        headers(f, self.headers())?;
        self.readings(f)?;
        self.findings(f)?;
        for note in self.notes() {
            labelled(f, "note", note)?;
        }
        Ok(())
    }
}

impl Explanation {
    fn request_line(&self) -> String {
        let origin = self.origin.as_deref();
        let origin = origin.map_or_else(String::new, |origin| format!(" from {origin}"));
        let asked_for = match &self.asked_for {
            Some((method, names)) if names.is_empty() => format!(", which asks for {method}"),
            Some((method, names)) => {
                format!(", which asks for {method} with {}", names.join(", "))
            }
            None => String::new(),
        };
        format!("{}{origin}{asked_for}", self.method)
    }

    fn answer_line(&self) -> String {
        match self.status() {
            Some(status) => format!(
                "{} by the layer; the service is not called",
                status.as_u16()
            ),
            None if self.headers().is_empty() => "the service's".to_owned(),
            None => "the service's, with these headers of the layer".to_owned(),
        }
    }

    /// Modes that fare alike are one line.
    fn readings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut label = "browser";
        let mut rest = &CredentialsMode::ALL[..];
        while let Some(first) = rest.first() {
            let reading = self.reading(*first);
            let alike = rest
                .iter()
                .take_while(|mode| self.reading(**mode) == reading);
            let (now, later) = rest.split_at(alike.count());
            let names: Vec<&str> = now.iter().map(|mode| mode.as_str()).collect();
            let names = if now.len() == CredentialsMode::ALL.len() {
                "any credentials mode".to_owned()
            } else {
                names.join(", ")
            };
            let what = match reading {
                Reading::Allowed if self.asked_for.is_some() => "the preflight passes".to_owned(),
                Reading::Allowed => "readable".to_owned(),
                Reading::NotChecked => "no CORS check".to_owned(),
                Reading::Blocked(block) => format!("blocked by the {}", block.step()),
            };
            labelled(f, label, &format!("{names}: {what}"))?;
            label = "";
            rest = later;
        }
        Ok(())
    }

    fn findings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(own) = self.finding() {
            finding(f, "cause", own)?;
        }
        let include = self.finding_for(CredentialsMode::Include);
        match include {
            Some(of_mode) if Some(of_mode) != self.finding() => finding(f, "include", of_mode),
            Some(_) | None => Ok(()),
        }
    }
}

fn headers(f: &mut fmt::Formatter<'_>, headers: &HeaderMap) -> fmt::Result {
    for (name, value) in headers {
        let value = value.as_bytes().escape_ascii().to_string();
        // Lists come without spaces, at which lines are broken.
        let value = value.replace(',', ", ");
        labelled(f, "", &format!("{name}: {value}"))?;
    }
    Ok(())
}

fn finding(f: &mut fmt::Formatter<'_>, label: &str, finding: &Finding) -> fmt::Result {
    labelled(f, label, finding.cause())?;
    for fact in finding.facts() {
        labelled(f, "", fact)?;
    }
    labelled(f, "fix", finding.fix())?;
    let parts = [
        ("in Rust", finding.code().rust()),
        ("in TOML", finding.code().toml()),
        ("in page", finding.code().page()),
    ];
    for (place, lines) in parts {
        if let Some(lines) = lines {
            labelled(f, "", &format!("{place}:"))?;
            code(f, lines)?;
        }
    }
    Ok(())
}
