use std::{
    borrow::Cow,
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::FutureExt;

use super::{
    client::{IntrospectionClient, IntrospectionRequest},
    failure_budget::{Attempt, FailureBudget},
    memory::{KnownToken, Memory},
    response::IntrospectionResponse,
};
#[cfg(feature = "metrics")]
use crate::observe::CacheCounters;
use crate::{
    time::Clock,
    token::verify::{
        ClaimRules, Flight, SingleFlight, TokenKey, TokenKeys, TokenRequest, TokenVerifier,
        VerifiedToken, VerifyError, VerifyFuture, VerifyResult,
    },
};

/// Asks the server that issued a token whether it is good, and what it says
/// ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).
///
/// An answer is remembered for a short time, which is how late a revocation can be noticed, unless
/// the application [tells](Self::forget) of it. Several requests with one token ask once, whether
/// or not their clients stay for the answer.
///
/// Anybody can send tokens that were never issued. So there is a bound on the questions
/// [under way](super::IntrospectionVerifierBuilder::max_outstanding), and one on those that
/// [fail](super::IntrospectionVerifierBuilder::max_refused_per_second). While a flood of garbage
/// has used up either, a token that was never seen is not asked about: nobody can tell whether it is
/// good. A token that was good at its last answer needs no such budget, and its questions have
/// places of their own. The bounds are for all clients together; to keep one client from using them
/// up, limit the rate of each in front of this layer.
///
/// When no answer can be had, or one that says nothing clear, nobody is let in
/// ([`VerifyError::Unavailable`]). The issuer is then asked about the token again after a second.
///
/// ```
/// use bytes::Bytes;
/// use tower_cors::token::{
///     TokenVerifier,
///     verify::{
///         FetchFuture, TokenRequest, VerifyError,
///         introspection::{IntrospectionClient, IntrospectionRequest, IntrospectionVerifier},
///     },
/// };
///
/// /// An issuer that knows one token.
/// #[derive(Debug)]
/// struct Played;
///
/// impl IntrospectionClient for Played {
///     fn introspect(&self, request: IntrospectionRequest) -> FetchFuture {
///         let active = request.form() == "token=good";
///         Box::pin(async move { Ok(Bytes::from(format!(r#"{{"active": {active}}}"#))) })
///     }
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let verifier = IntrospectionVerifier::builder(Played).build()?;
/// let request = http::Request::new(());
/// let verify = |token| verifier.verify(token, &TokenRequest::from(&request));
/// assert!(verify("good").await.is_ok());
/// assert!(matches!(verify("bad").await, Err(VerifyError::Revoked)));
///
/// assert!(verify("good").into_ready().is_ok(), "it is remembered");
/// verifier.forget("good");
/// assert!(verify("good").into_ready().is_err(), "it has to be asked about");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct IntrospectionVerifier {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) client: Arc<dyn IntrospectionClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: IntrospectionSettings,
    pub(crate) keys: TokenKeys,
    pub(crate) memory: Memory,
    pub(crate) budget: Arc<FailureBudget>,
    /// Questions about tokens of which nothing good is known.
    pub(crate) unknown: Arc<SingleFlight<TokenKey, VerifyResult>>,
    /// Questions about tokens that were good at the last answer.
    pub(crate) renewals: Arc<SingleFlight<TokenKey, VerifyResult>>,
    /// How often the memory has the answer.
    #[cfg(feature = "metrics")]
    pub(crate) counters: Option<CacheCounters>,
}

/// What [`IntrospectionVerifierBuilder`] sets.
#[derive(Debug)]
pub(crate) struct IntrospectionSettings {
    pub(crate) token_type_hint: Option<String>,
    pub(crate) rules: ClaimRules,
    pub(crate) cache_ttl: Duration,
    pub(crate) refusal_ttl: Duration,
    pub(crate) stale_if_error: Duration,
    pub(crate) max_response: usize,
}

impl IntrospectionVerifier {
    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Forgets the answer for a token, as when the issuer reports that it is revoked. The issuer is
    /// asked again when the token comes next, even if a question about it is under way. A
    /// [`TokenOrigins`](crate::token::TokenOrigins) that has cached an answer of this verifier asks
    /// again, too.
    pub fn forget(&self, token: &str) {
        self.shared.forget(Some(self.shared.keys.key(token)));
    }

