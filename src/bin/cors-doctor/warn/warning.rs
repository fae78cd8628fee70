/// Something that works for this request, and will cause trouble later.
#[derive(Clone, Debug)]
pub(crate) struct Warning {
    pub(crate) code: &'static str,
    pub(crate) text: String,
    pub(crate) fix: String,
    /// Indices of the steps that show it.
    pub(crate) steps: Vec<usize>,
}

/// Each code once.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Vec<Warning>);

impl Warnings {
    pub(super) fn add(&mut self, code: &'static str, text: String, fix: String, steps: &[usize]) {
        match self.0.iter_mut().find(|warning| warning.code == code) {
            Some(known) => known.steps.extend(steps),
            None => self.0.push(Warning {
                code,
                text,
                fix,
                steps: steps.to_vec(),
            }),
        }
    }

    pub(super) fn into_list(self) -> Vec<Warning> {
        self.0
    }
}
