use url::Url;

use crate::{
    browse::{Course, Ending},
    case::Case,
    lab::Lab,
};

/// What explanations are made from.
pub(crate) struct Context<'a> {
    pub(crate) case: &'a Case,
    pub(crate) course: &'a Course,
    pub(crate) lab: &'a Lab<'a>,
}

impl Context<'_> {
    /// The URL of the exchange that the verdict is about: behind redirects the last one's.
    pub(super) fn url(&self) -> &Url {
        let step = match &self.course.ending {
            Ending::NoAnswer(step)
            | Ending::PreflightRefused(step, _)
            | Ending::Withheld(step, _)
            | Ending::BadRedirect(step, _)
            | Ending::Readable(step) => self.lab.steps.get(*step),
            Ending::Kept(_) | Ending::NotTried => None,
        };
        step.map_or(&self.case.url, |step| &step.sent.url)
    }
}
