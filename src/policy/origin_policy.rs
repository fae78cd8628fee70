//! [`OriginPolicy`]: the trait of everything that decides which origins may use a service.

use std::{fmt, sync::Arc};

use super::{
    decider::Decider, fallback::Fallback, future::VerdictFuture, judged::JudgedFuture,
    properties::PolicyProperties, with_preflight::WithPreflight,
};
use crate::request::CorsRequest;

/// Decides which origins may use a service.
///
/// The layer asks before the inner service is called, and acts on the [`Verdict`](crate::Verdict).
/// A policy that knows its answer returns it ready, without an allocation. One that has to look
/// something up returns a future, which must own everything that it uses.
///
/// There is no time limit by default. A policy that never answers holds its request for ever: set
/// [`verdict_timeout`](crate::CorsLayerBuilder::verdict_timeout).
///
/// [Writing a policy] is a page of the guide: what to compare, how to wait, when to abstain, and
/// how to test it.
///
/// # Security contract
///
/// * **Grant only from facts that you have verified.** A token whose signature was not checked, a
///   header that any client can set, or the presence of a name in a URL prove nothing.
/// * **When in doubt, deny.** If a fact is missing, expired, malformed or out of reach, the verdict
///   is a [`Denial`](crate::Denial). Return [`Verdict::Abstain`](crate::Verdict::Abstain) only if
///   another policy may as well decide.
/// * **Compare whole, parsed origins**, as [`OriginSet`](crate::OriginSet) does; never prefixes,
///   suffixes or substrings of texts.
/// * **Name every request header that you read** in [`reads`](PolicyProperties::reads), or a cache
///   will hand one client's answer to another.
/// * **Do not take it for authorisation.** CORS protects users of browsers from other sites. Any other
///   client can claim any origin: authorise requests by other means.
///
/// # Example
///
/// ```
/// use tower_cors::{CorsLayer, CorsRequest, Origin, OriginPolicy, VerdictFuture};
///
/// /// Admits the pages of this organisation's intranet.
/// #[derive(Debug)]
/// struct Intranet(Origin);
///
/// impl OriginPolicy for Intranet {
///     fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
///         // Whole origins are compared: another scheme or port of the host is another origin.
///         let verdict = request.origin().judge_by(|origin| *origin == self.0);
///         verdict.into()
///     }
/// }
///
/// let intranet = Intranet("https://intra.example".parse()?);
/// let cors = CorsLayer::builder().origin_policy(intranet).build()?;
/// let is_allowed = |request| cors.explain_now(&request).is_some_and(|it| it.is_allowed());
///
/// let from = |origin| http::Request::get("/").header("origin", origin).body(());
/// assert!(is_allowed(from("https://intra.example")?));
/// assert!(!is_allowed(from("http://intra.example")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [Writing a policy]: https://docs.rs/tower-cors/latest/tower_cors/guide/policies/index.html
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an `OriginPolicy`",
    note = "a list of texts becomes one with `OriginSet::parse([\"https://a.example\"])?`",
    note = "a closure becomes one with `policy_fn(|request| ...)`"
)]
pub trait OriginPolicy: fmt::Debug + Send + Sync + 'static {
    /// Judges an actual request, which carries the credentials that the client sent.
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture;

    /// Judges a preflight, which never carries `Authorization`, cookies or a body.
    ///
    /// Provided: asks [`judge`](Self::judge), so that a policy which needs a token denies. Such a
    /// policy can name another one for preflights:
    /// [`with_preflight`](OriginPolicy::with_preflight).
    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.judge(request)
    }

    /// Whether this is [`Any`](crate::Any) itself, whose answer is the same for everybody, so that a layer
    /// need not ask. A policy around it has the same properties, and may deny somebody.
    ///
    /// Provided: no.
    #[doc(hidden)]
    fn is_any(&self) -> bool {
        false
    }

    /// As [`judge`](Self::judge), and what the policy leaves for the inner service where it abstains.
    /// For the combinators and the token policy of this crate.
    ///
    /// Provided: nothing is left.
    #[doc(hidden)]
    fn judge_and_leave(&self, request: &CorsRequest<'_>) -> JudgedFuture {
        JudgedFuture::Plain(self.judge(request))
    }

    /// Facts about all verdicts, by which a configuration is checked before it is used. The most
    /// important one is which request headers they depend on, since answers name those in `Vary`.
    /// Asked for once, when a layer is built.
    ///
    /// Provided: the properties of a plain list, which reads `Origin` alone.
    fn properties(&self) -> PolicyProperties {
        PolicyProperties::new()
    }

    /// Which policy decides about the request, for [explanations](crate::CorsLayer::explain).
    ///
    /// By default it is this one, by the name of its type. A combinator names the policy inside that
    /// decides. A policy that looks the origin up can name the entry. Nothing else depends on it, and
    /// it is called for explanations only.
    fn decider(&self, _request: &CorsRequest<'_>) -> Decider {
        Decider::of_type::<Self>()
    }

    /// Asks `second` where this policy abstains; never where it denies. A token that this policy has
    /// verified is left for the inner service even where it abstains, as with
    /// `MissingClaim::Abstain`.
    ///
    /// If a denial counted as nothing, a static list could overrule a token that does not list the
    /// origin.
    ///
    /// ```
    /// use tower_cors::{CorsLayer, OriginPolicy, OriginSet, Verdict, policy_fn};
    ///
    /// // Has no opinion on anything, so the list decides.
    /// let policy = policy_fn(|_| Verdict::Abstain)
    ///     .fallback(OriginSet::parse(["https://example.com"]).unwrap());
    /// let cors = CorsLayer::builder().origin_policy(policy).build()?;
    /// let is_allowed = |request| cors.explain_now(&request).is_some_and(|it| it.is_allowed());
    ///
    /// let from = |origin| http::Request::get("/").header("origin", origin).body(());
    /// assert!(is_allowed(from("https://example.com")?));
    /// assert!(!is_allowed(from("https://evil.example")?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn fallback<P: OriginPolicy>(self, second: P) -> Fallback<Self, P>
    where
        Self: Sized,
    {
        Fallback::new(self, second)
    }

    /// Lets `preflight` judge preflights, and this policy all other requests.
    ///
    /// For a policy that cannot judge a preflight, because it needs a header that a preflight never
    /// carries. The actual request is still judged by this policy alone, and should be refused
    /// where it is denied: a preflight that passes does not permit the request. A layer demands that,
    /// if `preflight` passes origins of [any list](crate::policy::PolicyProperties::preflight_of_any_list).
    ///
    /// The table of strategies is in [`preflight`](crate::preflight).
    ///
    /// ```
    /// use tower_cors::{
    ///     CorsLayer, DeniedRequests, OriginPolicy, OriginSet,
    ///     preflight::{IssuedIndex, UrlKey},
    /// };
    ///
    /// // In the place of this list stands a policy that reads a token from a header.
    /// let token = OriginSet::parse(["https://contoso.com"]).expect("one origin");
    /// let issued = IssuedIndex::new(100_000);
    /// let by_application = UrlKey::new(
    ///     |url| url.path().strip_prefix("/applications/")?.split('/').next(),
    ///     |id| (id == "7").then(|| OriginSet::parse(["https://contoso.com"]).expect("one origin")),
    /// );
    /// let policy = token.with_preflight(by_application.fallback(issued));
    /// let cors = CorsLayer::builder()
    ///     .origin_policy(policy)
    ///     .denied_requests(DeniedRequests::Refuse)
    ///     .build()?;
    /// let is_allowed = |request| cors.explain_now(&request).is_some_and(|it| it.is_allowed());
    ///
    /// let preflight = |origin| {
    ///     http::Request::options("/applications/7/messages")
    ///         .header("origin", origin)
    ///         .header("access-control-request-method", "POST")
    ///         .body(())
    /// };
    /// assert!(is_allowed(preflight("https://contoso.com")?));
    /// assert!(!is_allowed(preflight("https://evil.example")?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn with_preflight<P: OriginPolicy>(self, preflight: P) -> WithPreflight<Self, P>
    where
        Self: Sized,
    {
        WithPreflight::new(self, preflight)
    }
}

// Fails to compile if the trait is not object safe: layers keep their policy in a box.
const _: Option<&dyn OriginPolicy> = None;

macro_rules! forward_to_pointee {
    ($pointer:ident) => {
        impl<P: OriginPolicy + ?Sized> OriginPolicy for $pointer<P> {
            fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
                (**self).judge(request)
            }

            fn is_any(&self) -> bool {
                (**self).is_any()
            }

            fn judge_and_leave(&self, request: &CorsRequest<'_>) -> JudgedFuture {
                (**self).judge_and_leave(request)
            }

            fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
                (**self).judge_preflight(request)
            }

            fn properties(&self) -> PolicyProperties {
                (**self).properties()
            }

            fn decider(&self, request: &CorsRequest<'_>) -> Decider {
                (**self).decider(request)
            }
        }
    };
}

forward_to_pointee!(Arc);

forward_to_pointee!(Box);
