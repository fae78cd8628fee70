use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

/// A header that is present and should be present once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    One(&'a HeaderValue),
    Several,
}

impl<'a> Line<'a> {
    #[inline]
    pub(crate) fn find(headers: &'a HeaderMap, name: &HeaderName) -> Option<Self> {
        let first = headers.get(name)?;
        // If the map has as many lines as names, every name has one line, and there is no need to
        // search for a second one.
        let is_one =
            headers.len() == headers.keys_len() || headers.get_all(name).iter().nth(1).is_none();
        Some(if is_one {
            Self::One(first)
        } else {
            Self::Several
        })
    }
}

/// A value whose clones share its bytes.
pub(crate) fn shared_value(text: String) -> HeaderValue {
    let bytes = Bytes::from(text);
    // The first clone allocates a reference count. Do that now, not during a request.
    drop(bytes.clone());
    HeaderValue::from_maybe_shared(bytes).unwrap_or(HeaderValue::from_static(""))
}
