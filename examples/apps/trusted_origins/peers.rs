//! Replicas of other processes, for the admin page.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Error, access::AdminToken};

pub(crate) const OF_THIS_PROCESS: &str = "/api/v1/replicas/of-this-process";

/// How long a peer has for an answer: the page asks every second.
const PATIENCE: Duration = Duration::from_millis(800);

/// Processes on the same store, by the address of one of their replicas each.
#[derive(Clone)]
pub(crate) struct Peers(Arc<Inner>);

struct Inner {
    urls: Vec<Url>,
    /// The peers have the same one.
    token: AdminToken,
    client: Client,
}

impl Peers {
    pub(crate) fn new(urls: &[String], token: AdminToken) -> Result<Self, Error> {
        let parse = |url: &String| {
            let parsed = Url::parse(url).ok();
            parsed
                .filter(|url| url.has_host())
                .ok_or_else(|| format!("--peer: {url:?}: write an address as in http://host:8080"))
        };
        Ok(Self(Arc::new(Inner {
            urls: urls.iter().map(parse).collect::<Result<_, _>>()?,
            token,
            client: Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                .redirect(reqwest::redirect::Policy::none())
                .build()?,
        })))
    }

    /// How it goes with all of them, or that they do not answer.
    pub(crate) async fn replicas(&self) -> Vec<Value> {
        let answers = join_all(self.0.urls.iter().map(|url| self.ask(url))).await;
        let answers = answers.into_iter().zip(&self.0.urls);
        answers
            .flat_map(|(answer, url)| match answer {
                Ok(Answer { mut replicas }) => {
                    replicas.iter_mut().for_each(|shown| reach(shown, url));
                    replicas
                }
                Err(error) => {
                    let why = error.without_url().to_string();
                    vec![json!({"url": url.as_str().trim_end_matches('/'), "unreachable": why})]
                }
            })
            .collect()
    }

    async fn ask(&self, url: &Url) -> Result<Answer, reqwest::Error> {
        let mut url = url.clone();
        url.set_path(OF_THIS_PROCESS);
        let request = self.0.client.get(url).bearer_auth(self.0.token.as_str());
        request.send().await?.error_for_status()?.json().await
    }
}

/// A peer may know its replicas by addresses that mean others here, such as `0.0.0.0`: they are
/// where it is.
fn reach(shown: &mut Value, peer: &Url) {
    let own = shown["url"].as_str().and_then(|url| Url::parse(url).ok());
    if let Some(mut url) = own {
        // It has one: else it were no peer.
        let _ = url.set_host(peer.host_str());
        shown["url"] = json!(url.as_str().trim_end_matches('/'));
    }
}

#[derive(Deserialize)]
struct Answer {
    replicas: Vec<Value>,
}
