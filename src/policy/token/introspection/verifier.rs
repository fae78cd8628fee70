use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{
    IntrospectionClient, IntrospectionRequest, IntrospectionResponse, IntrospectionVerifierBuilder,
    memory::Memory,
};
use crate::policy::token::{
    Clock, TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyResult,
    flights::Flights,
    token_key::{TokenKey, TokenKeys},
};

/// Asks the server that issued a token whether it is good, and what it says
/// ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).
///
/// An answer is remembered for a short time, which is how late a revocation can be noticed. Several
/// requests with one token ask once. At most a set number of questions is under way, so that a
/// flood of garbage does not become a flood at the issuer.
///
/// When no answer can be had, or one that says nothing clear, nobody is let in
/// ([`VerifyError::Unavailable`]).
///
/// ```
/// use bytes::Bytes;
/// use tower_cors::token::{
///     FetchFuture, IntrospectionClient, IntrospectionRequest, IntrospectionVerifier,
///     TokenVerifier, VerifyError,
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
/// assert!(verifier.verify("good").await.is_ok());
/// assert!(matches!(verifier.verify("bad").await, Err(VerifyError::Revoked)));
/// # Ok::<(), tower_cors::token::IntrospectionConfigError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct IntrospectionVerifier {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) client: Box<dyn IntrospectionClient>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
    pub(super) keys: TokenKeys,
    pub(super) memory: Memory,
    pub(super) flights: Arc<Flights<TokenKey, VerifyResult>>,
}

/// What [`IntrospectionVerifierBuilder`] sets.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) token_type_hint: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) leeway: Duration,
    pub(super) positive_ttl: Duration,
    pub(super) negative_ttl: Duration,
    pub(super) stale_if_error: Duration,
    pub(super) max_response: usize,
}

impl IntrospectionVerifier {
    /// Begins the configuration of a verifier that asks through `client`.
    pub fn builder(client: impl IntrospectionClient) -> IntrospectionVerifierBuilder {
        IntrospectionVerifierBuilder::new(Box::new(client))
    }

    pub(super) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
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
    fn verify(&self, token: &str) -> VerifyFuture {
        // RFC 6749, appendix A.12: access-token = 1*VSCHAR. Anything else needs no question.
        if token.is_empty() || !token.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            let what = "a token is printable ASCII";
            return VerifyFuture::ready(Err(VerifyError::Malformed(what)));
        }
        let shared = &self.shared;
        let key = shared.keys.key(token);
        if let Some(known) = shared.memory.get(key, shared.clock.now()) {
            return VerifyFuture::ready(known);
        }
        let flight = shared.flights.join(key, || {
            let request =
                IntrospectionRequest::new(token, shared.settings.token_type_hint.as_deref());
            let shared = Arc::clone(shared);
            async move { shared.ask(key, request).await }
        });
        match flight {
            Some(flight) => VerifyFuture::new(flight),
            None => {
                let what = "too many questions to the issuer are under way";
                VerifyFuture::ready(Err(VerifyError::Unavailable(what)))
            }
        }
    }
}

impl Shared {
    /// Asks the issuer, and remembers what it says.
    async fn ask(&self, key: TokenKey, request: IntrospectionRequest) -> VerifyResult {
        // A token may be withdrawn while the answer is on its way: its time counts from here.
        let since = self.clock.now();
        let body = match self.client.introspect(request).await {
            Ok(body) if body.len() > self.settings.max_response => {
                return self.unavailable(key, "the issuer's answer is too large");
            }
            Ok(body) => body,
            Err(error) => return self.unavailable(key, error.as_str()),
        };
        let response = match IntrospectionResponse::parse(&body) {
            Ok(response) => response,
            Err(error) => return self.unavailable(key, error.as_str()),
        };

        let expiry = response.expiry();
        let good_until = earlier(expiry, since + self.settings.positive_ttl);
        let result = self.judge(response, good_until);
        let until = match &result {
            Ok(_) => good_until,
            Err(_) => since + self.settings.negative_ttl,
        };
        self.memory.put(key, &result, since, until, expiry);
        result
    }

    /// RFC 7662, section 4: a token that is active is also looked at by whom it is meant for.
    fn judge(&self, response: IntrospectionResponse, good_until: SystemTime) -> VerifyResult {
        if !response.is_active() {
            return Err(VerifyError::Revoked);
        }
        let Settings {
            issuer, audience, ..
        } = &self.settings;
        let is_ours = issuer.as_ref().is_none_or(|it| response.is_from(it))
            && audience.as_ref().is_none_or(|it| response.is_for(it));
        if !is_ours {
            return Err(VerifyError::Misdirected);
        }
        let now = self.clock.now();
        let not_before = response.not_before();
        if not_before.is_some_and(|not_before| now + self.settings.leeway < not_before) {
            return Err(VerifyError::NotYetValid);
        }
        let is_over = response.expiry().is_some_and(|expiry| expiry <= now);
        let token = VerifiedToken::new(response.into_claims()).expires_at(good_until);
        if is_over {
            return Err(VerifyError::Expired(token));
        }
        Ok(token)
    }

    /// Fails closed, unless what was known may still be used.
    fn unavailable(&self, key: TokenKey, what: &'static str) -> VerifyResult {
        let now = self.clock.now();
        self.memory
            .get_stale(key, now, self.settings.stale_if_error)
            .ok_or(VerifyError::Unavailable(what))
    }
}

fn earlier(optional: Option<SystemTime>, time: SystemTime) -> SystemTime {
    optional.map_or(time, |optional| optional.min(time))
}

/// What is remembered is not printed.
impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("client", &self.client)
            .field("clock", &self.clock)
            .field("settings", &self.settings)
            .field("flights", &self.flights)
            .finish_non_exhaustive()
    }
}
