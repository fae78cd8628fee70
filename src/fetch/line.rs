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
        let mut lines = headers.get_all(name).iter();
        // The iterator's size hint tells a single line at once, without a search for a second one.
        let is_one = lines.size_hint().1 == Some(1);
        let first = lines.next()?;
        Some(if is_one || lines.next().is_none() {
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
