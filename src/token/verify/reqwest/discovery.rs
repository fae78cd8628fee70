use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use reqwest::ClientBuilder;
use serde_json::Value;

use super::endpoint::{Endpoint, EndpointError, PlainHttp, is_json, same_origin_redirects};
use crate::token::{
    claim::Claims,
    verify::{
        FetchError, FetchFuture, KeySetFetcher,
        jwks::{JwksVerifier, JwksVerifierBuilder},
    },
};

impl JwksVerifier {
    /// Begins the configuration of a verifier for an issuer that publishes where its keys are, as
    /// [`Discovery`] reads it. The `issuer` is set.
    ///
    /// # Errors
    ///
    /// When the issuer is not an `https` URL, or the client cannot be made.
    ///
    /// ```
    /// # #[cfg(feature = "jwt-rust-crypto")] {
    /// use tower_cors::token::verify::jwks::JwksVerifier;
    ///
    /// let keycloak = "https://id.example/realms/shop";
    /// let verifier = JwksVerifier::discover(reqwest::Client::builder(), keycloak)?
    ///     .audience("orders")
    ///     .build()?;
    ///
    /// assert!(JwksVerifier::discover(reqwest::Client::builder(), "http://id.example").is_err());
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn discover(
        client: ClientBuilder,
        issuer: &str,
    ) -> Result<JwksVerifierBuilder, EndpointError> {
        let discovery = Discovery::new(client, issuer)?;
        Ok(JwksVerifier::builder(discovery).issuer(issuer))
    }
}

/// Finds and fetches the keys of an issuer through its metadata: OpenID Connect Discovery, section
/// 4, or else RFC 8414, section 3.
///
/// The metadata must name the very same issuer, and keys at an `https` URL. Both documents are read
/// anew each time that keys are needed, so that an issuer may move them.
///
/// ```
/// use tower_cors::token::verify::{jwks::JwksVerifier, reqwest::Discovery};
///
/// # #[cfg(feature = "jwt-rust-crypto")] {
/// // Tokens name the public address; this service reaches the issuer by an internal one.
/// let issuer = "https://id.example/realms/shop";
/// let internal = "https://keycloak.internal:8443/realms/shop";
/// let discovery = Discovery::at(reqwest::Client::builder(), issuer, internal)?;
/// let verifier = JwksVerifier::builder(discovery).issuer(issuer).audience("orders").build()?;
///
/// let plain = "http://keycloak.internal:8080/realms/shop";
/// assert!(Discovery::at(reqwest::Client::builder(), issuer, plain).is_err());
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct Discovery {
    issuer: Box<str>,
    /// Without a slash at its end.
    address: Box<str>,
    endpoint: Endpoint,
}

impl Discovery {
    /// Discovers an issuer at its own address: an `https` URL, or an `http` URL on this machine.
    ///
    /// # Errors
    ///
    /// When the text is not a URL, the URL is not safe to ask, or the client cannot be made.
    pub fn new(client: ClientBuilder, issuer: &str) -> Result<Self, EndpointError> {
        Self::with(client, issuer, issuer, PlainHttp::Loopback)
    }

    /// Discovers an issuer at another address than its name, as in an internal network. Keys below
    /// the issuer's own address are fetched from below the other one, others from where the metadata
    /// say.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), about the address.
    pub fn at(client: ClientBuilder, issuer: &str, address: &str) -> Result<Self, EndpointError> {
        Self::with(client, issuer, address, PlainHttp::Loopback)
    }

    /// Discovers an issuer at any `http` or `https` address. Anybody who controls the network between
    /// chooses the keys, and so signs tokens.
    ///
    /// # Errors
    ///
    /// When the text is not a URL, or the client cannot be made.
    pub fn dangerously_over_http(
        client: ClientBuilder,
        issuer: &str,
        address: &str,
    ) -> Result<Self, EndpointError> {
        Self::with(client, issuer, address, PlainHttp::Anywhere)
    }

    fn with(
        client: ClientBuilder,
        issuer: &str,
        address: &str,
        plain: PlainHttp,
    ) -> Result<Self, EndpointError> {
        let mut endpoint = Endpoint::new(client, address, same_origin_redirects(), plain)?;
        endpoint.max_body = 256 * 1024;
        Ok(Self {
            issuer: issuer.into(),
            address: address.trim_end_matches('/').into(),
            endpoint,
        })
    }