    /// Forgets the answers for all tokens, as [`forget`](Self::forget) does of one.
    pub fn clear(&self) {
        self.shared.forget(None);
    }

    /// The number of tokens about which something is remembered.
    pub fn cached_tokens(&self) -> usize {
        self.shared.memory.len()
    }

    /// The space that what is remembered takes up, in bytes, estimated.
    pub fn cached_bytes(&self) -> u64 {
        self.shared.memory.bytes()
    }
}

impl TokenVerifier for IntrospectionVerifier {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        // RFC 6749, appendix A.12: access-token = 1*VSCHAR. Anything else needs no question.
        if token.is_empty() || !token.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            let what = "a token is printable ASCII";
            return VerifyFuture::ready(Err(VerifyError::Malformed(what)));
        }
        let key = self.shared.keys.key(token);
        let known = self.shared.memory.get(key, self.shared.clock.now());
        #[cfg(feature = "metrics")]
        if let Some(counters) = &self.shared.counters {
            counters.count(known.is_some());
        }
        match known {
            Some(known) => VerifyFuture::ready(known),
            None => {
                VerifyFuture::new(Arc::clone(&self.shared).ask_and_record(key, token.to_owned()))
            }
        }
    }

    /// Grows when something is forgotten on demand.
    fn epoch(&self) -> u64 {
        self.shared.memory.epoch()
    }
}

impl Shared {
    fn forget(&self, key: Option<TokenKey>) {
        // An answer that is under way may be older than the revocation.
        self.unknown.abandon(key);
        self.renewals.abandon(key);
        self.memory.forget(key);
    }

    async fn ask_and_record(self: Arc<Self>, key: TokenKey, token: String) -> VerifyResult {
        let came = self.clock.now();
        let result = self.ask_once(key, &token).await;
        // The question may have been under way for longer than a good token is remembered. Another
        // one begins after this.
        let is_late = |token: &VerifiedToken| token.freshness().is_some_and(|until| until < came);
        match result {
            Ok(known) if is_late(&known) => self.ask_once(key, &token).await,
            result => result,
        }
    }

    /// Finds out what was so when this began, or when the question began that was under way.
    async fn ask_once(self: &Arc<Self>, key: TokenKey, token: &str) -> VerifyResult {
        let now = self.clock.now();
        // Somebody else may have found it out before this was polled.
        if let Some(known) = self.memory.get(key, now) {
            return known;
        }
        match self.join(key, token, now) {
            Ok(flight) => flight.await,
            Err(reason) => {
                let stale = self.memory.get_stale(key, now);
                stale.ok_or(VerifyError::Unavailable(reason.into()))
            }
        }
    }

