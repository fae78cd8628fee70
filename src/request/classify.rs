use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
};

use super::{head::Head, malformed::Malformed};
use crate::{fetch::Line, origin::RequestOrigin};

/// The kind of a request as far as CORS is concerned, with the header lines that make it one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Classified<'a> {
    /// No `Origin` header.
    NotCors,
    /// `OPTIONS` with `Origin` and `Access-Control-Request-Method`.
    Preflight {
        origin: SentOrigin<'a>,
        method: Line<'a>,
    },
    /// Any other request with `Origin`, a plain `OPTIONS` too.
    Actual(SentOrigin<'a>),
}

#[inline(always)]
pub(crate) fn classify<'a>(head: &Head<'a>) -> Classified<'a> {
    // https://fetch.spec.whatwg.org/#cors-request
    let Some(origin) = SentOrigin::find(head.headers) else {
        return Classified::NotCors;
    };
    // Without an announced method it is a plain `OPTIONS`, which goes to the service.
    match announced_method(head) {
        Some(method) => Classified::Preflight { origin, method },
        None => Classified::Actual(origin),
    }
}

/// The method that an `OPTIONS` request announces
/// (<https://fetch.spec.whatwg.org/#cors-preflight-fetch>); methods are case-sensitive. The caller
/// looks for an `Origin`, without which it is not a preflight.
#[inline]
pub(crate) fn announced_method<'a>(head: &Head<'a>) -> Option<Line<'a>> {
    if *head.method == Method::OPTIONS {
        Line::find(head.headers, &ACCESS_CONTROL_REQUEST_METHOD)
    } else {
        None
    }
}

/// The `Origin` of a request, not parsed yet: a plain list is searched for the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SentOrigin<'a>(Line<'a>);

impl<'a> SentOrigin<'a> {
    #[inline]
    pub(crate) fn find(headers: &'a HeaderMap) -> Option<Self> {
        Line::find(headers, &ORIGIN).map(Self)
    }

    /// The one line.
    ///
    /// # Errors
    ///
    /// When there are several.
    pub(crate) fn single(self) -> Result<&'a HeaderValue, Malformed> {
        match self.0 {
            Line::One(value) => Ok(value),
            Line::Several => Err(Malformed::SeveralOrigins),
        }
    }

    /// The request's one origin.
    ///
    /// # Errors
    ///
    /// When there are several `Origin` lines, or one that is not exactly one serialised origin.
    pub(crate) fn parse(self) -> Result<RequestOrigin, Malformed> {
        RequestOrigin::from_header(self.single()?).map_err(|_| Malformed::Origin)
    }
}
