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
    /// | sources | `Authorization: Bearer <token>`; the cookie `__session` |
    /// | claim | `azp`, the one origin that the session belongs to |
    /// | entries | `https` only |
    /// | without the claim | denied |
    ///
    /// A page of another origin reads an answer to a request with cookies only where the layer
    /// [allows credentials](crate::CorsLayerBuilder::allow_credentials).
    pub fn clerk(verifier: impl TokenVerifier) -> TokenOriginsBuilder {
        Self::builder()
            .verifier(verifier)
            .source(TokenSource::bearer())
            .source(TokenSource::cookie("__session"))
            .claim(OriginsClaim::single("azp"))
    }

    /// Opaque tokens whose issuer is asked what they say (RFC 7662).
    ///
    /// | | |
    /// |---|---|
    /// | sources | `Authorization: Bearer <token>` |
    /// | claim | `allowed-origins` of the issuer's answer, an array |
    /// | entries | `https` only |
    /// | without the claim | denied |
    ///
    /// The policy remembers good tokens for a minute at most, and not beyond what the
    /// [verifier](crate::token::verify::introspection::IntrospectionVerifier) says; that one remembers, too, and tells the
    /// policy when it forgets.
    pub fn introspection(verifier: impl TokenVerifier) -> TokenOriginsBuilder {
        Self::keycloak(verifier)
    }
}
