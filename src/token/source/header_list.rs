use std::borrow::Cow;

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::PAD},
};
use http::{HeaderMap, HeaderName};

use super::{find::Find, header::as_visible_ascii};

/// A token that is one element of a header whose value is a list: see
/// [`TokenSource::header_list`](crate::token::source::TokenSource::header_list).
///
/// A page can choose no header of a WebSocket handshake but `Sec-WebSocket-Protocol`, so services
/// take tokens from there. Several lines are one list (RFC 6455, section 11.3.4).
///
/// ```
/// use http::header::SEC_WEBSOCKET_PROTOCOL;
/// use tower_cors::token::source::TokenSource;
///
/// // Sec-WebSocket-Protocol: bearer, eyJ...
/// let after_a_word = TokenSource::header_list(SEC_WEBSOCKET_PROTOCOL).after("bearer");
/// // Sec-WebSocket-Protocol: v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.ZXlK...
/// let with_a_prefix = TokenSource::header_list(SEC_WEBSOCKET_PROTOCOL)
///     .prefix("base64url.bearer.authorization.k8s.io.")
///     .base64url();
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct HeaderListSource {
    name: HeaderName,
    after: Box<str>,
    prefix: Box<str>,
    is_base64url: bool,
}

impl HeaderListSource {
    pub(crate) fn new(name: HeaderName) -> Self {
        Self {
            name,
            after: Box::default(),
            prefix: Box::default(),
            is_base64url: false,
        }
    }

    /// The token is the element after this one, which is compared exactly.
    pub fn after(mut self, element: impl Into<Box<str>>) -> Self {
        self.after = element.into();
        self
    }

    /// The token is what follows this in the element that begins with it.
    pub fn prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The token is in base64url (RFC 4648, section 5), with or without padding.
    pub fn base64url(mut self) -> Self {
        self.is_base64url = true;
        self
    }

    pub(crate) fn name(&self) -> &HeaderName {
        &self.name
    }

    pub(crate) fn mistake(&self) -> Option<&'static str> {
        (self.after.is_empty() == self.prefix.is_empty()).then_some(
            "an element of a list is known by the one before it or by its prefix: call after() or \
             prefix()",
        )
    }

    pub(crate) fn find<'a>(&self, headers: &'a HeaderMap, max_len: usize) -> Find<Cow<'a, str>> {
        let lines = headers.get_all(&self.name).iter();
        let elements = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
        let mut elements = elements.map(<[u8]>::trim_ascii).filter(|it| !it.is_empty());
        let mut found = None;
        while let Some(element) = elements.next() {
            let token = if self.prefix.is_empty() {
                if element != self.after.as_bytes() {
                    continue;
                }
                elements.next().unwrap_or_default()
            } else {
                match element.strip_prefix(self.prefix.as_bytes()) {
                    Some(token) => token,
                    None => continue,
                }
            };
            if found.replace(token).is_some() {
                return Find::Several;
            }
        }
        match found {
            None => Find::Nothing,
            Some(token) => self.decode(token, max_len),
        }
    }

    fn decode<'a>(&self, token: &'a [u8], max_len: usize) -> Find<Cow<'a, str>> {
        let Some(token) = as_visible_ascii(token).filter(|token| !token.is_empty()) else {
            return Find::Malformed;
        };
        if !self.is_base64url {
            return Find::Token(Cow::Borrowed(token));
        }
        if token.len() > max_len.div_ceil(3).saturating_mul(4) {
            return Find::TooLong;
        }
        const EITHER: GeneralPurposeConfig =
            PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let engine = GeneralPurpose::new(&base64::alphabet::URL_SAFE, EITHER);
        let decoded = engine.decode(token).ok();
        match decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(token) => Find::Token(Cow::Owned(token)),
            None => Find::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};

    use super::*;

    fn find(source: &HeaderListSource, lines: &[&'static str]) -> Find<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(line));
        }
        source.find(&headers, 100).map(Cow::into_owned)
    }

    #[test]
    fn the_element_after_a_word() {
        let source = HeaderListSource::new(SEC_WEBSOCKET_PROTOCOL).after("bearer");
        let token = || Find::Token("t.o.k".to_owned());
        for lines in [
            &["bearer, t.o.k"][..],
            &["chat,bearer,t.o.k, other"],
            &["bearer", "t.o.k"],
            &["chat", " bearer ,, t.o.k"],
        ] {
            assert_eq!(find(&source, lines), token(), "{lines:?}");
        }
        assert_eq!(find(&source, &[]), Find::Nothing);
        assert_eq!(find(&source, &["chat, Bearer, t.o.k"]), Find::Nothing);
        assert_eq!(find(&source, &["bearer"]), Find::Malformed);
        assert_eq!(find(&source, &["bearer, a, bearer, a"]), Find::Several);
        assert_eq!(find(&source, &["bearer, a", "bearer, b"]), Find::Several);
    }

    #[test]
    fn the_rest_of_an_element() {
        let plain = HeaderListSource::new(SEC_WEBSOCKET_PROTOCOL).prefix("token.");
        assert_eq!(
            find(&plain, &["chat, token.t.o.k"]),
            Find::Token("t.o.k".to_owned())
        );
        assert_eq!(find(&plain, &["chat, token."]), Find::Malformed);
        assert_eq!(find(&plain, &["token.a, token.b"]), Find::Several);
        let encoded = plain.base64url();
        for line in ["token.dC5vLms_", "token.dC5vLms_, chat"] {
            assert_eq!(
                find(&encoded, &[line]),
                Find::Token("t.o.k?".to_owned()),
                "{line}"
            );
        }
        for line in [
            "token.dC5vLms/",
            "token.t.o.k",
            "token._w",
            "token.=",
            "token.==",
            "token.====",
        ] {
            assert_eq!(find(&encoded, &[line]), Find::Malformed, "{line}");
        }
        // 100 bytes are up to 136 characters. What these stand for is no text.
        for (len, expected) in [(136, Find::Malformed), (137, Find::TooLong)] {
            let long: &'static str = format!("token.{}", "a".repeat(len)).leak();
            assert_eq!(find(&encoded, &[long]), expected, "{len}");
        }
    }

    #[test]
    fn what_cannot_work_is_a_mistake() {
        let source = || HeaderListSource::new(SEC_WEBSOCKET_PROTOCOL);
        assert!(source().after("bearer").mistake().is_none());
        assert!(source().prefix("token.").mistake().is_none());
        assert!(source().mistake().is_some());
        assert!(
            source()
                .after("bearer")
                .prefix("token.")
                .mistake()
                .is_some()
        );
    }
}
