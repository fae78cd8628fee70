use std::{fmt, future::Future, pin::Pin};

use bytes::Bytes;

use crate::debug_as_display::debug_as_display;

/// Fetches the document that holds the keys of an issuer: a JWK set
/// ([RFC 7517, section 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
///
/// # Contract
///
/// * **Fetch only what the configuration names**, never a URL out of a token.
/// * **Bound what you read**, and the time that you wait.
/// * **Return only an answer that was successful** and whose media type is JSON.
///
/// ```
/// use bytes::Bytes;
/// use tower_cors::token::verify::{FetchError, FetchFuture, KeySetFetcher};
///
/// /// Keys that an operator puts onto the disk.
/// #[derive(Debug)]
/// struct File(std::path::PathBuf);
///
/// impl KeySetFetcher for File {
///     fn fetch(&self) -> FetchFuture {
///         let path = self.0.clone();
///         Box::pin(async move {
///             let json = std::fs::read(path).map_err(|_| FetchError::Unreachable)?;
///             Ok(Bytes::from(json))
///         })
///     }
/// }
/// ```
pub trait KeySetFetcher: fmt::Debug + Send + Sync + 'static {
    /// Fetches the document. The future must own what it needs.
    fn fetch(&self) -> FetchFuture;
}

// Fetchers are used behind pointers.
const _: Option<&dyn KeySetFetcher> = None;

/// The body of an issuer's answer, on its way.
pub type FetchFuture = Pin<Box<dyn Future<Output = Result<Bytes, FetchError>> + Send>>;

/// Why an issuer's answer is not there. The texts hold nothing that was sent or received.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("the issuer is out of reach")]
    Unreachable,
    /// It took too long.
    #[error("the issuer did not answer in time")]
    Timeout,
    /// An answer that is not a success.
    #[error("the issuer answered with status {0}{hint}", hint = hint(*.0))]
    Status(u16),
    /// An answer that is not JSON, by its `Content-Type`.
    #[error("the issuer's answer has another media type than JSON")]
    MediaType,
    /// An answer larger than the bound.
    #[error("the issuer's answer is too large")]
    TooLarge,
    /// Metadata that do not lead to the issuer's keys.
    #[error("the issuer's metadata {0}")]
    Metadata(&'static str),
}

debug_as_display!(FetchError);

/// What an operator should look at.
fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => ": it does not accept this service's own credentials",
        _ => "",
    }
}