    /// Joins the question under way, or asks it, if there may be another.
    fn join(
        self: &Arc<Self>,
        key: TokenKey,
        token: &str,
        now: SystemTime,
    ) -> Result<Flight<VerifyResult>, &'static str> {
        let under_way = self.renewals.find(key, now);
        if let Some(flight) = under_way.or_else(|| self.unknown.find(key, now)) {
            return Ok(flight);
        }
        let is_renewal = self.memory.last_good(key).is_some();
        if !is_renewal && self.budget.is_spent(now) {
            return Err("too many tokens lately were not good");
        }
        let flights = if is_renewal {
            &self.renewals
        } else {
            &self.unknown
        };
        let flight = flights.join(key, now, || {
            let hint = self.settings.token_type_hint.as_deref();
            let request = IntrospectionRequest::new(token, hint);
            Some(ask(Arc::downgrade(self), key, is_renewal, request))
        });
        flight.ok_or("too many questions to the issuer are under way")
    }

    /// What to make of the issuer's answer, and to remember of it.
    fn conclude(&self, asked: Question, body: Result<Bytes, Cow<'static, str>>) -> VerifyResult {
        let Question {
            key,
            since,
            epoch,
            attempt,
        } = asked;
        let response = body.and_then(|body| {
            if body.len() > self.settings.max_response {
                Err("the issuer's answer is too large".into())
            } else {
                IntrospectionResponse::parse(&body).map_err(|error| error.to_string().into())
            }
        });
        let response = match response {
            Ok(response) => response,
            // Fails closed, unless the last good answer may still be used.
            Err(reason) => {
                let now = self.clock.now();
                return self.memory.put_failure(key, reason, now, epoch);
            }
        };

        let settings = &self.settings;
        let expiry = response.expiry();
        let fresh_until = earlier(expiry, since + settings.cache_ttl);
        let result = self.judge(key, response, fresh_until);
        let known = match &result {
            Ok(token) => {
                attempt.succeeded();
                KnownToken {
                    result: result.clone(),
                    since,
                    until: fresh_until,
                    stale_until: earlier(expiry, fresh_until + settings.stale_if_error),
                    last_good: Some(token.clone()),
                }
            }
            Err(error) => KnownToken {
                result: result.clone(),
                since,
                until: since + settings.refusal_ttl,
                stale_until: since,
                // It is asked about again, and must then still be known to have expired.
                last_good: match error {
                    VerifyError::Expired(token) => Some(token.clone()),
                    _ => None,
                },
            },
        };
        self.memory.put(key, known, epoch);
        result
    }

    /// RFC 7662, section 4: a resource server also checks who an active token is meant for.
    fn judge(
        &self,
        key: TokenKey,
        response: IntrospectionResponse,
        fresh_until: SystemTime,
    ) -> VerifyResult {
        let now = self.clock.now();
        if response.is_active() {
            let fresh = |token: VerifiedToken| token.fresh_until(fresh_until);
            return match self.settings.rules.check(response.into_claims(), now) {
                Ok(token) => Ok(fresh(token)),
                Err(VerifyError::Expired(token)) => Err(VerifyError::Expired(fresh(token))),
                Err(error) => Err(error),
            };
        }
        // The issuer calls a token inactive after its `exp`, too. One that was good at the last
        // answer has then expired, for all that anybody can tell, and its page may read so.
        match self.memory.last_good(key) {
            Some(token) if !token.is_good_at(now) => Err(VerifyError::Expired(token)),
            _ => Err(VerifyError::Revoked),
        }
    }
}

/// A question to the issuer, and the state of things when it was asked.
struct Question {
    key: TokenKey,
    /// A token may be withdrawn while the answer is on its way: its time counts from here.
    since: SystemTime,
    epoch: u64,
    attempt: Attempt,
}

/// Asks the issuer. The verifier holds this future, which so does not hold the verifier.
async fn ask(
    shared: Weak<Shared>,
    key: TokenKey,
    is_renewal: bool,
    request: IntrospectionRequest,
) -> VerifyResult {
    let nobody = Err(VerifyError::Unavailable(
        "nobody waits for the answer".into(),
    ));
    let begin = |shared: Arc<Shared>| {
        let asked = Question {
            key,
            since: shared.clock.now(),
            epoch: shared.memory.epoch(),
            attempt: if is_renewal {
                Attempt::free()
            } else {
                shared.budget.attempt()
            },
        };
        (asked, Arc::clone(&shared.client))
    };
    let Some((asked, client)) = shared.upgrade().map(begin) else {
        return nobody;
    };
    // All callers share this future: a panic in it would reach each of them.
    let answer = AssertUnwindSafe(async { client.introspect(request).await });
    let body = match answer.catch_unwind().await {
        Ok(answer) => answer.map_err(|error| error.to_string().into()),
        Err(_) => Err("the client of the issuer panicked".into()),
    };
    match shared.upgrade() {
        Some(shared) => shared.conclude(asked, body),
        None => nobody,
    }
}

fn earlier(optional: Option<SystemTime>, time: SystemTime) -> SystemTime {
    optional.map_or(time, |optional| optional.min(time))
}

/// Remembered answers are not printed.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("client", &self.client)
            .field("clock", &self.clock)
            .field("settings", &self.settings)
            .field("budget", &self.budget)
            .field("unknown", &self.unknown)
            .field("renewals", &self.renewals)
            .finish_non_exhaustive()
    }
}
