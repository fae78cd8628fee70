use std::{fmt, sync::Arc};

use super::{
    future::{MaybeReady, PolledAgain, VerdictFuture},
    grant::Attachment,
    verdict::Verdict,
};

/// A verdict, and what a policy that abstains leaves for the inner service, in case that another one
/// allows the request: a verified token that says nothing of origins.
#[derive(Debug)]
pub struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) left: Option<Arc<dyn Attachment>>,
}

/// A [`Judged`] that is ready, or one to wait for.
pub enum JudgedFuture {
    /// Of a policy that leaves nothing. Most do, and it costs them no second future.
    Plain(VerdictFuture),
    /// Of a policy that may leave something.
    Leaving(MaybeReady<Judged>),
}

impl JudgedFuture {
    /// The value, if it is ready; else the future again.
    pub(crate) fn into_ready(self) -> Result<Judged, Self> {
        match self {
            Self::Plain(verdict) => verdict.into_ready().map(Judged::from).map_err(Self::Plain),
            Self::Leaving(judged) => judged.into_ready().map_err(Self::Leaving),
        }
    }

    /// The verdict alone.
    pub(crate) fn into_verdict(self) -> VerdictFuture {
        match self {
            Self::Plain(verdict) => verdict,
            Self::Leaving(judged) => match judged.into_ready() {
                Ok(judged) => judged.verdict.into(),
                Err(judged) => VerdictFuture::new(async move { judged.await.verdict }),
            },
        }
    }

    pub(crate) async fn judged(self) -> Judged {
        match self {
            Self::Plain(verdict) => verdict.await.into(),
            Self::Leaving(judged) => judged.await,
        }
    }

    /// What is judged after a policy has abstained and left this.
    pub(crate) fn after(self, left: Option<Arc<dyn Attachment>>) -> Self {
        if left.is_none() {
            return self;
        }
        Self::Leaving(match self.into_ready() {
            Ok(judged) => MaybeReady::ready(judged.after(left)),
            Err(waiting) => MaybeReady::new(async move { waiting.judged().await.after(left) }),
        })
    }
}

impl Judged {
    /// The first thing that was left counts, unless the grant has something by itself.
    pub(crate) fn after(self, left: Option<Arc<dyn Attachment>>) -> Self {
        let Some(left) = left else {
            return self;
        };
        match self.verdict {
            Verdict::Allow(grant) => grant.attach_if_none(left).into(),
            verdict @ Verdict::Deny(_) => verdict.into(),
            verdict @ Verdict::Abstain => Self {
                verdict,
                left: Some(left),
            },
        }
    }
}

impl<V: Into<Verdict>> From<V> for Judged {
    fn from(verdict: V) -> Self {
        Self {
            verdict: verdict.into(),
            left: None,
        }
    }
}

impl PolledAgain for Judged {
    fn polled_again() -> Self {
        Verdict::polled_again().into()
    }
}

impl fmt::Debug for JudgedFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(verdict) => verdict.fmt(f),
            Self::Leaving(judged) => judged.fmt(f),
        }
    }
}
