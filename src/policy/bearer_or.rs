use http::{
    HeaderMap,
    header::{AUTHORIZATION, COOKIE},
};

use super::{
    decider::Decider,
    denial::{Denial, DenialKind},
    denied_requests::DeniedRequests,
    future::VerdictFuture,
    grant::Grant,
    hint::Said,
    judged::JudgedFuture,
    listings::ListingTexts,
    origin_policy::OriginPolicy,
    properties::PolicyProperties,
    verdict::Verdict,
};
use crate::{
    origin::{Listing, Origin, RequestOrigin},
    request::CorsRequest,
};

/// Allows callers with a bearer token from any origin, and lets a policy judge callers with
/// cookies.
///
/// A page that sends a bearer token has obtained it, and adds it on purpose. Cookies are added by
/// the browser, to requests of any site. So:
///
/// | request | answer |
/// |---|---|
/// | preflight that asks for `Authorization` | any origin but `null`, without credentials |
/// | other preflight | the policy |
/// | `Authorization: Bearer` (or `DPoP`), no `Cookie` | any origin but `null`, without credentials |
/// | `Cookie`, or both, or neither | the policy |
///
/// A page that sends both gets its preflight answered as a bearer caller, without credentials, and
/// the browser stops there. Other `Authorization` schemes are left to the policy: browsers add them
/// without the page, as they do cookies. `Authorization` has to be in the layer's `allow_headers`.
/// Do not use this if client certificates authenticate users: they cannot be seen here.
///
/// The token is not verified here. A policy that verifies bearer tokens builds neither inside this one
/// nor behind it, as its [`fallback`](OriginPolicy::fallback), because it would never be asked about
/// them. In front of it, it builds as a broad preflight: without credentials, with listed methods and
/// headers, and with a max-age of at most 60 seconds.
///
/// ```
/// use http::{Request, header::AUTHORIZATION};
/// use tower_cors::{CorsLayer, OriginSet, policy::BearerOr};
///
/// let trusted = OriginSet::parse(["https://admin.example.com"]).expect("one origin");
/// let cors = CorsLayer::builder()
///     .origin_policy(BearerOr::new(trusted))
///     .allow_credentials(true)
///     .allow_headers([AUTHORIZATION])
///     .build()?;
/// let is_allowed = |request| cors.explain_now(&request).is_some_and(|it| it.is_allowed());
///
/// let get = |name, value| {
///     Request::get("/").header("origin", "https://app.example").header(name, value).body(())
/// };
/// assert!(is_allowed(get("authorization", "Bearer eyJ")?));
/// // Any site can send this with the user's cookies.
/// assert!(!is_allowed(get("cookie", "session=1")?));
///
/// let preflight = |method, headers| {
///     Request::options("/")
///         .header("origin", "https://app.example")
///         .header("access-control-request-method", method)
///         .header("access-control-request-headers", headers)
///         .body(())
/// };
/// assert!(is_allowed(preflight("GET", "authorization")?));
/// assert!(!is_allowed(preflight("GET", "content-type")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BearerOr<P> {
    cookies: P,
}

impl<P: OriginPolicy> BearerOr<P> {
    /// Lets `cookies` judge all requests but those with a bearer token and without cookies.
    pub fn new(cookies: P) -> Self {
        Self { cookies }
    }
}