    /// How long each of the two answers may take. Default: 5 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.endpoint.timeout = timeout;
        self
    }

    /// The largest document that is read, in bytes. Default: 256 KiB.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.endpoint.max_body = bytes;
        self
    }

    async fn metadata(&self) -> Result<Bytes, FetchError> {
        // OpenID Connect Discovery, section 4: at the end of the whole issuer.
        let openid = format!("{}/.well-known/openid-configuration", self.address);
        match self.get(&openid).await {
            // RFC 8414, section 3.1: between the host and the path.
            Err(FetchError::Status(404)) => self.get(&self.oauth_metadata_url()).await,
            answer => answer,
        }
    }

    fn oauth_metadata_url(&self) -> String {
        let after_scheme = self.address.find("://").map_or(0, |index| index + 3);
        let path = self.address[after_scheme..].find('/');
        let end = path.map_or(self.address.len(), |index| after_scheme + index);
        let (host, path) = self.address.split_at(end);
        format!("{host}/.well-known/oauth-authorization-server{path}")
    }

    /// Where the keys are, by the metadata.
    fn keys_url(&self, metadata: &[u8]) -> Result<String, FetchError> {
        let metadata = Claims::parse(metadata)
            .map_err(|_| FetchError::Metadata("are not a JSON object, or have a key twice"))?;
        let text = |name| metadata.get(name).and_then(Value::as_str);
        if text("issuer") != Some(&*self.issuer) {
            return Err(FetchError::Metadata("name another issuer"));
        }
        let url = text("jwks_uri").ok_or(FetchError::Metadata("name no jwks_uri"))?;
        let below = url.strip_prefix(self.issuer.trim_end_matches('/'));
        Ok(match below.filter(|rest| rest.starts_with('/')) {
            Some(rest) => format!("{}{rest}", self.address),
            None => url.to_owned(),
        })
    }

    async fn get(&self, url: &str) -> Result<Bytes, FetchError> {
        let endpoint = self
            .endpoint
            .sibling(url)
            .map_err(|_| FetchError::Metadata("name keys at a URL that is not https"))?;
        let request = endpoint.get().header(ACCEPT, "application/json");
        endpoint.exchange(request, is_json).await
    }
}

impl KeySetFetcher for Discovery {
    fn fetch(&self) -> FetchFuture {
        let discovery = self.clone();
        Box::pin(async move {
            let metadata = discovery.metadata().await?;
            let keys = discovery.keys_url(&metadata)?;
            discovery.get(&keys).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery(issuer: &str, address: &str) -> Discovery {
        let client = reqwest::Client::builder().no_proxy();
        Discovery::at(client, issuer, address).unwrap()
    }

    #[test]
    fn the_path_of_an_issuer_comes_last_in_oauth_metadata() {
        for (address, expected) in [
            (
                "https://id.example",
                "https://id.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://id.example:8443/realms/shop/",
                "https://id.example:8443/.well-known/oauth-authorization-server/realms/shop",
            ),
            (
                "https://a.bc/d",
                "https://a.bc/.well-known/oauth-authorization-server/d",
            ),
        ] {
            let discovery = discovery("https://id.example", address);
            assert_eq!(discovery.oauth_metadata_url(), expected);
        }
    }

    #[test]
    fn keys_are_where_the_metadata_of_this_issuer_say() {
        use FetchError::Metadata;
        const ISSUER: &str = "https://id.example/realms/shop";
        let public = discovery(ISSUER, ISSUER);
        let internal = discovery(ISSUER, "https://keycloak:8443/r/shop");
        for (issuer, keys, by_public, by_internal) in [
            (
                ISSUER,
                "https://id.example/realms/shop/certs",
                Ok("https://id.example/realms/shop/certs"),
                Ok("https://keycloak:8443/r/shop/certs"),
            ),
            (
                ISSUER,
                "https://id.example/realms/shop2/certs",
                Ok("https://id.example/realms/shop2/certs"),
                Ok("https://id.example/realms/shop2/certs"),
            ),
            (
                "https://id.example/realms/other",
                "https://id.example/realms/shop/certs",
                Err(Metadata("name another issuer")),
                Err(Metadata("name another issuer")),
            ),
            (
                "https://id.example/realms/shop/",
                "https://id.example/realms/shop/certs",
                Err(Metadata("name another issuer")),
                Err(Metadata("name another issuer")),
            ),
        ] {
            let metadata = serde_json::json!({"issuer": issuer, "jwks_uri": keys}).to_string();
            for (discovery, expected) in [(&public, by_public), (&internal, by_internal)] {
                let found = discovery.keys_url(metadata.as_bytes());
                assert_eq!(found.as_deref(), expected.as_deref(), "{issuer} {keys}");
            }
        }
        for metadata in ["", "{}", r#"{"issuer": "https://id.example/realms/shop"}"#] {
            assert!(public.keys_url(metadata.as_bytes()).is_err(), "{metadata}");
        }
    }
}
