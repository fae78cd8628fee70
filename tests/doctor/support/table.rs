//! Set-ups in a table.

use axum::Router;

use super::{Doctor, PAGE, Report, Server};

/// The URL that all of them have.
pub(crate) const URL: &str = "http://127.0.0.1:8080/items";

/// A server, a call, and what the doctor has to say.
pub(crate) struct SetUp {
    name: &'static str,
    server: Router,
    doctor: Doctor,
    verdict: &'static str,
    cause: &'static str,
    advice: &'static [&'static str],
    warnings: &'static [&'static str],
    /// Whether there has to be code for this crate.
    has_code: bool,
}

/// A `GET` of the usual page.
pub(crate) fn get(name: &'static str, server: Router) -> SetUp {
    from(name, PAGE, server)
}

/// A `GET` of another page.
pub(crate) fn from(name: &'static str, page: &str, server: Router) -> SetUp {
    SetUp {
        name,
        server,
        doctor: Doctor::new(URL).page(page),
        verdict: "blocked",
        cause: "",
        advice: &[],
        warnings: &[],
        has_code: false,
    }
}

/// A `PUT` of JSON, which needs a preflight.
pub(crate) fn put(name: &'static str, server: Router) -> SetUp {
    let set_up = get(name, server);
    let args = [
        "-X",
        "PUT",
        "-H",
        "Content-Type: application/json",
        "-d",
        "{}",
        "--send",
    ];
    set_up.args(&args).verdict("preflight-failed")
}

impl SetUp {
    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.doctor = self.doctor.args(args.iter().copied());
        self
    }

    pub(crate) fn verdict(mut self, verdict: &'static str) -> Self {
        self.verdict = verdict;
        self
    }

    /// The cause, and what the fix has to say, as alternatives.
    pub(crate) fn cause(mut self, cause: &'static str, advice: &'static [&'static str]) -> Self {
        self.cause = cause;
        self.advice = advice;
        self
    }

    /// A cause whose fix has code for this crate.
    pub(crate) fn ours(self, cause: &'static str, advice: &'static [&'static str]) -> Self {
        let mut set_up = self.cause(cause, advice);
        set_up.has_code = true;
        set_up
    }

    pub(crate) fn warns(mut self, warnings: &'static [&'static str]) -> Self {
        self.warnings = warnings;
        self
    }

    async fn play(self) -> Option<String> {
        let server = Server::start(self.server).await;
        let report = self.doctor.at("127.0.0.1:8080", server.address).run().await;
        let missing: Vec<_> = self
            .advice
            .iter()
            .filter(|text| !report.advises(text))
            .collect();
        let has_code = report.json()["fix"]["code"]
            .as_array()
            .is_some_and(|code| code.iter().any(|code| code["for"] == "tower-cors"));
        let is_right = report.verdict() == self.verdict
            && report.cause() == self.cause
            && missing.is_empty()
            && report.warnings() == self.warnings
            && (has_code || !self.has_code)
            && report.json()["evidence"].as_array().unwrap().is_empty() == self.cause.is_empty();
        (!is_right).then(|| complaint(self.name, &report, &missing))
    }
}

fn complaint(name: &str, report: &Report, missing: &[&&str]) -> String {
    let mut json = report.json().clone();
    json["steps"] = json["steps"].as_array().unwrap().len().into();
    format!(
        "{name}: {} {:?} {:?}, missing {missing:?}\n    {json}\n",
        report.verdict(),
        report.cause(),
        report.warnings(),
    )
}

/// Plays all of them.
pub(crate) async fn play(set_ups: Vec<SetUp>) {
    let mut wrong = String::new();
    for set_up in set_ups {
        wrong.extend(set_up.play().await);
    }
    assert!(wrong.is_empty(), "{wrong}");
}
