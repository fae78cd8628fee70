use std::borrow::Cow;

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::PAD},
};
use http::{HeaderMap, HeaderName};

use super::find::Find;

/// A token in a header: see [`TokenSource::header`](crate::token::source::TokenSource::header).
///
/// ```
/// # use std::convert::Infallible;
/// # use http::{Request, Response, StatusCode, header};
/// # use tower::{Layer, ServiceExt, service_fn};
/// # use tower_cors::{
/// #     CorsLayer,
/// #     token::{
/// #         TokenOrigins, TokenVerifier, VerifiedToken, claim::{Claims, OriginsClaim},
/// #         verify::{TokenRequest, VerifyError, VerifyFuture},
/// #     },
/// # };
/// use tower_cors::token::source::TokenSource;
/// # #[derive(Debug)]
/// # struct Verifier;
/// # impl TokenVerifier for Verifier {
/// #     fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
/// #         let claims = Claims::parse(br#"{"o": "https://example.com"}"#).unwrap();
/// #         let unknown = VerifyError::NotAuthentic("unknown");
/// #         VerifyFuture::ready((token == "eyJ").then(|| VerifiedToken::new(claims)).ok_or(unknown))
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
///
/// let source = TokenSource::bearer().prefix("psat=");
/// # let tokens = TokenOrigins::builder().source(source).verifier(Verifier).claim(OriginsClaim::single("o")).build()?;
/// # let layer = CorsLayer::builder().origin_policy(tokens).build()?;
/// # let service = layer.layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(()))));
/// # let status = async |authorization: &str| {
/// #     let request = Request::get("/")
/// #         .header(header::ORIGIN, "https://example.com")
/// #         .header(header::AUTHORIZATION, authorization);
/// #     service.clone().oneshot(request.body(()).unwrap()).await.unwrap().status()
/// # };
///
/// // The token is "eyJ".
/// assert_eq!(status("Bearer psat=eyJ").await, StatusCode::OK);
/// assert_eq!(status("bearer psat=eyJ").await, StatusCode::OK);
/// // There is no token; another scheme is somebody else's.
/// assert_eq!(status("Basic psat=eyJ").await, StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HeaderSource {
    name: HeaderName,
    schemes: Vec<Box<str>>,
    prefix: Box<str>,
    form: Form,
}

/// The most white space around a token in base64 that is looked for.
const MAX_BLANKS: usize = 16;

#[derive(Clone, Copy, Debug)]
enum Form {
    Text,
    Base64,
}

impl HeaderSource {
    pub(crate) fn new(name: HeaderName) -> Self {
        Self {
            name,
            schemes: Vec::new(),
            prefix: Box::default(),
            form: Form::Text,
        }
    }

    pub(crate) fn grpc_metadata(key: HeaderName) -> Self {
        let form = if key.as_str().ends_with("-bin") {
            Form::Base64
        } else {
            Form::Text
        };
        Self {
            form,
            ..Self::new(key)
        }
    }

    /// Adds a scheme that may stand before the token, in any case (RFC 9110, section 11.1). A
    /// value with another one is no token of ours, and of no interest.
    #[must_use]
    pub fn scheme(mut self, scheme: impl Into<Box<str>>) -> Self {
        self.schemes.push(scheme.into());
        self
    }

