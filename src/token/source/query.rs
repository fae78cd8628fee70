use std::borrow::Cow;

use http::Uri;
use percent_encoding::percent_decode_str;

use super::find::Find;

/// A token in the query: see [`TokenSource::query`](crate::token::source::TokenSource::query).
///
/// The query is decoded once, as forms are. Where a client encodes the token itself before it
/// puts it into the query, there are further layers of percent-encoding to take off.
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
/// let source = TokenSource::query("context").up_to_layers(2).prefix("psat=");
/// # let tokens = TokenOrigins::builder().source(source).verifier(Verifier).claim(OriginsClaim::single("o")).build()?;
/// # let layer = CorsLayer::builder().origin_policy(tokens).build()?;
/// # let service = layer.layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(()))));
/// # let status = async |uri: &str| {
/// #     let request = Request::get(uri).header(header::ORIGIN, "https://example.com");
/// #     service.clone().oneshot(request.body(()).unwrap()).await.unwrap().status()
/// # };
///
/// // The token is "eyJ", under one layer or two.
/// assert_eq!(status("/?context=psat%3deyJ").await, StatusCode::OK);
/// assert_eq!(status("/?context=psat%253deyJ").await, StatusCode::OK);
/// // Three are one too many.
/// assert_ne!(status("/?context=psat%25253deyJ").await, StatusCode::OK);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct QuerySource {
    name: Box<str>,
    layers: Layers,
    prefix: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layers {
    Exactly(u8),
    UpTo(u8),
}

/// More layers than anybody puts on.
const MAX_LAYERS: u8 = 4;

impl QuerySource {
    pub(crate) fn new(name: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            layers: Layers::Exactly(1),
            prefix: Box::default(),
        }
    }

    /// Sets how many layers of encoding are always there; 1 is the query's own. Default: 1.
    pub fn layers(mut self, layers: u8) -> Self {
        self.layers = Layers::Exactly(layers);
        self
    }

    /// Takes off layers until the [prefix](Self::prefix) shows, at most so many; 1 is the query's
    /// own. For clients that do not agree on how often to encode.
    pub fn up_to_layers(mut self, layers: u8) -> Self {
        self.layers = Layers::UpTo(layers);
        self
    }

    /// Sets a text that stands directly before the token and is not part of it, such as `psat=`.
    pub fn prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    pub(crate) fn mistake(&self) -> Option<&'static str> {
        match self.layers {
            _ if self.name.is_empty() => Some("the name of the query parameter is empty"),
            Layers::Exactly(n) | Layers::UpTo(n) if !(1..=MAX_LAYERS).contains(&n) => {
                Some("there are 1 to 4 layers of encoding")
            }
            Layers::UpTo(_) if self.prefix.is_empty() => {
                Some("up_to_layers needs a prefix, by which the last layer is known")
            }
            _ => None,
        }
    }

    pub(crate) fn find<'a>(&self, uri: &'a Uri, max_len: usize) -> Find<Cow<'a, str>> {
        let query = uri.query().unwrap_or_default();
        let mut pairs = query.split('&').filter(|pair| self.is_in(pair));
        let Some(pair) = pairs.next() else {
            return Find::Nothing;
        };
        // Some servers take the first of several parameters, some the last.
        if pairs.next().is_some() {
            return Find::Several;
        }
        if pair.len() > self.longest_encoded(max_len) {
            return Find::TooLong;
        }
        match self.decode(form_value(pair)) {
            Some(token) if !token.is_empty() => Find::Token(token),
            _ => Find::Malformed,
        }
    }

    /// Whether a part of the query is our parameter. A name that is too long is not decoded.
    fn is_in(&self, pair: &str) -> bool {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let may_be_ours = (1..=3 * self.name.len()).contains(&name.len());
        may_be_ours && form_decode(name).0 == *self.name
    }

    /// How long a pair may be whose token has that length, under all layers: the first makes three
    /// bytes of one, and each other one adds `25` after each `%`.
    fn longest_encoded(&self, max_len: usize) -> usize {
        let (Layers::Exactly(layers) | Layers::UpTo(layers)) = self.layers;
        let plain = max_len.saturating_add(self.prefix.len());
        let value = plain.saturating_mul(1 + 2 * usize::from(layers));
        value.saturating_add(3 * self.name.len() + 1)
    }

    /// Takes the layers off a value of which the form's is off already. `+` is a plus from here.
    fn decode<'a>(&self, mut value: Cow<'a, str>) -> Option<Cow<'a, str>> {
        let (least, most) = match self.layers {
            Layers::Exactly(n) => (n, n),
            Layers::UpTo(n) => (1, n),
        };
        for layer in 1..=most {
            if layer > 1 {
                let decoded = match percent_decode(&value)? {
                    Cow::Owned(decoded) => Some(decoded),
                    // Nothing in it was encoded.
                    Cow::Borrowed(_) => None,
                };
                value = decoded.map_or(value, Cow::Owned);
            }
            if layer >= least && value.starts_with(&*self.prefix) {
                return Some(strip(value, self.prefix.len()));
            }
        }
        None
    }
}

