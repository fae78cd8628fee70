use std::{fmt, sync::Arc};

use super::{
    observer::Observer,
    shadow::{Shadow, ShadowSettings},
};
#[cfg(feature = "metrics")]
use crate::observe::LayerMetrics;
use crate::{error::ConfigError, observe::Decision};

/// Who looks on, as it is configured.
#[derive(Default)]
pub(crate) struct Observation {
    pub(crate) hook: Option<Hook>,
    pub(crate) records: bool,
    pub(crate) shadow: Option<ShadowSettings>,
    #[cfg(feature = "metrics")]
    pub(crate) metrics: Option<LayerMetrics>,
}

pub(crate) type Hook = Box<dyn Fn(&Decision) + Send + Sync>;

impl Observation {
    /// `None` if nobody looks on.
    pub(crate) fn build(self, errors: &mut Vec<ConfigError>) -> Option<Arc<Observer>> {
        let shadow = self.shadow.and_then(|settings| {
            let mistakes = match settings.built {
                Ok(layer) => {
                    let shadow = Shadow::new(layer, settings.spawn, settings.hook);
                    #[cfg(feature = "metrics")]
                    let shadow = shadow.counted(self.metrics.clone());
                    return Some(shadow);
                }
                Err(mistakes) => mistakes,
            };
            errors.extend(mistakes.into_iter().map(|mistake| ConfigError::ReportOnly {
                mistake: Box::new(mistake),
            }));
            None
        });
        let is_used = self.hook.is_some() || self.records || shadow.is_some();
        #[cfg(feature = "metrics")]
        let is_used = is_used || self.metrics.is_some();
        is_used.then(|| {
            Arc::new(Observer {
                hook: self.hook,
                records: self.records,
                shadow: shadow.map(Arc::new),
                #[cfg(feature = "metrics")]
                metrics: self.metrics,
            })
        })
    }
}

impl fmt::Debug for Observation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observation")
            .field("on_decision", &self.hook.is_some())
            .field("record_decisions", &self.records)
            .field("report_only", &self.shadow.is_some())
            .finish_non_exhaustive()
    }
}
