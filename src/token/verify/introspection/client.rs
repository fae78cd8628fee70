use std::{fmt, sync::Arc};

use crate::token::verify::FetchFuture;

/// Sends the question about a token to the server that issued it, and returns the answer's body
/// ([RFC 7662, section 2](https://www.rfc-editor.org/rfc/rfc7662#section-2)).
///
/// # Contract
///
/// * **`POST` the form** as `application/x-www-form-urlencoded` to the one configured endpoint,
///   over TLS, with whatever authenticates this service there. Follow no redirect.
/// * **Bound what you read**, and the time that you wait.
/// * **Return only an answer with status 200** and the media type `application/json`.
/// * **Never log the form**: it holds the token.
///
/// ```
/// use bytes::Bytes;
/// use tower_cors::token::verify::{
///     FetchFuture,
///     introspection::{IntrospectionClient, IntrospectionRequest},
/// };
///
/// /// An issuer that knows one token.
/// #[derive(Debug)]
/// struct Played;
///
/// impl IntrospectionClient for Played {
///     fn introspect(&self, request: IntrospectionRequest) -> FetchFuture {
///         let active = request.form() == "token=good&token_type_hint=access_token";
///         Box::pin(async move { Ok(Bytes::from(format!(r#"{{"active": {active}}}"#))) })
///     }
/// }
/// ```
pub trait IntrospectionClient: fmt::Debug + Send + Sync + 'static {
    /// Sends the question. The future must own what it needs.
    fn introspect(&self, request: IntrospectionRequest) -> FetchFuture;
}

// Clients are used behind pointers.
const _: Option<&dyn IntrospectionClient> = None;

impl<C: IntrospectionClient + ?Sized> IntrospectionClient for Arc<C> {
    fn introspect(&self, request: IntrospectionRequest) -> FetchFuture {
        (**self).introspect(request)
    }
}

/// The question about a token
/// ([RFC 7662, section 2.1](https://www.rfc-editor.org/rfc/rfc7662#section-2.1)).
#[derive(Clone)]
pub struct IntrospectionRequest {
    form: String,
}

impl IntrospectionRequest {
    pub(crate) fn new(token: &str, token_type_hint: Option<&str>) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token);
        if let Some(hint) = token_type_hint {
            form.append_pair("token_type_hint", hint);
        }
        Self {
            form: form.finish(),
        }
    }

    /// The body to send. It holds the token: keep it out of logs.
    pub fn form(&self) -> &str {
        &self.form
    }

    /// The body to send, owned.
    pub fn into_form(self) -> String {
        self.form
    }
}

/// The token is not printed.
impl fmt::Debug for IntrospectionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionRequest")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_encoded_and_not_printed() {
        for (token, hint, form) in [
            ("abc", None, "token=abc"),
            (
                "a+b/c==&token_type_hint=x",
                Some("access_token"),
                "token=a%2Bb%2Fc%3D%3D%26token_type_hint%3Dx&token_type_hint=access_token",
            ),
        ] {
            let request = IntrospectionRequest::new(token, hint);
            assert_eq!(request.form(), form);
            assert_eq!(format!("{request:?}"), "IntrospectionRequest { .. }");
            assert_eq!(request.into_form(), form);
        }
    }
}