/// One name and its value, as forms have them:
/// <https://url.spec.whatwg.org/#concept-urlencoded-parser>.
fn form_decode(pair: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .unwrap_or_default()
}

/// The value of a pair.
fn form_value(pair: &str) -> Cow<'_, str> {
    let Some((name, value)) = pair.split_once('=') else {
        return Cow::default();
    };
    let plus = value.rfind('+').map_or(0, |at| at + 1);
    let decoded = decode_start(value, after_escapes(value).max(plus), |start| {
        // Beside the name: a value may have another `=`.
        Some(form_decode(&pair[..name.len() + 1 + start.len()]).1)
    });
    decoded.unwrap_or_default()
}

/// `None` if it is not UTF-8.
fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    decode_start(text, after_escapes(text), |start| {
        percent_decode_str(start).decode_utf8().ok()
    })
}

/// Where the last escape ends, if there is one.
fn after_escapes(text: &str) -> usize {
    text.rfind('%').map_or(0, |at| at + 3)
}

/// Decodes what stands before `end`, and leaves what follows: decoding looks at each byte, a token is
/// long, and what is escaped in it stands at its beginning.
fn decode_start<'a>(
    text: &'a str,
    end: usize,
    decode: impl FnOnce(&'a str) -> Option<Cow<'a, str>>,
) -> Option<Cow<'a, str>> {
    match text.split_at_checked(end) {
        Some(("", text)) => Some(Cow::Borrowed(text)),
        Some((start, rest)) if !rest.is_empty() => {
            let mut decoded = decode(start)?.into_owned();
            decoded.push_str(rest);
            Some(Cow::Owned(decoded))
        }
        // Less than a whole escape is left, as it was sent.
        Some(_) | None => decode(text),
    }
}

