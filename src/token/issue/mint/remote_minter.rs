use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{
    error::MintError, minted::MintedToken, order::TokenOrder, signer::Signer, terms::MintTerms,
};
use crate::token::verify::jwt::{Family, JwtAlgorithm};

/// Mints the tokens that a [`TokenMinter`](crate::token::issue::TokenMinter) mints, signed by a
/// [`Signer`]: the private key is not in this process.
///
/// It needs no runtime, and has no limit of time: the signer has one, or you wrap
/// [`mint`](Self::mint) in one of your runtime.
///
/// The length of a signature is checked, and no more: the minter has no public key. If the service
/// signs with another key or another padding than configured, every verifier refuses the tokens. So
/// let your verifier take one token when your service starts:
///
/// ```
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// # use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
/// # use tower_cors::token::{
/// #     claim::OriginsFormat,
/// #     issue::{AllowedOrigins, IssueRules, SignFuture, Signer, SignerError, SigningKey},
/// #     verify::jwt::JwtAlgorithm,
/// # };
/// use std::sync::Arc;
/// use tower_cors::{
///     preflight::IssuedIndex,
///     token::{
///         TokenVerifier,
///         issue::{RemoteMinter, TokenOrder},
///         verify::{TokenRequest, jwt::JwtVerifier},
///     },
/// };
///
/// # const PEM: &[u8] = b"-----BEGIN PRIVATE KEY-----\n\
/// #     MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
/// #     -----END PRIVATE KEY-----\n";
/// # /// The service, played by a key of the process.
/// # #[derive(Debug)]
/// # struct ServiceKey;
/// # impl Signer for ServiceKey {
/// #     fn algorithm(&self) -> JwtAlgorithm { JwtAlgorithm::EdDsa }
/// #     fn key_id(&self) -> Option<&str> { Some("2026-11") }
/// #     fn sign(&self, message: Vec<u8>) -> SignFuture {
/// #         let key = jsonwebtoken::EncodingKey::from_ed_pem(PEM).unwrap();
/// #         let signature = jsonwebtoken::crypto::sign(&message, &key, jsonwebtoken::Algorithm::EdDSA);
/// #         let decode = |text| URL_SAFE_NO_PAD.decode(text).map_err(SignerError::new);
/// #         Box::pin(async move { signature.map_err(SignerError::new).and_then(decode) })
/// #     }
/// # }
/// # fn service_key() -> ServiceKey { ServiceKey }
/// # let public_key = SigningKey::from_pem(PEM, JwtAlgorithm::EdDsa, "2026-11")?.to_public();
/// # let allowed = AllowedOrigins::parse_request(
/// #     "https://contoso.com", OriginsFormat::Single, &IssueRules::new(),
/// # )?;
/// # let order = TokenOrder::new(allowed).session("7");
/// # futures_util::FutureExt::now_or_never(async {
/// let verifier = JwtVerifier::builder()
///     .key(public_key)
///     .issuer("https://id.example")
///     .audience("chat")
///     .build()?;
/// let signer: Arc<dyn Signer> = Arc::new(service_key());
/// let builder = || RemoteMinter::builder(Arc::clone(&signer), "https://id.example", "chat");
///
/// // Without an index, so that the probe is registered nowhere.
/// let probe = builder().build()?.mint(&order).await?;
/// let request = http::Request::new(());
/// verifier.verify(probe.as_str(), &TokenRequest::from(&request)).await?;
///
/// let issued = IssuedIndex::new(100_000);
/// let minter = builder().index(issued.clone()).build()?;
/// assert!(minter.mint(&order).await.is_ok());
///
/// issued.revoke_session("7")?;
/// assert!(minter.mint(&order).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap()?;
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RemoteMinter {
    signer: Arc<dyn Signer>,
    algorithm: JwtAlgorithm,
    /// As it stands in tokens, in base64url.
    header: Box<str>,
    terms: MintTerms,
}

impl RemoteMinter {
    pub(super) fn new(signer: Arc<dyn Signer>, terms: MintTerms) -> Self {
        let algorithm = signer.algorithm();
        let mut header = Map::from_iter([
            ("typ".to_owned(), Value::from("JWT")),
            ("alg".to_owned(), Value::from(algorithm.name())),
        ]);
        if let Some(key_id) = signer.key_id() {
            header.insert("kid".to_owned(), Value::from(key_id));
        }
        Self {
            signer,
            algorithm,
            header: encoded(header.into()).into(),
            terms,
        }
    }

    /// Mints a token, and registers it with the index, if there is one, once it is signed.
    ///
    /// If the signer fails or panics, or the future is dropped, nothing has been registered.
    ///
    /// # Errors
    ///
    /// When the order cannot be filled, the session is revoked before the token is signed, the index
    /// is full, or the signer or the operating system fails.
    pub async fn mint(&self, order: &TokenOrder) -> Result<MintedToken, MintError> {
        let draft = self.terms.draft(order)?;
        let mut jwt = [&*self.header, &*encoded(draft.claims)].join(".");
        // Otherwise the signer would get a message of any length.
        self.terms.check_len(&jwt)?;
        let signature = self.signer.sign(jwt.clone().into_bytes()).await?;
        check_form(&signature, self.algorithm)?;
        jwt.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        self.terms.issue(&draft.issued, &jwt)
    }
}

fn encoded(object: Value) -> String {
    URL_SAFE_NO_PAD.encode(object.to_string())
}

fn check_form(signature: &[u8], algorithm: JwtAlgorithm) -> Result<(), MintError> {
    let found = signature.len();
    if algorithm.signature_lens().contains(&found) {
        return Ok(());
    }
    let is_ecdsa = matches!(algorithm.family(), Family::P256 | Family::P384);
    match signature {
        // A SEQUENCE of this length.
        [0x30, len, ..] if is_ecdsa && usize::from(*len) + 2 == found => {
            Err(MintError::DerSignature { algorithm, found })
        }
        _ => Err(MintError::SignatureLength { algorithm, found }),
    }
}
