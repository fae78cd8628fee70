use std::fmt;

use reqwest::RequestBuilder;

/// How this service proves to an issuer who it is
/// ([RFC 7662, section 2.1](https://www.rfc-editor.org/rfc/rfc7662#section-2.1)).
///
/// ```
/// use tower_cors::token::verify::reqwest::ClientAuth;
///
/// let auth = ClientAuth::basic("my-api", "s3cr3t");
/// assert_eq!(format!("{auth:?}"), "Basic");
/// ```
#[derive(Clone)]
pub struct ClientAuth(Kind);

#[derive(Clone)]
enum Kind {
    None,
    Basic { id: String, secret: String },
    Bearer(String),
}

impl ClientAuth {
    /// By id and secret in `Authorization: Basic`, both form-encoded first
    /// ([RFC 6749, section 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
    pub fn basic(client_id: &str, client_secret: &str) -> Self {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect();
        Self(Kind::Basic {
            id: encode(client_id),
            secret: encode(client_secret),
        })
    }

    /// By a token of this service's own in `Authorization: Bearer`.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self(Kind::Bearer(token.into()))
    }

    /// Not at all, or by a client certificate that the client is configured with. An issuer that
    /// answers anybody lets anybody try tokens: RFC 7662 forbids it.
    pub fn none() -> Self {
        Self(Kind::None)
    }

    pub(crate) fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.0 {
            Kind::None => request,
            Kind::Basic { id, secret } => request.basic_auth(id, Some(secret)),
            Kind::Bearer(token) => request.bearer_auth(token),
        }
    }
}

/// Secrets are not printed.
impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::None => "None",
            Kind::Basic { .. } => "Basic",
            Kind::Bearer(_) => "Bearer",
        })
    }
}