fn strip(text: Cow<'_, str>, len: usize) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[len..]),
        Cow::Owned(mut text) => {
            text.drain(..len);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    fn find(source: &QuerySource, query: &str) -> Find<String> {
        let uri: Uri = format!("/discover?{query}").parse().unwrap();
        source.find(&uri, 100).map(Cow::into_owned)
    }

    #[test]
    fn layers_are_taken_off_until_the_prefix_shows() {
        let source = QuerySource::new("ctx").up_to_layers(2).prefix("psat=");
        let token = || Find::Token("e.y.J".to_owned());
        for query in [
            "ctx=psat=e.y.J",
            "ctx=psat%3de.y.J",
            "ctx=psat%3De.y.J",
            "ctx=psat%253de.y.J",
            "ctx=psat%253De.y.J",
            "a=1&ctx=psat%253de.y.J&b=2",
            "%63tx=psat=e.y.J",
        ] {
            assert_eq!(find(&source, query), token(), "{query}");
        }
        for query in [
            "ctx=psat%25253de.y.J",
            "ctx=e.y.J",
            "ctx=",
            "ctx",
            "ctx=psat=",
            "ctx=PSAT=e.y.J",
            "ctx=%ff",
        ] {
            assert_eq!(find(&source, query), Find::Malformed, "{query}");
        }
        for query in ["", "CTX=psat=e.y.J", "ctx2=psat=e.y.J", "xctx=psat=e"] {
            assert_eq!(find(&source, query), Find::Nothing, "{query}");
        }
        for query in ["ctx=psat=a&ctx=psat=b", "ctx=psat=a&%63tx=psat=a"] {
            assert_eq!(find(&source, query), Find::Several, "{query}");
        }
    }

    #[test]
    fn what_is_too_long_is_not_decoded() {
        let source = QuerySource::new("t").layers(2);
        let all_encoded = |len: usize| format!("t={}", "%2561".repeat(len));
        assert_eq!(
            find(&source, &all_encoded(100)),
            Find::Token("a".repeat(100))
        );
        assert_eq!(find(&source, &all_encoded(102)), Find::TooLong);
        // All that may be encoded is, in every layer: the name, the prefix and the token.
        let source = QuerySource::new("tok").layers(3).prefix("p=");
        let longest = format!("%74%6f%6b=%252570%25253D{}", "%252561".repeat(100));
        assert_eq!(find(&source, &longest), Find::Token("a".repeat(100)));
        assert_eq!(find(&source, &format!("{longest}a")), Find::TooLong);
        // Not even by its name.
        let source = QuerySource::new("t");
        let name = format!("{}=x", "%74".repeat(1000));
        assert_eq!(find(&source, &name), Find::Nothing);
    }

    #[test]
    fn what_cannot_work_is_a_mistake() {
        let source = || QuerySource::new("ctx");
        assert_eq!(source().mistake(), None);
        assert_eq!(source().layers(2).mistake(), None);
        assert_eq!(source().up_to_layers(2).prefix("p=").mistake(), None);
        for wrong in [
            QuerySource::new(""),
            source().layers(0),
            source().layers(5),
            source().up_to_layers(2),
        ] {
            assert!(wrong.mistake().is_some(), "{wrong:?}");
        }
    }

    proptest! {
        /// Any text comes out as it went in, `%` and `+` too, where the layers are known.
        #[test]
        fn exactly_as_many_layers_as_were_put_on(text in "\\PC{1,20}", layers in 1..=4_u8) {
            let mut encoded = text.clone();
            for _ in 0..layers {
                encoded = utf8_percent_encode(&encoded, NON_ALPHANUMERIC).to_string();
            }
            let source = QuerySource::new("t").layers(layers);
            prop_assert_eq!(find(&source, &format!("t={encoded}")), Find::Token(text));
        }

        #[test]
        fn up_to_as_many_layers(
            token in "[A-Za-z0-9_.-]{1,40}", layers in 1..=4_u8, most in 1..=4_u8,
        ) {
            let mut encoded = format!("psat={token}");
            for _ in 0..layers {
                encoded = utf8_percent_encode(&encoded, NON_ALPHANUMERIC).to_string();
            }
            let source = QuerySource::new("t").up_to_layers(most).prefix("psat=");
            let expected = if layers <= most { Find::Token(token) } else { Find::Malformed };
            prop_assert_eq!(find(&source, &format!("t={encoded}")), expected);
        }

        /// As if everything were decoded.
        #[test]
        fn what_has_no_escapes_is_left_as_it_is(
            value in "(%|%25|%3[dD]|%c3|%a9|%C3%A9|[+=é%a-c]){0,6}[a-z0-9é]{0,3}", name in "[a%]{0,2}=?",
        ) {
            let pair = format!("{name}{value}");
            prop_assert_eq!(form_value(&pair), form_decode(&pair).1, "{}", pair);
            let whole = percent_decode_str(&value).decode_utf8().ok();
            prop_assert_eq!(percent_decode(&value), whole, "{}", value);
        }

        #[test]
        fn no_query_panics(query in "[ -~]{0,60}") {
            if let Ok(uri) = format!("/?{}", query.replace(['#', ' '], "")).parse::<Uri>() {
                let _found = QuerySource::new("a").up_to_layers(2).prefix("p").find(&uri, 100);
            }
        }
    }
}
