//! [`CorsRequest`]: what a policy sees of a request, and the classification that makes one.

use std::{borrow::Cow, fmt};

use http::{Extensions, HeaderMap, HeaderName, Method, Uri, Version};

use super::{classify::announced_method, head::Head, preflight::Preflight};
use crate::{fetch::Line, origin::RequestOrigin};

/// A CORS request: one with an `Origin` header, which is well-formed ([Fetch, CORS request]).
///
/// This is what an [`OriginPolicy`](crate::OriginPolicy) judges. The body is out of reach.
///
/// ```
/// use http::{Method, Request, Response, StatusCode, header};
/// # use std::convert::Infallible;
/// # use tower::{Layer, ServiceExt, service_fn};
/// use tower_cors::{CorsLayer, OriginSet, policy_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Partners may read, and nothing else; a preflight is judged by the method that it announces.
/// let partners = OriginSet::parse(["https://partner.example"])?;
/// let policy = policy_fn(move |request| {
///     let reads = request.effective_method() == Method::GET;
///     request.origin().judge_by(|origin| reads && partners.contains(origin))
/// });
/// let service = CorsLayer::builder()
///     .origin_policy(policy)
///     .build()?
///     .layer(service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(()))));
/// let preflight = |method| {
///     Request::options("/list")
///         .header(header::ORIGIN, "https://partner.example")
///         .header(header::ACCESS_CONTROL_REQUEST_METHOD, method)
///         .body(())
/// };
/// let response = service.clone().oneshot(preflight("GET")?).await?;
/// assert_eq!(response.status(), StatusCode::NO_CONTENT);
/// let response = service.oneshot(preflight("PUT")?).await?;
/// assert_eq!(response.status(), StatusCode::FORBIDDEN);
/// # Ok(())
/// # }
/// ```
///
/// [Fetch, CORS request]: https://fetch.spec.whatwg.org/#cors-request
#[derive(Clone)]
pub struct CorsRequest<'a> {
    head: Head<'a>,
    origin: &'a RequestOrigin,
    preflight: Option<&'a Preflight<'a>>,
}

impl<'a> CorsRequest<'a> {
    pub(crate) fn new(
        head: Head<'a>,
        origin: &'a RequestOrigin,
        preflight: Option<&'a Preflight<'a>>,
    ) -> Self {
        Self {
            head,
            origin,
            preflight,
        }
    }

