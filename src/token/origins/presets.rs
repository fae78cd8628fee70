//! Ready-made configurations for tokens that are in use.

use super::{builder::TokenOriginsBuilder, policy::TokenOrigins};
use crate::token::{claim::OriginsClaim, source::TokenSource, verify::TokenVerifier};

impl TokenOrigins {
    /// Anonymous tokens of the Skype for Business Trusted Application API.
    ///
    /// | | |
    /// |---|---|
    /// | sources | `Authorization: Bearer psat=<token>`; the query parameters `anonymousContext` and `anonymousMeetingJoinContext`, `psat=<token>` under one or two layers of encoding |
    /// | claim | `ao`, a text with `;` between origins |
    /// | entries | `https` only |
    ///
    /// The tokens name their key by `x5t`, and have neither `iss` nor `aud`.
    pub fn skype(verifier: impl TokenVerifier) -> TokenOriginsBuilder {
        const PREFIX: &str = "psat=";
        let query = |name: &str| TokenSource::query(name).up_to_layers(2).prefix(PREFIX);
        Self::builder()
            .verifier(verifier)
            .source(TokenSource::bearer().prefix(PREFIX))
            .source(query("anonymousContext"))
            .source(query("anonymousMeetingJoinContext"))
            .claim(OriginsClaim::delimited("ao", ';'))
    }

    /// Access tokens of Keycloak, for a resource server.
    ///
    /// | | |
    /// |---|---|
    /// | sources | `Authorization: Bearer <token>` |
    /// | claim | `allowed-origins`, an array |
    /// | entries | `https` only; for a client whose web origins include `http://localhost:3000`, set [`entries`](TokenOriginsBuilder::entries) |
    /// | without the claim | denied, as by Keycloak's adapters |
    ///
    /// A page without a token gets a 403 that it cannot read, so that its code sees a failed fetch
    /// instead of the 401 that sends it to the login. The example has a `fallback` for the pages of
    /// your own client: their requests reach the service without a [verified
    /// token](crate::token::VerifiedToken), and its 401 can be read.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use http::{Request, Response, StatusCode};
    /// # use std::convert::Infallible;
    /// # use tower::{Layer, ServiceExt, service_fn};
    /// use tower_cors::{CorsLayer, OriginPolicy, OriginSet, token::{TokenOrigins, VerifiedToken}};
    /// # use tower_cors::token::{TokenVerifier, verify::{TokenRequest, VerifyError, VerifyFuture}};
    /// # #[derive(Debug)]
    /// # struct Verifier;
    /// # impl TokenVerifier for Verifier {
    /// #     fn verify(&self, _: &str, _: &TokenRequest<'_>) -> VerifyFuture {
    /// #         VerifyFuture::ready(Err(VerifyError::NotAuthentic("an example")))
    /// #     }
    /// # }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///
    /// let client = OriginSet::parse(["https://app.example"])?;
    /// let policy = TokenOrigins::keycloak(Verifier).build()?.fallback(client);
    /// let cors = CorsLayer::builder()
    ///     .origin_policy(policy)
    ///     .allow_headers(["authorization"])
    ///     .build()?;
    /// let service = cors.layer(service_fn(async |request: Request<()>| {
    ///     let mut response = Response::new(());
    ///     if request.extensions().get::<Arc<VerifiedToken>>().is_none() {
    ///         *response.status_mut() = StatusCode::UNAUTHORIZED;
    ///     }
    ///     Ok::<_, Infallible>(response)
    /// }));
    ///
    /// let without_a_token = Request::get("/").header("origin", "https://app.example").body(())?;
    /// let response = service.clone().oneshot(without_a_token).await?;
    /// assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    /// assert_eq!(response.headers()["access-control-allow-origin"], "https://app.example");
    ///
    /// let of_another_page = Request::get("/").header("origin", "https://evil.example").body(())?;
    /// let response = service.oneshot(of_another_page).await?;
    /// assert_eq!(response.status(), StatusCode::FORBIDDEN);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Keycloak's adapters take a `*` in the list for any origin; here it matches none, unless
    /// [`star_lists_any_origin`](TokenOriginsBuilder::star_lists_any_origin) says so. A `+` matches
    /// none either: Keycloak expands it when it issues the token.
    pub fn keycloak(verifier: impl TokenVerifier) -> TokenOriginsBuilder {
        Self::builder()
            .verifier(verifier)
            .source(TokenSource::bearer())
            .claim(OriginsClaim::array("allowed-origins"))
    }

    /// Session tokens of Clerk.
    ///
    /// | | |
    /// |---|---|
    /// | sources | `Authorization: Bearer <token>`; without one, the cookie `__session_<suffix>` or `__session` |
    /// | claim | `azp`, the one origin that the session belongs to |
    /// | entries | `https` only |
    /// | without the claim | denied |
    ///
    /// A page sends a fresh token in the header, and its browser an older one in the cookie: the
    /// header goes first. So the service must use the token that is left in the extensions.
    ///
    /// A page of another origin reads an answer to a request with cookies only where the layer
    /// [allows credentials](crate::CorsLayerBuilder::allow_credentials).
    pub fn clerk(verifier: impl TokenVerifier) -> TokenOriginsBuilder {
        Self::builder()
            .verifier(verifier)
            .source(TokenSource::bearer())
            .fallback_source(TokenSource::cookie("__session").or_suffixed())
            .claim(OriginsClaim::single("azp"))
    }

    /// Opaque tokens whose issuer is asked what they say (RFC 7662). The RFC knows no claim for
    /// origins: name the one that your issuer adds to its answer.
    ///
    /// | | |
    /// |---|---|
    /// | sources | `Authorization: Bearer <token>` |
    /// | claim | the one given, of the issuer's answer |
    /// | entries | `https` only |
    /// | without the claim | denied |
    ///
    /// A good token is not asked about again for a minute at most, and no longer than the
    /// [verifier](crate::token::verify::introspection::IntrospectionVerifier) says.
    pub fn introspection(verifier: impl TokenVerifier, claim: OriginsClaim) -> TokenOriginsBuilder {
        Self::builder()
            .verifier(verifier)
            .source(TokenSource::bearer())
            .claim(claim)
    }
}
