use std::fmt;

use super::browser::Outcome;

/// What has been asked, what came of it, and whether it had to.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<Row>,
}

struct Row {
    page: String,
    step: String,
    outcome: Outcome,
    expected: Expected,
}

/// What must come of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    /// The status of the preflight's answer, if a preflight is needed.
    pub(super) preflight: Option<u16>,
    /// The status of the answer, if the browser sends the request.
    pub(super) answer: Option<u16>,
    /// Whether the page is given the answer.
    pub(super) readable: bool,
}

impl Table {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn add(&mut self, page: &str, step: &str, outcome: &Outcome, expected: Expected) {
        self.rows.push(Row {
            page: page.to_owned(),
            step: step.to_owned(),
            outcome: outcome.clone(),
            expected,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn failures(&self) -> usize {
        self.rows.iter().filter(|row| !row.is_as_expected()).count()
    }
}

impl Row {
    fn is_as_expected(&self) -> bool {
        self.outcome.summary() == self.expected
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |cell: fn(&Row) -> &str, head: &str| {
            let widths = self.rows.iter().map(|row| cell(row).chars().count());
            widths.max().unwrap_or_default().max(head.len())
        };
        let page = width(|row| &row.page, "page");
        let step = width(|row| &row.step, "step");
        writeln!(
            f,
            "{:page$}  {:step$}  {:9}  {:8}  readable?",
            "page", "step", "preflight", "answer"
        )?;
        for row in &self.rows {
            let summary = row.outcome.summary();
            writeln!(
                f,
                "{:page$}  {:step$}  {:9}  {:8}  {}",
                row.page,
                row.step,
                status(summary.preflight, "-"),
                status(summary.answer, "not sent"),
                readable(&row.outcome),
            )?;
            if !row.is_as_expected() {
                let Expected {
                    preflight,
                    answer,
                    readable,
                } = row.expected;
                writeln!(
                    f,
                    "  ^ expected: preflight {}, answer {}, readable: {readable}",
                    status(preflight, "-"),
                    status(answer, "not sent"),
                )?;
            }
        }
        Ok(())
    }
}

fn status(status: Option<u16>, none: &str) -> String {
    status.map_or_else(|| none.to_owned(), |status| status.to_string())
}

fn readable(outcome: &Outcome) -> String {
    match &outcome.failure {
        None => "yes".to_owned(),
        Some(failure) => format!("no: {failure}"),
    }
}
