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
/// // There is no token: the scheme is not that of the source.
/// assert_eq!(status("Basic psat=eyJ").await, StatusCode::FORBIDDEN);
/// // Another part of the service may take this for a token.
/// assert_eq!(status("Bearer,psat=eyJ").await, StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct HeaderSource {
    name: HeaderName,
    schemes: Vec<Box<str>>,
    prefix: Box<str>,
    form: Form,
}

/// How much white space may stand around a token in base64.
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

    /// Adds a scheme that may stand before the token, in any case (RFC 9110, section 11.1).
    ///
    /// A value with another scheme does not count as a token. A value that only resembles one, such
    /// as `Bearer,x`, `Bearer:x` or `JWT x`, refuses the request: another part of the service may
    /// take it for a token.
    pub fn scheme(mut self, scheme: impl Into<Box<str>>) -> Self {
        self.schemes.push(scheme.into());
        self
    }

    /// Sets a text that stands directly before the token and is not part of it, such as `psat=`. A
    /// value without the prefix is not a token for this service; beside a token in another place it
    /// refuses the request, since another part of the service might use it.
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
        let credentials = match self.credentials(line.as_bytes()) {
            Credentials::Ours(credentials) => credentials,
            Credentials::OfOthers => return Find::Nothing,
            Credentials::Doubtful => return Find::Doubtful,
        };
        let Some(value) = as_visible_ascii(credentials) else {
            return Find::Malformed;
        };
        match self.form {
            Form::Text => self.without_prefix(value).map(Cow::Borrowed),
            Form::Base64 if value.len() > self.longest_encoded(max_len) => Find::TooLong,
            Form::Base64 => match from_base64(value) {
                Some(value) => self
                    .without_prefix(value.trim_ascii())
                    .map(|token| Cow::Owned(token.to_owned())),
                None => Find::Malformed,
            },
        }
    }

    fn without_prefix<'v>(&self, credentials: &'v str) -> Find<&'v str> {
        match credentials.strip_prefix(&*self.prefix) {
            Some("") => Find::Malformed,
            Some(token) => Find::Token(token),
            None => Find::Foreign,
        }
    }

    /// How long a token of that length may be in base64, with its prefix and white space around it.
    fn longest_encoded(&self, max_len: usize) -> usize {
        let len = max_len.saturating_add(self.prefix.len() + MAX_BLANKS);
        len.div_ceil(3).saturating_mul(4)
    }

    /// What follows the scheme, if it is one of ours.
    ///
    /// RFC 9110, section 11.4: `credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]`. The
    /// value is looked at as bytes, because those of other schemes may hold any.
    fn credentials<'v>(&self, value: &'v [u8]) -> Credentials<'v> {
        if self.schemes.is_empty() {
            return Credentials::Ours(value.trim_ascii());
        }
        if value.is_empty() {
            return Credentials::OfOthers;
        }
        let space = value.iter().position(|&byte| byte == b' ');
        let (scheme, credentials) = value.split_at(space.unwrap_or(value.len()));
        let is_ours = |scheme: &[u8]| {
            self.schemes
                .iter()
                .any(|ours| ours.as_bytes().eq_ignore_ascii_case(scheme))
        };
        if is_ours(scheme) {
            return Credentials::Ours(credentials.trim_ascii());
        }
        let resembles_ours = self.schemes.iter().any(|ours| {
            scheme
                .get(..ours.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(ours.as_bytes()))
        });
        // Two lines that a proxy has joined into one.
        let hides_ours = value.split(|&byte| byte == b',').skip(1).any(|part| {
            let part = part.trim_ascii_start();
            let end = part.iter().position(|byte| b" \t".contains(byte));
            is_ours(&part[..end.unwrap_or(part.len())])
        });
        if space.is_none()
            || !is_token(scheme)
            || resembles_ours
            || hides_ours
            || scheme.eq_ignore_ascii_case(b"jwt")
            || (is_like_a_jwt(credentials.trim_ascii()) && !may_carry_jwts(scheme))
        {
            Credentials::Doubtful
        } else {
            Credentials::OfOthers
        }
    }
}

/// Whose credentials a value has.
enum Credentials<'v> {
    Ours(&'v [u8]),
    OfOthers,
    Doubtful,
}

/// A `token` of RFC 9110, section 5.6.2.
fn is_token(scheme: &[u8]) -> bool {
    let is_tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !scheme.is_empty() && scheme.iter().all(is_tchar)
}

/// Whether the scheme is one for JWTs. Where it is not ours, the token is another reader's.
fn may_carry_jwts(scheme: &[u8]) -> bool {
    scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop")
}

/// Whether it begins as the header of every JWT does: a JSON object in base64url.
fn is_like_a_jwt(credentials: &[u8]) -> bool {
    credentials.starts_with(b"eyJ") && credentials.contains(&b'.')
}

/// The bytes are part of a header's value, which holds no control characters but the tab, so that what
/// is ASCII is visible. Tokens are long: both checks look at several bytes at a time.
pub(super) fn as_visible_ascii(bytes: &[u8]) -> Option<&str> {
    if bytes.is_ascii() {
        std::str::from_utf8(bytes).ok()
    } else {
        None
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
        for other in ["Basic psat=t", "Digest a=\"b\", c=d", "Token psat=t", ""] {
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
        // 100 bytes, and the white space that may stand around them.
        for (len, expected) in [(156, Find::Malformed), (157, Find::TooLong)] {
            let value: &'static str = "!".repeat(len).leak();
            assert_eq!(find(&source, "token-bin", &[value]), expected, "{len}");
        }
        let text = HeaderSource::grpc_metadata(HeaderName::from_static("token"));
        assert_eq!(
            find(&text, "token", &["t.o.k"]),
            Find::Token("t.o.k".to_owned())
        );
    }

    #[test]
    fn what_another_reader_may_take_for_a_token_is_doubtful() {
        let source = HeaderSource::new(AUTHORIZATION)
            .scheme("Bearer")
            .scheme("DPoP");
        for value in [
            &b"Bearer\te"[..],
            b"Bearer,e",
            b",Bearer e",
            b"Bearer:e",
            b"Bearer=e",
            b" Bearer e",
            b"\"Bearer e",
            b"Bearers e",
            b"BEARER/1 e",
            b"eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
            b"abc",
            b"JWT e",
            b"jwt e",
            b"Token eyJhbGciOiJIUzI1NiJ9.e30.c2ln",
            b"Basic x, Bearer e",
            b"Basic x,bearer\te",
            b"Bearer\xa0e",
            b"\xc2\xa0Bearer e",
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
            let found = source.find(&headers, 100);
            assert_eq!(
                found,
                Find::Doubtful,
                "{:?}",
                value.escape_ascii().to_string()
            );
        }
        for (value, expected) in [
            (&b"Basic \xff\xfe"[..], Find::Nothing),
            (b"Digest username=\"M\xc3\xbcller\"", Find::Nothing),
            (b"Negotiate YII=", Find::Nothing),
            // Half of what a JWT looks like.
            (b"Token eyJhbGciOiJIUzI1NiJ9", Find::Nothing),
            (b"Token a.b.c", Find::Nothing),
            (
                b"AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=c",
                Find::Nothing,
            ),
            (b"dpop e", Find::Token(Cow::Borrowed("e"))),
            (b"Bearer \xff", Find::Malformed),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
            let found = source.find(&headers, 100);
            assert_eq!(found, expected, "{:?}", value.escape_ascii().to_string());
        }
    }
}
