use std::{fmt, future::Future, pin::Pin};

use super::builder::CorsLayerBuilder;
use crate::{
    error::ConfigErrors,
    layer::{CorsLayer, JudgementHook, ShadowSettings, Spawn},
    observe::Judgement,
};

/// A configuration to judge in shadow: see
/// [`CorsLayerBuilder::report_only`](crate::CorsLayerBuilder::report_only).
///
/// Made from a [`CorsLayerBuilder`], or from [`MethodRules`](crate::routes::MethodRules). Their own
/// hooks, records and shadows are for the time when they are in force, and are not used in shadow.
///
/// ```
/// use tower_cors::{CorsLayer, config::ReportOnly, observe::Judgement};
///
/// let tighter = CorsLayer::builder().allow_origins(["https://app.example.com"]);
/// let cors = CorsLayer::builder()
///     .allow_origins(["https://*.example.com"])
///     .report_only(ReportOnly::from(tighter).on_judgement(|judgement| {
///         if let Judgement::Different(difference) = judgement {
///             println!("{difference}");
///         }
///     }))
///     .build()?;
///
/// // The mistakes of the shadow are mistakes of the whole.
/// let mistaken = CorsLayer::builder().allow_origins(["https://app.example.com/"]);
/// let cors = CorsLayer::builder().allow_origins(["https://*.example.com"]).report_only(mistaken);
/// assert!(cors.build().unwrap_err().to_string().contains("report_only: allow_origins: "));
/// # Ok::<(), tower_cors::ConfigErrors>(())
/// ```
#[must_use = "it does nothing until it is passed on"]
pub struct ReportOnly {
    built: Result<CorsLayer, ConfigErrors>,
    spawn: Option<Spawn>,
    hook: Option<JudgementHook>,
}

impl ReportOnly {
    pub(crate) fn new(built: Result<CorsLayer, ConfigErrors>) -> Self {
        Self {
            built,
            spawn: None,
            hook: None,
        }
    }

    /// Says how a task is run, for a policy that has to be waited for. Default: such a policy is
    /// asked, and its judgement is [skipped](Judgement::Skipped) if it is not ready.
    ///
    /// At most 256 judgements are waited for at a time, and the others are skipped. Give the shadow
    /// a [`verdict_timeout`](crate::CorsLayerBuilder::verdict_timeout), so that a policy which never
    /// answers does not use them up.
    ///
    /// ```
    /// use tower_cors::{ConfigErrors, CorsLayer, OriginPolicy, config::ReportOnly};
    ///
    /// fn cors(asks_a_database: impl OriginPolicy) -> Result<CorsLayer, ConfigErrors> {
    ///     let tighter = CorsLayer::builder().origin_policy(asks_a_database);
    ///     CorsLayer::builder()
    ///         .allow_origins(["https://*.example.com"])
    ///         .report_only(ReportOnly::from(tighter).spawn(|task| drop(tokio::spawn(task))))
    ///         .build()
    /// }
    /// ```
    pub fn spawn<F>(mut self, spawn: F) -> Self
    where
        F: Fn(Pin<Box<dyn Future<Output = ()> + Send>>) + Send + Sync + 'static,
    {
        self.spawn = Some(Box::new(spawn));
        self
    }

    /// Calls a function with what came of each request. Default: none.
    pub fn on_judgement(mut self, hook: impl Fn(&Judgement) + Send + Sync + 'static) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    pub(crate) fn into_settings(self) -> ShadowSettings {
        ShadowSettings {
            built: self.built,
            spawn: self.spawn,
            hook: self.hook,
        }
    }
}

impl<C: Into<CorsLayerBuilder>> From<C> for ReportOnly {
    fn from(configuration: C) -> Self {
        Self::new(configuration.into().in_shadow().build())
    }
}

impl fmt::Debug for ReportOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportOnly")
            .field("configuration", &self.built)
            .field("spawn", &self.spawn.is_some())
            .field("on_judgement", &self.hook.is_some())
            .finish()
    }
}
