use serde_json::{Value, json};

use super::{
    case::{Case, Seen},
    server::Server,
};
use crate::browser::Window;

/// Plays the cases in the window's page.
pub(super) async fn play(window: &Window, server: &Server, cases: &[Case]) -> Vec<Seen> {
    window.open(&server.addresses.page()).await;
    // A Firefox that has just started does not use the first two answers that it keeps.
    results(window, server, "warm-up", &cases[..2]).await;
    let results = results(window, server, "real", cases).await;
    let seen = results.into_iter().enumerate().map(|(index, sees)| Seen {
        sees,
        arrives: server.arrivals.of(&format!("real/{index}")),
    });
    seen.collect()
}

/// What the page's script says of each case. The run has addresses of its own.
async fn results(window: &Window, server: &Server, run: &str, cases: &[Case]) -> Vec<String> {
    let requests = cases.iter().enumerate().map(|(index, case)| {
        let key = format!("{run}/{index}");
        let requests = case.fetch.iter().map(|asked| {
            let pairs = asked.headers.iter().filter_map(|line| line.split_once(':'));
            let credentials = if asked.include {
                "include"
            } else {
                "same-origin"
            };
            json!({
                "url": server.addresses.url(&key, case.at, &asked.query),
                "method": asked.method,
                "headers": pairs.map(|(name, value)| [name, value.trim()]).collect::<Vec<_>>(),
                "credentials": credentials,
                "body": asked.body,
            })
        });
        requests.collect::<Vec<_>>()
    });
    let requests: Vec<Vec<Value>> = requests.collect();
    let body = "
        return new Promise((done) => {
            addEventListener('message', ({ data }) => { if (data.results) done(data.results); });
            postMessage({ cases: args[0] }, '*');
        });";
    let results = window
        .run(body, vec![json!(json!(requests).to_string())])
        .await;
    serde_json::from_value(results.clone())
        .unwrap_or_else(|_| panic!("the page does not make the requests: {results}"))
}
