use std::{fmt, future::Future, pin::Pin, sync::Arc};

use crate::{
    debug_as_display::debug_as_display,
    token::verify::{jwt::JwtAlgorithm, quoted},
};

/// Signs tokens with a key that this process does not have: in a key-management service, a hardware
/// security module, a vault. One signer is one key.
///
/// A [`RemoteMinter`](crate::token::issue::RemoteMinter) mints with it.
///
/// # Contract
///
/// * **Give the signature as tokens have it** ([RFC 7515, section 5.1]): its bytes, neither in base64
///   nor in PEM. For ECDSA they are R || S, each as long as the curve's field ([RFC 7518, section
///   3.4]). Most services give DER, which is something else and has to be converted.
/// * **Sign the message as it is.** The algorithm hashes it. Some services want the hash in its place,
///   or have a smaller bound for messages: then hash it, and tell the service that it is a hash.
/// * **Bound the time** that you wait for the service, and the bytes that you read.
/// * **Print no secret**: neither in `Debug`, nor in a [`SignerError`].
///
/// [RFC 7515, section 5.1]: https://www.rfc-editor.org/rfc/rfc7515#section-5.1
/// [RFC 7518, section 3.4]: https://www.rfc-editor.org/rfc/rfc7518#section-3.4
///
/// ```
/// use std::sync::Arc;
/// use tower_cors::token::{
///     issue::{SignFuture, Signer, SignerError},
///     verify::jwt::JwtAlgorithm,
/// };
/// # use tower_cors::token::{
/// #     claim::OriginsFormat,
/// #     issue::{AllowedOrigins, IssueRules, MintError, RemoteMinter, TokenOrder},
/// # };
///
/// # #[derive(Debug)]
/// # struct Client(usize);
/// # impl Client {
/// #     async fn sign(&self, _: &str, _: Vec<u8>) -> Result<Vec<u8>, std::io::Error> {
/// #         Ok([vec![0x30, self.0 as u8 - 2], vec![2; self.0 - 2]].concat())
/// #     }
/// # }
/// /// A key of a service, by its address.
/// #[derive(Debug)]
/// struct ServiceKey {
///     client: Arc<Client>,
///     address: &'static str,
/// }
///
/// impl Signer for ServiceKey {
///     fn algorithm(&self) -> JwtAlgorithm {
///         JwtAlgorithm::Es256
///     }
///
///     fn key_id(&self) -> Option<&str> {
///         Some("2026-11")
///     }
///
///     fn sign(&self, message: Vec<u8>) -> SignFuture {
///         let (client, address) = (Arc::clone(&self.client), self.address);
///         Box::pin(async move { client.sign(address, message).await.map_err(SignerError::new) })
///     }
/// }
/// # futures_util::FutureExt::now_or_never(async {
/// # let allowed = AllowedOrigins::parse_request(
/// #     "https://contoso.com", OriginsFormat::Single, &IssueRules::new(),
/// # ).unwrap();
/// # let order = TokenOrder::new(allowed);
/// # let minter = |len| {
/// #     let signer = ServiceKey { client: Arc::new(Client(len)), address: "keys/7" };
/// #     RemoteMinter::builder(signer, "https://id.example", "chat").build().unwrap()
/// # };
/// # let (in_binary, in_der) = (minter(64), minter(71));
///
/// // 64 bytes are the form of ES256. A service that gives DER is found out with the first token.
/// assert!(in_binary.mint(&order).await.is_ok());
/// assert!(matches!(in_der.mint(&order).await, Err(MintError::DerSignature { found: 71, .. })));
/// # }).unwrap();
/// ```
pub trait Signer: fmt::Debug + Send + Sync + 'static {
    /// The algorithm of its key. It is asked when the minter is built, and not later: a new key is a
    /// new minter.
    ///
    /// HMAC is taken as well, since the service keeps the secret. Verifiers need the secret itself
    /// ([`JwtKey::dangerously_from_secret`](crate::token::verify::jwt::JwtKey::dangerously_from_secret)).
    fn algorithm(&self) -> JwtAlgorithm;

    /// The name by which verifiers choose the public key, the `kid` of tokens. It is asked when the
    /// minter is built, too.
    ///
    /// Provided: none. Verifiers then need to
    /// [accept an unnamed key](crate::token::verify::jwt::JwtVerifierBuilder::accept_unnamed_key).
    fn key_id(&self) -> Option<&str> {
        None
    }

    /// Signs a message of at most 8 KiB. The future must own what it needs.
    fn sign(&self, message: Vec<u8>) -> SignFuture;
}

/// A signature, on its way.
pub type SignFuture = Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send>>;

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn algorithm(&self) -> JwtAlgorithm {
        (**self).algorithm()
    }

    fn key_id(&self) -> Option<&str> {
        (**self).key_id()
    }

    fn sign(&self, message: Vec<u8>) -> SignFuture {
        (**self).sign(message)
    }
}

/// Why a [`Signer`] has no signature to give.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signer failed: {0}")]
pub struct SignerError(Box<str>);

debug_as_display!(SignerError);

impl SignerError {
    /// A failure, in the words of what failed. They are logged, so they must hold no secret; they are
    /// escaped, and cut after 200 bytes.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(quoted(&reason.to_string()).into())
    }
}
