/// What a token without a list of origins means.
///
/// ```
/// use std::sync::Arc;
/// use tower_cors::{
///     CorsLayer, OriginPolicy, OriginSet,
///     token::{
///         MissingClaim, TokenOrigins, VerifiedToken, claim::{Claims, OriginsClaim},
///         source::TokenSource,
///     },
/// };
///
/// let token = Arc::new(VerifiedToken::new(Claims::parse(br#"{"sub": "ann"}"#)?));
/// let request = http::Request::get("/").header("origin", "https://example.com").extension(token);
/// let request = request.body(())?;
///
/// for (missing, expected) in [(MissingClaim::Deny, false), (MissingClaim::Abstain, true)] {
///     let tokens = TokenOrigins::builder()
///         .source(TokenSource::verified_token())
///         .claim(OriginsClaim::array("origins"))
///         .missing_claim(missing)
///         .build()?;
///     let policy = tokens.fallback(OriginSet::parse(["https://example.com"])?);
///     let cors = CorsLayer::builder().origin_policy(policy).build()?;
///     let is_allowed = cors.explain_now(&request).is_some_and(|it| it.is_allowed());
///     assert_eq!(is_allowed, expected);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingClaim {
    /// It lists nobody.
    #[default]
    Deny,
    /// It says nothing of origins, and the next policy decides: see
    /// [`fallback`](crate::OriginPolicy::fallback), which leaves the token for the
    /// inner service even so.
    Abstain,
}
