//! Plays administrators, pages and browsers over real sockets, and compares what comes of it with
//! what must.

mod api;

use std::{process::ExitCode, time::Duration};

use axum::http::{
    HeaderName, HeaderValue, Method, Request,
    header::{AUTHORIZATION, CONTENT_TYPE, LOCATION},
};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tower_cors::{
    Origin,
    test_util::{Credentials, Fetch},
};

use crate::{Error, running::Running};

const ENTRIES: &str = "/api/v1/trustedOrigins";

/// Fails unless every step comes out as it must.
pub(crate) async fn run(running: &Running, token: &str) -> Result<ExitCode, Error> {
    let mut check = Check {
        client: Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?,
        running,
        token,
        failures: 0,
        steps: 0,
    };
    check.play().await?;
    let Check {
        failures, steps, ..
    } = check;
    Ok(match failures {
        0 => {
            println!("all {steps} steps are as they must be");
            ExitCode::SUCCESS
        }
        _ => {
            println!("{failures} of {steps} steps are not as they must be");
            ExitCode::FAILURE
        }
    })
}

struct Check<'a> {
    client: Client,
    running: &'a Running,
    token: &'a str,
    failures: usize,
    steps: usize,
}

/// A call of a page.
#[derive(Clone, Copy)]
enum Call {
    Read,
    Change,
    WithToken,
    WithBoth,
    Public,
}

/// The result of a page that the browser keeps the answer from.
const NOTHING: &str = "nothing";

