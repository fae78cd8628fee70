use std::borrow::Cow;

use http::Uri;
use memchr::{memchr_iter, memrchr2};
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
        let mut pairs = pairs_of(query).filter(|pair| self.is_in(pair));
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
        match self.decode(Value::of_form(pair)) {
            Some(token) if !token.is_empty() => Find::Token(token),
            _ => Find::Malformed,
        }
    }

    /// Whether a part of the query is our parameter. A name that is too long is not decoded.
    fn is_in(&self, pair: &str) -> bool {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let may_be_ours = (1..=3 * self.name.len()).contains(&name.len());
        *name == *self.name || (may_be_ours && form_decode(name).0 == *self.name)
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
    fn decode<'a>(&self, mut value: Value<'a>) -> Option<Cow<'a, str>> {
        let (least, most) = match self.layers {
            Layers::Exactly(n) => (n, n),
            Layers::UpTo(n) => (1, n),
        };
        for layer in 1..=most {
            if layer > 1 {
                value = value.percent_decoded()?;
            }
            if layer >= least
                && let Some(token) = value.strip_prefix(&self.prefix)
            {
                return Some(token);
            }
        }
        None
    }
}

/// The parts of a query between the `&`.
fn pairs_of(query: &str) -> impl Iterator<Item = &str> {
    let mut start = 0;
    let ends = memchr_iter(b'&', query.as_bytes()).chain([query.len()]);
    ends.map(move |end| {
        let pair = &query[start..end];
        start = end + 1;
        pair
    })
}

/// One name and its value, as forms have them:
/// <https://url.spec.whatwg.org/#concept-urlencoded-parser>.
fn form_decode(pair: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .unwrap_or_default()
}

/// A value from which layers of encoding are taken, in two parts: decoding looks at each byte and
/// makes copies, a token is long, and what is escaped in it stands at its beginning.
struct Value<'a> {
    start: Cow<'a, str>,
    /// What follows the last escape, and stays as it is under all layers.
    rest: &'a str,
}

impl<'a> Value<'a> {
    /// The value of a pair, without the form's layer.
    fn of_form(pair: &'a str) -> Self {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // An escape has three characters; less than a whole one may be left.
        let end = memrchr2(b'%', b'+', value.as_bytes()).map_or(0, |at| at + 3);
        let (start, rest) = value.split_at_checked(end).unwrap_or((value, ""));
        let start = if start.is_empty() {
            Cow::Borrowed(start)
        } else {
            // Behind a `=`, as a value: it may have another one.
            form_decode(&pair[name.len()..][..1 + start.len()]).1
        };
        Self { start, rest }
    }

    /// The value without a layer of percent-encoding; `None` if that is not UTF-8.
    fn percent_decoded(self) -> Option<Self> {
        let Self { mut start, rest } = self;
        let Some(percent) = start.rfind('%') else {
            return Some(Self { start, rest });
        };
        // The layer before has uncovered it, and its digits may follow the last escape.
        let digits = (percent + 3).saturating_sub(start.len()).min(rest.len());
        let (digits, rest) = rest.split_at_checked(digits).unwrap_or(("", rest));
        start += digits;
        let start = percent_decode_str(&start).decode_utf8().ok()?.into_owned();
        let start = Cow::Owned(start);
        Some(Self { start, rest })
    }

    fn strip_prefix(&self, prefix: &str) -> Option<Cow<'a, str>> {
        let Self { start, rest } = self;
        match start.strip_prefix(prefix) {
            Some("") => Some(Cow::Borrowed(rest)),
            Some(start) => Some(Cow::Owned([start, rest].concat())),
            None => {
                let prefix = prefix.strip_prefix(&**start)?;
                rest.strip_prefix(prefix).map(Cow::Borrowed)
            }
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

        /// As if everything were decoded, layer by layer.
        #[test]
        fn what_follows_the_last_escape_is_left_as_it_is(
            value in "(%|%25|%2|%3[dD]|%c3|%a9|%C3%A9|psat|[+=\u{e9}%a-c]){0,8}[a-z0-9=\u{e9}]{0,5}",
            name in "[a%]{0,2}=?",
            layers in 1..=4_u8,
            up_to in any::<bool>(),
            prefix in "(psat=|p|%|\u{e9})?",
        ) {
            let pair = format!("{name}{value}");
            let source = QuerySource::new("a").prefix(&*prefix);
            let source = if up_to { source.up_to_layers(layers) } else { source.layers(layers) };
            let mut expected = None;
            let mut decoded = Some(form_decode(&pair).1.into_owned());
            for layer in 1..=layers {
                if layer > 1 {
                    let whole = decoded.as_deref().map(percent_decode_str);
                    decoded = whole.and_then(|whole| Some(whole.decode_utf8().ok()?.into_owned()));
                }
                if up_to || layer == layers {
                    let token = decoded.as_deref().and_then(|text| text.strip_prefix(&*prefix));
                    expected = expected.or(token.map(str::to_owned));
                }
            }
            let found = source.decode(Value::of_form(&pair)).map(Cow::into_owned);
            prop_assert_eq!(found, expected, "{} {:?}", pair, source);
        }

        #[test]
        fn pairs_are_what_stands_between(query in "[a&=]{0,12}") {
            let expected: Vec<&str> = query.split('&').collect();
            prop_assert_eq!(pairs_of(&query).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn no_query_panics(query in "[ -~]{0,60}") {
            if let Ok(uri) = format!("/?{}", query.replace(['#', ' '], "")).parse::<Uri>() {
                let _found = QuerySource::new("a").up_to_layers(2).prefix("p").find(&uri, 100);
            }
        }
    }
}
