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

#[cfg(test)]
mod tests {
    use super::{
        super::{denial::DenialKind, grant::Grant},
        *,
    };

    /// What the inner service is given after one policy has left a text and another one has judged.
    fn given(judged: impl Into<Judged>) -> (Verdict, Option<Arc<String>>) {
        let left: Arc<dyn Attachment> = Arc::new("left".to_owned());
        let mut judged = judged.into().after(Some(left));
        let mut extensions = http::Extensions::new();
        let attachment = match &mut judged.verdict {
            Verdict::Allow(grant) => grant.take_attachment(),
            Verdict::Deny(_) | Verdict::Abstain => judged.left,
        };
        if let Some(attachment) = attachment {
            attachment.attach(&mut extensions);
        }
        (judged.verdict, extensions.remove())
    }

    #[test]
    fn what_is_left_goes_with_a_grant_that_brings_nothing() {
        let text = |text: &str| Some(Arc::new(text.to_owned()));
        let plain = Grant::new().allow_credentials(true);
        let (verdict, found) = given(plain);
        assert_eq!(found, text("left"));
        let Verdict::Allow(grant) = verdict else {
            panic!("{verdict:?}");
        };
        // The rest of the grant stays.
        assert_eq!(grant.own_credentials(), Some(true));

        let own = Grant::new().attach(Arc::new("own".to_owned()));
        assert_eq!(given(own).1, text("own"));
        assert_eq!(given(DenialKind::OriginNotAllowed).1, None);
        assert_eq!(given(Verdict::Abstain).1, text("left"));
    }

    #[test]
    fn both_kinds_are_printed() {
        let plain = JudgedFuture::Plain(Verdict::Abstain.into());
        let leaving = JudgedFuture::Leaving(MaybeReady::ready(Judged::from(Verdict::Abstain)));
        for judged in [plain, leaving] {
            assert!(format!("{judged:?}").contains("Abstain"), "{judged:?}");
        }
    }
}
