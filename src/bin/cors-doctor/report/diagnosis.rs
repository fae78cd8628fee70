use url::Url;

use crate::{
    browse::Ending,
    case::Case,
    cause::Finding,
    exchange::{Step, text},
    explain::Fix,
    secrets::Redactor,
    warn::Warning,
};

/// All that the doctor says about one URL.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    pub(crate) url: Url,
    pub(crate) origin: String,
    pub(crate) outcome: Outcome,
    /// What the script reads as `status`.
    pub(crate) status: Option<u16>,
    pub(crate) finding: Option<Finding>,
    pub(crate) also: Vec<&'static str>,
    pub(crate) summary: String,
    pub(crate) console: Option<String>,
    pub(crate) fix: Option<Fix>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) steps: Vec<Step>,
}

/// The verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Readable,
    PreflightFailed,
    Blocked,
    NotSent,
    NetworkError,
    NotTried,
}

impl Outcome {
    pub(crate) fn of(ending: &Ending, redirects: usize) -> Self {
        match ending {
            Ending::Kept(_) if redirects == 0 => Self::NotSent,
            Ending::Kept(_) | Ending::BadRedirect(..) | Ending::Withheld(..) => Self::Blocked,
            Ending::NoAnswer(_) => Self::NetworkError,
            Ending::PreflightRefused(..) => Self::PreflightFailed,
            Ending::NotTried => Self::NotTried,
            Ending::Readable(_) => Self::Readable,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Readable => "readable",
            Self::PreflightFailed => "preflight-failed",
            Self::Blocked => "blocked",
            Self::NotSent => "not-sent",
            Self::NetworkError => "network-error",
            Self::NotTried => "not-tried",
        }
    }
}

impl Diagnosis {
    pub(crate) fn cause(&self) -> Option<&'static str> {
        self.finding.as_ref().map(|finding| finding.cause.code())
    }

    pub(crate) fn exit_code(&self, strict: bool) -> u8 {
        let has_warnings = strict && !self.warnings.is_empty();
        match self.outcome {
            Outcome::NetworkError => 3,
            _ if self.finding.is_some() || has_warnings => 1,
            Outcome::NotTried => 4,
            _ => 0,
        }
    }

    /// A redactor that knows the secrets of the page and those that the server set.
    pub(crate) fn redactor(&self, case: &Case, shows: bool) -> Redactor {
        let mut redactor = Redactor::new(shows);
        let public = [self.url.as_str(), self.origin.as_str()];
        let path = self.url.path().to_owned();
        let public = [&path, public[1], self.url.host_str().unwrap_or_default()];
        if let Some(password) = case.url.password() {
            redactor.remember(password, &public);
        }
        redactor.remember(case.url.username(), &public);
        for (name, value) in &case.request.headers {
            redactor.learn(name.as_str(), &text(value), &public);
        }
        if let Some(cookies) = &case.request.cookies {
            redactor.learn("cookie", &text(cookies), &public);
        }
        if let Some(protocols) = &case.request.protocols {
            redactor.learn("sec-websocket-protocol", &text(protocols), &public);
        }
        for answer in self.steps.iter().filter_map(Step::answer) {
            for (name, value) in &answer.headers {
                redactor.learn(name.as_str(), &text(value), &public);
            }
        }
        for answer in self.steps.iter().filter_map(Step::answer) {
            for (name, value) in &answer.headers {
                redactor.heed(name.as_str(), &text(value));
            }
        }
        redactor
    }
}