    /// The origin that the request comes from. A client other than a browser can claim any.
    pub fn origin(&self) -> &'a RequestOrigin {
        self.origin
    }

    /// What a preflight asks for, or `None` for an actual request.
    pub fn preflight(&self) -> Option<&'a Preflight<'a>> {
        self.preflight
    }

    /// The method that the page sends or, in a preflight, wants to send.
    pub fn effective_method(&self) -> &'a Method {
        match self.preflight {
            Some(preflight) => preflight.method(),
            None => self.head.method,
        }
    }

    /// The request's own method, which is `OPTIONS` in a preflight.
    pub fn method(&self) -> &'a Method {
        self.head.method
    }

    /// The request's target: in a preflight the actual request's one, with its query.
    pub fn uri(&self) -> &'a Uri {
        self.head.uri
    }

    /// The HTTP version.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The request's headers. A preflight carries neither `Authorization` nor cookies.
    pub fn headers(&self) -> &'a HeaderMap {
        self.head.headers
    }

    /// The value of a header that should be present once: `None` if it is missing, present several
    /// times, or not visible ASCII. Compare the whole value: an attacker may have written a part of
    /// it.
    ///
    /// A policy that uses it names the header in
    /// [`PolicyProperties::reads`](crate::policy::PolicyProperties::reads).
    pub fn single_header(&self, name: &HeaderName) -> Option<&'a str> {
        match Line::find(self.head.headers, name)? {
            Line::One(value) => value.to_str().ok(),
            Line::Several => None,
        }
    }

    /// Extensions that outer layers have added.
    pub fn extensions(&self) -> &'a Extensions {
        self.head.extensions
    }

    /// The host that the request is for, in lower case and without its port: `:authority` in HTTP/2,
    /// else the one `Host` line ([RFC 9110, section 7.2]). `None` if there is none, several, or one that
    /// is malformed.
    ///
    /// Any client can name any host. A policy that uses it names `Host` in
    /// [`PolicyProperties::reads`](crate::policy::PolicyProperties::reads).
    ///
    /// ```
    /// use http::header::HOST;
    /// use tower_cors::{CorsRequest, DenialKind, OriginPolicy, VerdictFuture, policy::PolicyProperties};
    ///
    /// /// Each tenant's page is at the same name as its API, below another domain.
    /// #[derive(Debug)]
    /// struct OwnPage;
    ///
    /// impl OriginPolicy for OwnPage {
    ///     fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
    ///         let Some(host) = request.host() else {
    ///             return DenialKind::OriginNotAllowed.because("the request names no host").into();
    ///         };
    ///         let page = host.strip_suffix(".api.example").map(|tenant| format!("https://{tenant}.example"));
    ///         request.origin().judge_by(|origin| page.as_deref() == Some(origin.as_str())).into()
    ///     }
    ///
    ///     fn properties(&self) -> PolicyProperties {
    ///         PolicyProperties::new().reads([HOST])
    ///     }
    /// }
    /// # use http::{Request, Response, header::ACCESS_CONTROL_ALLOW_ORIGIN};
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cors = tower_cors::CorsLayer::builder().origin_policy(OwnPage).build()?;
    /// # let allowed = async |host: &str, origin: &str| {
    /// #     let inner = service_fn(async |_| Ok::<_, std::convert::Infallible>(Response::new(())));
    /// #     let request = Request::get("/").header("host", host).header("origin", origin).body(()).unwrap();
    /// #     let response = cors.layer(inner).oneshot(request).await.unwrap();
    /// #     response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)
    /// # };
    /// assert!(allowed("Contoso.api.example:8443", "https://contoso.example").await);
    /// assert!(!allowed("contoso.api.example", "https://litware.example").await);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [RFC 9110, section 7.2]: https://www.rfc-editor.org/rfc/rfc9110#section-7.2
    pub fn host(&self) -> Option<Cow<'a, str>> {
        self.head.host()
    }

    /// The request without what was made of its `Origin`.
    #[cfg(feature = "token")]
    pub(crate) fn head(&self) -> &Head<'a> {
        &self.head
    }

    /// A copy, for a policy that waits and then needs the request again. A combinator does, if it
    /// asks a second policy after the first one has abstained.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tower_cors::{CorsRequest, OriginPolicy, Verdict, VerdictFuture};
    ///
    /// /// Asks both policies, and denies if either does.
    /// #[derive(Debug)]
    /// struct Both<A, B>(A, Arc<B>);
    ///
    /// impl<A: OriginPolicy, B: OriginPolicy> OriginPolicy for Both<A, B> {
    ///     fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
    ///         let (first, second) = (self.0.judge(request), Arc::clone(&self.1));
    ///         let kept = request.to_owned_request();
    ///         VerdictFuture::new(async move {
    ///             match first.await {
    ///                 Verdict::Allow(_) => kept.with(|request| second.judge(request)).await,
    ///                 other => other,
    ///             }
    ///         })
    ///     }
    /// }
    /// ```
    pub fn to_owned_request(&self) -> OwnedRequest {
        OwnedRequest {
            method: self.head.method.clone(),
            uri: self.head.uri.clone(),
            version: self.head.version,
            headers: self.head.headers.clone(),
            extensions: self.head.extensions.clone(),
            origin: self.origin.clone(),
            is_preflight: self.preflight.is_some(),
        }
    }
}

/// Headers, URL and extensions may hold tokens: they are not printed.
impl fmt::Debug for CorsRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorsRequest")
            .field("method", self.head.method)
            .field("origin", self.origin)
            .field("preflight", &self.preflight)
            .finish_non_exhaustive()
    }
}

/// A copy of a request without its body, for a policy that waits: see
/// [`CorsRequest::to_owned_request`].
pub struct OwnedRequest {
    method: Method,
    uri: Uri,
    version: Version,
    headers: HeaderMap,
    extensions: Extensions,
    origin: RequestOrigin,
    is_preflight: bool,
}

impl OwnedRequest {
    /// The origin that the request comes from.
    pub fn origin(&self) -> &RequestOrigin {
        &self.origin
    }

    /// The request's target.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The request's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Calls `look` with the request, as policies see it.
    pub fn with<R>(&self, look: impl FnOnce(&CorsRequest<'_>) -> R) -> R {
        let head = Head {
            method: &self.method,
            uri: &self.uri,
            version: self.version,
            headers: &self.headers,
            extensions: &self.extensions,
        };
        // The headers have been parsed once before they were copied, so this does not fail.
        let preflight = if self.is_preflight {
            announced_method(&head).and_then(|method| Preflight::parse(method, &self.headers).ok())
        } else {
            None
        };
        look(&CorsRequest::new(head, &self.origin, preflight.as_ref()))
    }
}

/// As for [`CorsRequest`], nothing is printed that may hold a token.
impl fmt::Debug for OwnedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedRequest")
            .field("method", &self.method)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn no_secret_is_printed() {
        let request = Request::get("/feeds/secret?access_token=secret")
            .header(http::header::AUTHORIZATION, "Bearer secret")
            .header(http::header::COOKIE, "session=secret")
            .body(())
            .unwrap();
        let origin: crate::origin::Origin = "https://app.example".parse().unwrap();
        let origin = RequestOrigin::from(origin);
        let request = CorsRequest::new(Head::from(&request), &origin, None);
        assert_eq!(
            format!("{request:?}"),
            "CorsRequest { method: GET, origin: Tuple(Origin(\"https://app.example\")), \
             preflight: None, .. }",
        );
    }
}