impl<P: OriginPolicy> OriginPolicy for BearerOr<P> {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        // Without cookies, the request has no rights except the token's, which the page already has.
        if is_bearer_caller(request.headers()) {
            any_without_credentials(request.origin())
        } else {
            self.cookies.judge(request)
        }
    }

    fn judge_and_leave(&self, request: &CorsRequest<'_>) -> JudgedFuture {
        if is_bearer_caller(request.headers()) {
            JudgedFuture::Plain(any_without_credentials(request.origin()))
        } else {
            self.cookies.judge_and_leave(request)
        }
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        // A preflight names the headers of the request to come, but not their values.
        let names = request.preflight().map(|preflight| preflight.headers());
        if names.is_some_and(|names| names.contains(&AUTHORIZATION)) {
            any_without_credentials(request.origin())
        } else {
            self.cookies.judge_preflight(request)
        }
    }

    fn properties(&self) -> PolicyProperties {
        let cookies = self.cookies.properties();
        let bearer = PolicyProperties::new()
            .reads([AUTHORIZATION, COOKIE])
            .repeats_any_origin()
            .waves_through(AUTHORIZATION)
            .denied_requests(DeniedRequests::Refuse)
            .no_store();
        // Without a list for callers with cookies, the token is what a refused request lacks.
        let bearer = if cookies.listings().is_empty() {
            bearer.looks_up_in(BearerOnly)
        } else {
            bearer
        };
        // A policy that verifies bearer tokens would never be asked, and a forged token would pass.
        if cookies.has_read(&AUTHORIZATION) {
            bearer.or(cookies).bypasses(AUTHORIZATION)
        } else {
            bearer.or(cookies)
        }
    }

    fn decider(&self, request: &CorsRequest<'_>) -> Decider {
        let is_bearer = match request.preflight() {
            None => is_bearer_caller(request.headers()),
            Some(preflight) => preflight.headers().contains(&AUTHORIZATION),
        };
        if is_bearer {
            Decider::new("BearerOr").by("a bearer token without cookies")
        } else {
            self.cookies.decider(request)
        }
    }
}

/// The texts for callers without a bearer token, where nobody else is let in by a list.
#[derive(Debug)]
struct BearerOnly;

impl Listing for BearerOnly {
    fn entry_for(&self, _: &Origin) -> Option<String> {
        None
    }

    fn entries_up_to(&self, _: usize) -> Option<Vec<String>> {
        None
    }
}

impl ListingTexts for BearerOnly {
    fn why_not(&self, _: &Origin) -> Option<Said> {
        Some(Said {
            cause: "without a bearer token, or with a cookie beside it, the origin is not allowed"
                .into(),
            fix: "send one Authorization: Bearer header, and leave out credentials in the page"
                .into(),
            code: None,
        })
    }

    fn code_to_add(&self, _: &Origin) -> Option<String> {
        None
    }
}

fn is_bearer_caller(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    // Several `Authorization` lines are malformed: different software may take different ones. The
    // cookie policy judges such requests.
    match (lines.next(), lines.next()) {
        (Some(line), None) => !headers.contains_key(COOKIE) && has_token_scheme(line.as_bytes()),
        _ => false,
    }
}

/// RFC 6750, section 2.1, and RFC 9449, section 7.1; schemes are case-insensitive (RFC 9110,
/// section 11.1).
fn has_token_scheme(credentials: &[u8]) -> bool {
    let Some(space) = credentials.iter().position(|&byte| byte == b' ') else {
        return false;
    };
    let scheme = &credentials[..space];
    scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"dpop")
}

fn any_without_credentials(origin: &RequestOrigin) -> VerdictFuture {
    VerdictFuture::ready(match origin {
        RequestOrigin::Tuple(_) => Verdict::Allow(Grant::new().allow_credentials(false)),
        RequestOrigin::Opaque => Verdict::Deny(Denial::new(DenialKind::OpaqueOrigin)),
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    #[test]
    fn who_is_a_bearer_caller() {
        for (lines, expected) in [
            (&[("authorization", "Bearer x")][..], true),
            (&[("authorization", "bEARER x")], true),
            (&[("authorization", "DPoP x")], true),
            (&[("authorization", "Bearer")], false),
            (&[("authorization", "Bearerx y")], false),
            (&[("authorization", " Bearer x")], false),
            (&[("authorization", "Basic x")], false),
            (&[("authorization", "")], false),
            (
                &[("authorization", "Bearer x"), ("authorization", "Bearer x")],
                false,
            ),
            (&[("authorization", "Bearer x"), ("cookie", "a=b")], false),
            (&[("authorization", "Bearer x"), ("cookie", "")], false),
            (&[("cookie", "a=b")], false),
            (&[], false),
        ] {
            let headers: HeaderMap = lines
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
                .collect();
            assert_eq!(is_bearer_caller(&headers), expected, "{lines:?}");
        }
    }
}
