use std::sync::Arc;

use super::{
    state::{FetchResult, JwksStatus},
    store::{Step, Store},
};
use crate::token::verify::{
    Flight, KeysId, TokenRequest, TokenVerifier, VerifyError, VerifyFuture, VerifyResult,
    jwt::{JwtKeys, JwtRules, UNKNOWN_KEY, UnverifiedJwt, WRONG_ALGORITHM, WRONG_SIGNATURE},
};

/// Verifies JSON Web Tokens with the keys that their issuer publishes
/// ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517)).
///
/// The keys are fetched when the first token needs them, again before their time is over, and when
/// a token names a key that is not among them, or does not verify with the one that it names: once for
/// all that wait, and never more often than the set interval, whatever tokens say. A token chooses a
/// key by `kid`, `x5t#S256` or `x5t` among the issuer's; the `jku`, `x5u`, `jwk` and `x5c` that it may
/// carry are ignored, and the key says the algorithm.
///
/// Where the document binds some of its keys to an issuer (their member `issuer`), the others do not
/// sign for that issuer, unless it is the only one that is [accepted].
///
/// Keys that the issuer has removed die with the next fetch, at the latest when their time is over.
/// When no fetch succeeds until then, nobody is let in ([`VerifyError::Unavailable`]).
///
/// [accepted]: crate::token::verify::jwks::JwksVerifierBuilder::issuer
///
/// No task is started: a request that needs keys waits for them, and so does the one that first
/// notices that they should be renewed, while others go on with the current ones. To keep every
/// request from waiting, call [`refresh`](Self::refresh) at start and every few minutes.
///
/// ```
/// use bytes::Bytes;
/// use tower_cors::token::{
///     TokenVerifier,
///     verify::{
///         FetchFuture, KeySetFetcher, TokenRequest, VerifyError,
///         jwks::JwksVerifier,
///     },
/// };
///
/// #[derive(Debug)]
/// struct Played;
///
/// impl KeySetFetcher for Played {
///     fn fetch(&self) -> FetchFuture {
///         let keys = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2026-11",
///             "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
///         Box::pin(async move { Ok(Bytes::from(keys)) })
///     }
/// }
///
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let verifier = JwksVerifier::builder(Played)
///     .issuer("https://id.example")
///     .audience("api")
///     .build()?;
/// assert!(verifier.refresh().await.is_ok());
/// assert_eq!(verifier.status().keys, 1);
///
/// // {"alg": "none", "kid": "2026-11"}
/// let forged = "eyJhbGciOiJub25lIiwia2lkIjoiMjAyNi0xMSJ9.e30.";
/// let request = http::Request::new(());
/// let verified = verifier.verify(forged, &TokenRequest::from(&request)).await;
/// assert!(matches!(verified, Err(VerifyError::NotAuthentic(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct JwksVerifier {
    store: Arc<Store>,
    rules: Arc<JwtRules>,
    keys_id: KeysId,
}

impl JwksVerifier {
    pub(crate) fn new(store: Arc<Store>, rules: JwtRules) -> Self {
        Self {
            store,
            rules: Arc::new(rules),
            keys_id: KeysId::unique(),
        }
    }

    /// Fetches the keys, unless that was done just now.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Unavailable`], when that fails, or has just failed.
    pub async fn refresh(&self) -> Result<(), VerifyError> {
        let refresh = self.store.refresh();
        let result = match refresh {
            Ok(refresh) => refresh.await,
            Err(last) => last,
        };
        result.map_err(|error| VerifyError::Unavailable(error.to_string().into()))
    }

    /// What is known of the issuer's keys.
    pub fn status(&self) -> JwksStatus {
        self.store.lock().status()
    }

    /// The issuers whose tokens are accepted.
    pub(crate) fn issuers(&self) -> &[Box<str>] {
        &self.rules.claims.issuers
    }

    fn verify_with(&self, keys: &JwtKeys, token: &UnverifiedJwt<'_>) -> VerifyResult {
        token.verify(keys, &self.rules, self.store.now())
    }

    async fn verify_after(self, fetch: Flight<FetchResult>, token: String) -> VerifyResult {
        let fetched = fetch.await;
        let token = UnverifiedJwt::parse(&token)?;
        match self.store.settle() {
            Step::Keys(keys) => {
                let key = keys.find(token.names(), token.algorithm());
                if fetched.is_ok() && key.is_none() {
                    self.store.note_unknown(token.names());
                }
                self.verify_with(&keys, &token)
            }
            Step::Unavailable(reason) => Err(VerifyError::Unavailable(reason)),
            Step::Wait(_) => Err(VerifyError::Unavailable(
                "the issuer's keys are being fetched".into(),
            )),
        }
    }
}

impl TokenVerifier for JwksVerifier {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        let unverified = match UnverifiedJwt::parse(token) {
            Ok(unverified) => unverified,
            Err(error) => return VerifyFuture::ready(Err(error)),
        };
        let fetch = match self.store.step(unverified.names(), unverified.algorithm()) {
            Step::Keys(keys) => {
                let result = self.verify_with(&keys, &unverified);
                let may_be_outdated = match result {
                    // The issuer may have put another key under the name, perhaps of another
                    // algorithm.
                    Err(VerifyError::NotAuthentic(WRONG_SIGNATURE | WRONG_ALGORITHM)) => true,
                    // A name that is unknown has been asked for already, in `step`.
                    Err(VerifyError::NotAuthentic(UNKNOWN_KEY)) => {
                        self.store.may_be_unnamed(unverified.names())
                    }
                    _ => false,
                };
                match may_be_outdated.then(|| self.store.recheck()).flatten() {
                    Some(fetch) => fetch,
                    None => return VerifyFuture::ready(result),
                }
            }
            Step::Wait(fetch) => fetch,
            Step::Unavailable(reason) => {
                return VerifyFuture::ready(Err(VerifyError::Unavailable(reason)));
            }
        };
        VerifyFuture::new(self.clone().verify_after(fetch, token.to_owned()))
    }

    fn epoch(&self) -> u64 {
        self.store.epoch()
    }

    fn keys_id(&self) -> Option<KeysId> {
        Some(self.keys_id)
    }
}
