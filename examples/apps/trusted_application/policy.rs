//! Which origins may use which part of the service: those that the token lists.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderName, Method, header};
use tower_cors::{
    CorsLayer, OriginPolicy,
    preflight::UrlKey,
    token::{
        TokenOrigins, TokenOriginsBuilder,
        claim::{ListRules, OriginsClaim},
        source::TokenSource,
    },
};

use crate::{Error, messaging::APPLICATIONS, platform::Platform, tokens::ORIGINS};

/// The query parameter of discovery that holds the token.
pub(crate) const CONTEXT: &str = "anonymousContext";
/// The prefix of every token.
pub(crate) const PREFIX: &str = "psat=";

/// The header by which clients tell their requests apart.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");
/// Lists change with every token, so browsers are to ask again soon.
const MAX_AGE: Duration = Duration::from_secs(60);

/// Discovery: the token is in the URL, where preflights have it too, so both are judged by it.
pub(crate) fn discovery(tokens: &TokenOrigins) -> Result<CorsLayer, Error> {
    let cors = CorsLayer::builder()
        .origin_policy(tokens.clone())
        .allow_methods([Method::GET])
        .allow_headers([CLIENT_REQUEST_ID])
        .max_age(MAX_AGE)
        .build()?;
    Ok(cors)
}

/// Joining: the token is in a header, which preflights do not have. They are answered by what the
/// service knows itself: the origins of all tokens that it has issued and that are still good.
pub(crate) fn joining(platform: &Platform, tokens: &TokenOrigins) -> Result<CorsLayer, Error> {
    let policy = tokens
        .clone()
        .with_preflight(platform.tokens.issued().clone());
    messaging(policy, [Method::POST])
}

/// Below an application: its id is in the path, so preflights are judged by the list of the session
/// that it belongs to.
pub(crate) fn applications(
    platform: &Arc<Platform>,
    tokens: &TokenOrigins,
) -> Result<CorsLayer, Error> {
    let known = Arc::clone(platform);
    let by_id = UrlKey::new(
        |url| application_in(url.path()),
        move |id| {
            let revocations = known.tokens.issued().revocations();
            known
                .applications
                .origins(id, |token| revocations.is_revoked(token))
        },
    );
    let policy = tokens.clone().with_preflight(by_id);
    messaging(policy, [Method::GET, Method::POST])
}

fn messaging<const N: usize>(
    policy: impl OriginPolicy,
    methods: [Method; N],
) -> Result<CorsLayer, Error> {
    let cors = CorsLayer::builder()
        .origin_policy(policy)
        .allow_methods(methods)
        // `*` would not cover Authorization.
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            CLIENT_REQUEST_ID,
        ])
        .expose_headers([header::LOCATION])
        .max_age(MAX_AGE)
        .build()?;
    Ok(cors)
}

fn application_in(path: &str) -> Option<&str> {
    path.strip_prefix(APPLICATIONS)?
        .strip_prefix('/')?
        .split('/')
        .next()
}

/// Tokens in the query, as discovery has them: encoded once or twice.
pub(crate) fn tokens_in_query(platform: &Platform) -> Result<TokenOrigins, Error> {
    let query = TokenSource::query(CONTEXT).up_to_layers(2).prefix(PREFIX);
    Ok(tokens(platform).source(query).build()?)
}

/// Tokens in `Authorization`, as everything else has them.
pub(crate) fn tokens_in_header(platform: &Platform) -> Result<TokenOrigins, Error> {
    let bearer = TokenSource::bearer().prefix(PREFIX);
    Ok(tokens(platform).source(bearer).build()?)
}

fn tokens(platform: &Platform) -> TokenOriginsBuilder {
    TokenOrigins::builder()
        .verifier(platform.tokens.verifier().clone())
        .claim(OriginsClaim::delimited(ORIGINS, ';'))
        .entries(ListRules::new().http_loopback())
}