    /// Sets what stands directly before the token and is not part of it, such as `psat=`. A value
    /// without it is no token of ours; beside a token in another place it refuses the request,
    /// since another part of the service might go by it.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    pub(crate) fn name(&self) -> &HeaderName {
        &self.name
    }

    pub(crate) fn find<'a>(&self, headers: &'a HeaderMap, max_len: usize) -> Find<Cow<'a, str>> {
        let mut lines = headers.get_all(&self.name).iter();
        let Some(line) = lines.next() else {
            return Find::Nothing;
        };
        // RFC 9110, section 5.3: no such header is a list.
        if lines.next().is_some() {
            return Find::Several;
        }
        let Ok(value) = line.to_str() else {
            return Find::Malformed;
        };
        let value = match self.form {
            Form::Text => Cow::Borrowed(value),
            Form::Base64 if value.len() > self.longest_encoded(max_len) => return Find::TooLong,
            Form::Base64 => match from_base64(value) {
                Some(value) => Cow::Owned(value),
                None => return Find::Malformed,
            },
        };
        match value {
            Cow::Borrowed(value) => self.find_in(value, Cow::Borrowed),
            Cow::Owned(value) => self.find_in(&value, |token| Cow::Owned(token.to_owned())),
        }
    }

    fn find_in<'v, 'a>(
        &self,
        value: &'v str,
        keep: impl FnOnce(&'v str) -> Cow<'a, str>,
    ) -> Find<Cow<'a, str>> {
        let Some(credentials) = self.credentials(value) else {
            return Find::Nothing;
        };
        match credentials.strip_prefix(&*self.prefix) {
            Some("") => Find::Malformed,
            Some(token) => Find::Token(keep(token)),
            None => Find::Foreign,
        }
    }

    /// How long a token of that length may be in base64, with white space and all that stands before
    /// it.
    fn longest_encoded(&self, max_len: usize) -> usize {
        let scheme = self.schemes.iter().map(|scheme| scheme.len()).max();
        let before = scheme.unwrap_or_default() + self.prefix.len() + MAX_BLANKS;
        let len = max_len.saturating_add(before);
        len.div_ceil(3).saturating_mul(4)
    }

    /// What follows the scheme, if it is one of ours.
    fn credentials<'v>(&self, value: &'v str) -> Option<&'v str> {
        if self.schemes.is_empty() {
            return Some(value.trim_ascii());
        }
        let (scheme, credentials) = value.split_once(' ').unwrap_or((value, ""));
        self.schemes
            .iter()
            .any(|ours| ours.eq_ignore_ascii_case(scheme))
            .then_some(credentials.trim_ascii())
    }
}

/// A value of binary metadata, which is sent with or without padding
/// ([gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests)).
fn from_base64(value: &str) -> Option<String> {
    const EITHER: GeneralPurposeConfig =
        PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, EITHER);
    String::from_utf8(engine.decode(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::AUTHORIZATION};

    use super::*;

    fn find(source: &HeaderSource, name: &'static str, values: &[&'static str]) -> Find<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_static(value));
        }
        source.find(&headers, 100).map(Cow::into_owned)
    }

    #[test]
    fn schemes_and_prefixes_select() {
        let source = HeaderSource::new(AUTHORIZATION)
            .scheme("Bearer")
            .scheme("SSWS")
            .prefix("psat=");
        let find = |values: &[&'static str]| find(&source, "authorization", values);
        let token = || Find::Token("t".to_owned());
        assert_eq!(find(&[]), Find::Nothing);
        assert_eq!(find(&["Bearer psat=t"]), token());
        assert_eq!(find(&["bEARER  psat=t "]), token());
        assert_eq!(find(&["ssws psat=t"]), token());
        for other in ["Basic psat=t", "psat=t", ""] {
            assert_eq!(find(&[other]), Find::Nothing, "{other}");
        }
        for other in ["Bearer t", "Bearer", "Bearer PSAT=t"] {
            assert_eq!(find(&[other]), Find::Foreign, "{other}");
        }
        assert_eq!(find(&["Bearer psat="]), Find::Malformed);
        assert_eq!(find(&["Bearer psat=t", "Bearer psat=t"]), Find::Several);
        assert_eq!(find(&["Basic x", "Bearer psat=t"]), Find::Several);
    }

    #[test]
    fn binary_metadata_is_base64() {
        let source = HeaderSource::grpc_metadata(HeaderName::from_static("token-bin"));
        for value in ["dC5vLms", "dC5vLms="] {
            let token = Find::Token("t.o.k".to_owned());
            assert_eq!(find(&source, "token-bin", &[value]), token, "{value}");
        }
        for value in ["t.o.k", "dC5vLms,dC5vLms", "/w=="] {
            assert_eq!(
                find(&source, "token-bin", &[value]),
                Find::Malformed,
                "{value}"
            );
        }
        // Of 100 bytes and all that may stand before them.
        for (len, expected) in [(154, Find::Malformed), (157, Find::TooLong)] {
            let value: &'static str = "!".repeat(len).leak();
            assert_eq!(find(&source, "token-bin", &[value]), expected, "{len}");
        }
        let text = HeaderSource::grpc_metadata(HeaderName::from_static("token"));
        assert_eq!(
            find(&text, "token", &["t.o.k"]),
            Find::Token("t.o.k".to_owned())
        );
    }
}
