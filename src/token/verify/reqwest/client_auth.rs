use std::{fmt, sync::Arc};

use form_urlencoded::{Serializer, byte_serialize};
use reqwest::RequestBuilder;

/// How this service proves to an issuer who it is
/// ([RFC 7662, section 2.1](https://www.rfc-editor.org/rfc/rfc7662#section-2.1)).
///
/// ```
/// use std::sync::{Arc, RwLock};
/// use tower_cors::token::verify::reqwest::ClientAuth;
///
/// let auth = ClientAuth::basic("my-api", "s3cr3t");
/// assert_eq!(format!("{auth:?}"), "Basic");
///
/// // A secret that the application replaces from time to time.
/// let secret = Arc::new(RwLock::new("s3cr3t".to_owned()));
/// let current = Arc::clone(&secret);
/// let auth = ClientAuth::rotating(move || ClientAuth::basic("my-api", &current.read().unwrap()));
/// *secret.write().unwrap() = "n3w".to_owned();
/// # let _ = auth;
/// ```
#[derive(Clone)]
pub struct ClientAuth(Kind);

#[derive(Clone)]
enum Kind {
    None,
    Basic { id: String, secret: String },
    Post { id: String, secret: String },
    Bearer(String),
    Rotating(Arc<dyn Fn() -> ClientAuth + Send + Sync>),
}

impl ClientAuth {
    /// By id and secret in `Authorization: Basic`, both form-encoded first
    /// ([RFC 6749, section 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
    pub fn basic(client_id: &str, client_secret: &str) -> Self {
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect();
        Self(Kind::Basic {
            id: encode(client_id),
            secret: encode(client_secret),
        })
    }

    /// By id and secret in the form itself, for an issuer that does not understand
    /// [`basic`](Self::basic), which RFC 6749 prefers. OpenID Connect calls this method
    /// `client_secret_post`.
    pub fn post(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self(Kind::Post {
            id: client_id.into(),
            secret: client_secret.into(),
        })
    }

    /// By a token of this service's own in `Authorization: Bearer`.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self(Kind::Bearer(token.into()))
    }

    /// By what `current` returns, which is called for each question: for secrets and tokens that
    /// change while the service runs. It must not block.
    pub fn rotating(current: impl Fn() -> Self + Send + Sync + 'static) -> Self {
        Self(Kind::Rotating(Arc::new(current)))
    }

    /// Not at all, or by a client certificate that the client is configured with. An issuer that
    /// answers anybody lets anybody try tokens: RFC 7662 forbids it.
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// The request with its form, and with what proves who asks.
    pub(crate) fn apply(&self, request: RequestBuilder, form: String) -> RequestBuilder {
        match &self.0 {
            Kind::None => request.body(form),
            Kind::Basic { id, secret } => request.basic_auth(id, Some(secret)).body(form),
            Kind::Post { id, secret } => {
                let mut form = Serializer::new(form);
                form.append_pair("client_id", id);
                form.append_pair("client_secret", secret);
                request.body(form.finish())
            }
            Kind::Bearer(token) => request.bearer_auth(token).body(form),
            Kind::Rotating(current) => current().apply(request, form),
        }
    }
}

/// Secrets are not printed.
impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::None => "None",
            Kind::Basic { .. } => "Basic",
            Kind::Post { .. } => "Post",
            Kind::Bearer(_) => "Bearer",
            Kind::Rotating(_) => "Rotating",
        })
    }
}