impl Check<'_> {
    async fn play(&mut self) -> Result<(), Error> {
        let trusted = self.running.sites[0].origin.clone();
        let untrusted = self.running.sites[1].origin.clone();
        let first = self.running.replicas[0].url();
        let last = self.running.replicas[self.running.replicas.len() - 1].url();
        // The store may have entries: these are of this run alone.
        let name = format!("check {trusted}");

        self.pages("before there is an entry", &trusted, NOTHING)
            .await?;
        for (call, expected) in [
            (Call::WithToken, r#"{"known by":"token","user":"Ada"}"#),
            (Call::WithBoth, NOTHING),
            (Call::Public, r#"{"name":"A service with trusted origins"}"#),
        ] {
            let read = self.page(&first, &untrusted, call).await?;
            self.expect("a page without an entry", &read, expected);
        }

        // The API is for administrators, and its errors name the mistake.
        let anybody = self.client.get(format!("{first}{ENTRIES}")).send().await?;
        self.expect("without the token", &anybody.status(), &401);
        let draft =
            json!({"name": name, "origin": trusted, "scopes": ["CORS"], "allow_credentials": true});
        self.guards(&first).await?;
        self.refusals(&first, &draft).await?;

        // An entry that is made at the first replica counts at all of them.
        let created = self
            .api(Method::POST, &first, ENTRIES, None, Some(&draft))
            .await?;
        self.expect("create", &created.status(), &201);
        let entry: Value = created.json().await?;
        let path = format!("{ENTRIES}/{}", text(&entry["id"]));
        let version = entry["version"].as_u64();
        self.pages("an entry", &trusted, "Ada").await?;
        let read = self.page(&last, &trusted, Call::Change).await?;
        self.expect("change", &read, r#"{"changed":true,"known by":"cookie"}"#);
        let read = self.page(&last, &untrusted, Call::Read).await?;
        self.expect("the untrusted site", &read, NOTHING);

        // Names and origins are unique at all replicas.
        let again = self
            .api(Method::POST, &last, ENTRIES, None, Some(&draft))
            .await?;
        self.expect("the name again", &again.status(), &409);
        let body: Value = again.json().await?;
        self.expect(
            "the name again",
            &text(&body["errorSummary"]),
            "Api validation failed: name",
        );
        let mut other = draft.clone();
        other["name"] = json!(format!("other {name}"));
        let again = self
            .api(Method::POST, &last, ENTRIES, None, Some(&other))
            .await?;
        self.expect("the origin again", &again.status(), &409);

        self.lists(&last, &name).await?;
        self.redirects(&first, &path, &draft, &trusted).await?;
        self.puts_back(&first, &path).await?;
        self.spells(&first, &name).await?;
        self.ranges(&first, &name).await?;

        // An edit of a version that is not current is refused.
        let lifecycle = |name: &str| format!("{path}/lifecycle/{name}");
        let late = self
            .api(Method::POST, &last, &lifecycle("deactivate"), version, None)
            .await?;
        self.expect("an old version", &late.status(), &412);
        let done = self
            .api(Method::POST, &last, &lifecycle("deactivate"), None, None)
            .await?;
        self.expect("deactivate", &done.status(), &200);
        self.pages("a deactivated entry", &trusted, NOTHING).await?;
        let kept = self.api(Method::GET, &first, &path, None, None).await?;
        let kept: Value = kept.json().await?;
        self.expect("a deactivated entry", &text(&kept["status"]), "INACTIVE");
        let done = self
            .api(Method::POST, &first, &lifecycle("activate"), None, None)
            .await?;
        self.expect("activate", &done.status(), &200);
        self.pages("an activated entry", &trusted, "Ada").await?;
        let done = self.api(Method::DELETE, &first, &path, None, None).await?;
        self.expect("delete", &done.status(), &204);
        self.pages("a deleted entry", &trusted, NOTHING).await?;
        let gone = self.api(Method::GET, &last, &path, None, None).await?;
        self.expect("a deleted entry", &gone.status(), &404);

        let status = self
            .api(Method::GET, &first, "/api/v1/replicas", None, None)
            .await?;
        let status: Value = status.json().await?;
        for (index, replica) in status["replicas"]
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
        {
            let url = text(&replica["url"]);
            self.expect(&url, &replica["this"], &(index == 0));
            // A busy store may have been silent for too long a moment ago.
            let pointer = format!("/replicas/{index}/connected");
            let is_connected = async |check: &Self| {
                let path = "/api/v1/replicas";
                let status = check.api(Method::GET, &first, path, None, None).await?;
                let status: Value = status.json().await?;
                Ok(status.pointer(&pointer) == Some(&json!(true)))
            };
            self.comes_to(&url, is_connected, &true).await?;
            let refused = replica["refused"].as_u64().unwrap_or_default();
            self.expect(&url, &(refused > 0), &true);
        }
        Ok(())
    }

    /// Sign-in sends browsers to origins with that scope alone.
    async fn redirects(
        &mut self,
        replica: &str,
        path: &str,
        draft: &Value,
        site: &str,
    ) -> Result<(), Error> {
        let url = format!("{replica}/sign-in?redirect_uri={site}/");
        let stays = self.client.get(&url).send().await?;
        self.expect("sign-in without the scope", &stays.status(), &200);
        let mut draft = draft.clone();
        draft["scopes"] = json!(["CORS", "REDIRECT", "IFRAME_EMBED"]);
        let done = self
            .api(Method::PUT, replica, path, None, Some(&draft))
            .await?;
        self.expect("replace", &done.status(), &200);
        let sent = async |check: &Self| {
            let sent = check.client.get(&url).send().await?;
            let target = sent.headers().get(LOCATION);
            let target = target.and_then(|target| target.to_str().ok());
            Ok((
                sent.status().as_u16(),
                target.unwrap_or_default().to_owned(),
            ))
        };
        self.comes_to("sign-in", sent, &(303, format!("{site}/")))
            .await?;
        let frames = async |check: &Self| {
            let badge = check.client.get(format!("{replica}/badge")).send().await?;
            let policy = badge.headers().get("content-security-policy");
            let policy = policy.and_then(|policy| policy.to_str().ok());
            Ok(policy.unwrap_or_default().contains(site))
        };
        self.comes_to("frames", frames, &true).await
    }

    /// Looks until it is as it must be, for a while: changes take their time to arrive.
    async fn comes_to<T: PartialEq + std::fmt::Debug>(
        &mut self,
        step: &str,
        look: impl AsyncFn(&Self) -> Result<T, Error>,
        expected: &T,
    ) -> Result<(), Error> {
        let mut actual = look(self).await?;
        for _ in 0..500 {
            if actual == *expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            actual = look(self).await?;
        }
        self.expect(step, &actual, expected);
        Ok(())
    }

    /// A page of the site calls every replica with the user's cookies, until it gets what it must:
    /// changes take their time to arrive.
    async fn pages(&mut self, step: &str, site: &str, expected: &str) -> Result<(), Error> {
        for replica in &self.running.replicas {
            let mut read = String::new();
            for _ in 0..500 {
                read = self.page(&replica.url(), site, Call::Read).await?;
                if (read == NOTHING) == (expected == NOTHING) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let step = format!("{step}, {}", replica.url());
            self.expect(&step, &read.contains(expected), &true);
        }
        Ok(())
    }

    /// The answer that a page of the site can read.
    async fn page(&self, service: &str, site: &str, call: Call) -> Result<String, Error> {
        let (method, path) = match call {
            Call::Change => (Method::PUT, "/profile"),
            Call::Public => (Method::GET, "/.well-known/metadata"),
            Call::Read | Call::WithToken | Call::WithBoth => (Method::GET, "/profile"),
        };
        let url = format!("{service}{path}");
        let origin: Origin = site.parse()?;
        let cookies = HeaderValue::from_static("session=demo-session");
        let mut fetch = Fetch::new(origin, method, url.parse()?).cookies(cookies);
        if let Call::Read | Call::Change | Call::WithBoth = call {
            fetch = fetch.credentials(Credentials::Include);
        }
        if let Call::WithToken | Call::WithBoth = call {
            fetch = fetch.header(AUTHORIZATION, HeaderValue::from_static("Bearer demo-token"));
        }
        if let Call::Change = call {
            fetch = fetch.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(preflight) = fetch.preflight() {
            let answer = self.send(&url, preflight.map(|()| "")).await?;
            if fetch
                .check_preflight(answer.status(), answer.headers())
                .is_err()
            {
                return Ok(NOTHING.to_owned());
            }
        }
        let answer = self.send(&url, fetch.request("{}")?).await?;
        match fetch.cors_check(answer.headers()) {
            Ok(()) => Ok(answer.text().await?),
            Err(_) => Ok(NOTHING.to_owned()),
        }
    }

    async fn send(&self, url: &str, request: Request<&'static str>) -> reqwest::Result<Response> {
        let (head, body) = request.into_parts();
        let request = self.client.request(head.method, url).headers(head.headers);
        request.body(body).send().await
    }

    async fn api(
        &self,
        method: Method,
        replica: &str,
        path: &str,
        version: Option<u64>,
        body: Option<&Value>,
    ) -> reqwest::Result<Response> {
        let request = self.client.request(method, format!("{replica}{path}"));
        let mut request = request.bearer_auth(self.token);
        if let Some(version) = version {
            let name = HeaderName::from_static("if-match");
            request = request.header(name, format!("\"{version}\""));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().await
    }

    fn port(&self) -> u16 {
        self.running.replicas[0].address.port()
    }

    fn expect<A, B>(&mut self, step: &str, actual: &A, expected: &B)
    where
        A: PartialEq<B> + std::fmt::Debug,
        B: std::fmt::Debug + ?Sized,
    {
        self.steps += 1;
        if actual != expected {
            self.failures += 1;
            println!("{step}: expected {expected:?}, and got {actual:?}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
