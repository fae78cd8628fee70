//! What is asked without a browser: by customers' servers, and by programs.

use base64::Engine;
use http::header;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::table::{Expected, Table};
use crate::{Error, running::Running, service_application::SECRET, site::TokenKind};

/// Asks, and enters into the table what came of it.
pub(super) async fn play(running: &Running, table: &mut Table) -> Result<(), Error> {
    let mut server = Server {
        client: Client::builder().no_proxy().build()?,
        tokens: format!(
            "http://{}/platformservice/v1/applications/7/anonApplicationTokens?endpointId=sip:a@b.example",
            running.api
        ),
        table,
    };
    server.secret().await?;
    server.lists().await?;
    server.layers(running).await?;
    server.places(running).await
}

struct Server<'a> {
    client: Client,
    tokens: String,
    table: &'a mut Table,
}

impl Server<'_> {
    /// Only servers that the service knows get tokens.
    async fn secret(&mut self) -> Result<(), Error> {
        let order = json!({ "applicationSessionId": "1", "allowedOrigins": "https://a.example" });
        for (step, secret, expected) in [
            ("order a token", Some(SECRET), 200),
            ("order one without the secret", None, 401),
            ("order one with a wrong secret", Some("guess"), 401),
        ] {
            let mut request = self.client.post(&self.tokens).json(&order);
            if let Some(secret) = secret {
                request = request.bearer_auth(secret);
            }
            let response = request.send().await?;
            self.enter("a customer's server", step, response.status(), expected);
            if response.status().is_success() {
                self.is_as_documented(&response.json().await?)?;
            }
        }
        Ok(())
    }

    /// What customers' servers rely on, to the letter.
    fn is_as_documented(&self, answer: &Value) -> Result<(), Error> {
        let text = |pointer: &str| {
            let text = answer.pointer(pointer).and_then(Value::as_str);
            text.ok_or_else(|| format!("there is no {pointer}: {answer}"))
        };
        let token = text("/token")?;
        let jwt = token.strip_prefix("psat=").unwrap_or_default();
        let discover = text("/_links/service:discover/href")?;
        let expires = OffsetDateTime::parse(text("/expiryTime")?, &Rfc3339)?;
        let claims = jwt.split('.').nth(1).unwrap_or_default();
        let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(claims)?;
        let claims: Value = serde_json::from_slice(&claims)?;
        for (what, holds) in [
            ("the token is a JWT", jwt.split('.').count() == 3),
            (
                "the list is signed into it",
                claims["ao"] == "https://a.example",
            ),
            ("so is the session", claims["asi"] == "1"),
            (
                "it expires when it says",
                claims["exp"] == expires.unix_timestamp(),
            ),
            (
                "the answer links to itself",
                text("/_links/self/href")? == self.tokens,
            ),
            (
                "it says what it is",
                text("/rel")? == "service:anonApplicationToken",
            ),
            (
                "the link to discover has the token, its prefix encoded twice",
                discover.ends_with(&format!(
                    "/platformService/discover?anonymousContext=psat%253d{jwt}"
                )),
            ),
        ] {
            if !holds {
                return Err(format!("{what}: {answer}").into());
            }
        }
        Ok(())
    }

    /// Each entry that is wrong is named.
    async fn lists(&mut self) -> Result<(), Error> {
        for (list, wrong) in [
            ("http://contoso.com", &[0][..]),
            (
                "https://contoso.com;null;*;https://litware.com/",
                &[1, 2, 3],
            ),
            ("https://contoso.com,https://litware.com", &[0]),
            ("https://contoso.com%3bhttps://fabrikam.com", &[0]),
            ("https://contoso.com;", &[1]),
            ("", &[0]),
        ] {
            let order = json!({ "applicationSessionId": "1", "allowedOrigins": list });
            let request = self
                .client
                .post(&self.tokens)
                .bearer_auth(SECRET)
                .json(&order);
            let response = request.send().await?;
            let step = format!("order one for {list:?}");
            self.enter("a customer's server", &step, response.status(), 400);
            let answer: Value = response.json().await?;
            let errors = answer["errors"].as_array().ok_or("there are no errors")?;
            let indices: Vec<u64> = errors.iter().filter_map(|e| e["index"].as_u64()).collect();
            if indices != wrong {
                return Err(format!("{list:?}: errors at {indices:?}, not {wrong:?}").into());
            }
        }
        Ok(())
    }

    /// The token is found under one layer of encoding or two, and a program needs no origin.
    async fn layers(&mut self, running: &Running) -> Result<(), Error> {
        let site = running.sites.first().ok_or("there are sites")?;
        let bootstrap = site.bootstrap(TokenKind::Own).await?;
        let discover = bootstrap["discover"].as_str().ok_or("there is no link")?;
        for (step, encoded, expected) in [
            ("discover", "psat%253d", 200),
            ("discover, encoded once", "psat%3d", 200),
            ("discover, not encoded", "psat=", 200),
            ("discover, encoded three times", "psat%25253d", 401),
            ("discover, another prefix", "cwt%253d", 401),
            ("discover, a changed token", "psat%253de", 401),
        ] {
            let url = discover.replacen("psat%253d", encoded, 1);
            let own = self.client.get(&url).header(header::ORIGIN, &site.origin);
            self.enter(
                "a program",
                step,
                self.client.get(&url).send().await?.status(),
                expected,
            );
            let step = format!("{step}, as {}", site.name);
            self.enter("a program", &step, own.send().await?.status(), expected);
        }
        Ok(())
    }

    /// Each host takes the token from its one place.
    async fn places(&mut self, running: &Running) -> Result<(), Error> {
        let site = running.sites.first().ok_or("there are sites")?;
        let bootstrap = site.bootstrap(TokenKind::Own).await?;
        let token = bootstrap["token"].as_str().ok_or("there is no token")?;
        let discover = bootstrap["discover"].as_str().ok_or("there is no link")?;
        let (api, query) = discover.split_once('?').ok_or("there is no query")?;
        let links: Value = self.client.get(discover).send().await?.json().await?;
        let join = links["_links"]["anonApplications"]["href"].as_str();
        let join = join.ok_or("there is no link to join")?;
        let with_query = format!("{join}?{query}");
        let bearer = |request: RequestBuilder| request.bearer_auth(token);
        for (step, request, expected) in [
            ("join", bearer(self.client.post(join)), 201),
            (
                "join, the token in the query",
                self.client.post(with_query),
                401,
            ),
            ("join without a token", self.client.post(join), 401),
            (
                "discover, the token in a header",
                bearer(self.client.get(api)),
                401,
            ),
        ] {
            let status = request.send().await?.status();
            self.enter("a program", step, status, expected);
        }
        Ok(())
    }

    fn enter(&mut self, who: &str, step: &str, status: StatusCode, expected: u16) {
        let expected = Expected {
            preflight: None,
            answer: Some(expected),
            readable: true,
        };
        self.table.add(who, step, &status.into(), expected);
    }
}
