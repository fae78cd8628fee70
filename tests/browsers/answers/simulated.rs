use tower_cors::test_util::{Browser, Credentials, Engine, Network, Outcome};

use super::{
    case::{Asked, Case, Seen},
    server::Server,
};

/// What came of a case in the simulated browser.
pub(super) struct Played {
    pub(super) seen: Seen,
    /// As [`Case::expect`] words it.
    pub(super) ends: Vec<String>,
}

/// Plays the cases in one browser of the test kit, over the network.
pub(super) async fn play(server: &Server, cases: &[Case], engine: Engine) -> Vec<Played> {
    let network = Network::new().expect("a client without TLS needs nothing");
    let browser = Browser::new().engine(engine);
    let page = browser.page(&server.addresses.page()).expect("it is a URL");
    let run = format!("{engine:?}");
    let mut all = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let key = format!("{run}/{index}");
        let (mut sees, mut ends) = (Vec::new(), Vec::new());
        for asked in &case.fetch {
            let url = server.addresses.url(&key, case.at, &asked.query);
            let request = told(page.fetch(&url), asked);
            let played = request.send(network.clone()).await;
            let played = played.unwrap_or_else(|error| panic!("{}: {error:?}", case.name));
            let (seen, end) = describe(played.outcome());
            sees.push(seen);
            ends.push(end);
        }
        let seen = Seen {
            sees: sees.join("; "),
            arrives: server.arrivals.of(&key),
        };
        all.push(Played { seen, ends });
    }
    all
}

fn told(
    request: tower_cors::test_util::PageRequest,
    asked: &Asked,
) -> tower_cors::test_util::PageRequest {
    let credentials = if asked.include {
        Credentials::Include
    } else {
        Credentials::SameOrigin
    };
    let request = request.method(&asked.method).credentials(credentials);
    let lines = asked.headers.iter().filter_map(|line| line.split_once(':'));
    let request = lines.fold(request, |request, (name, value)| {
        request.header(name, value)
    });
    match &asked.body {
        Some(body) => request.body(body.clone()),
        None => request,
    }
}

/// What the page's script sees, as `answers.js` words it, and how the request ended.
fn describe<B>(outcome: &Outcome<B>) -> (String, String) {
    let end = match outcome {
        Outcome::Readable(response) => {
            let not_shown = ["connection", "date", "keep-alive", "transfer-encoding"];
            let names = response.headers().keys().map(|name| name.as_str());
            let mut names: Vec<&str> = names.filter(|name| !not_shown.contains(name)).collect();
            names.sort_unstable();
            let status = response.status().as_u16();
            return (format!("{status} {}", names.join(",")), status.to_string());
        }
        Outcome::NotSent(_) => "not sent",
        Outcome::PreflightFailed(..) => "preflight fails",
        Outcome::Blocked(..) => "blocked",
        other => panic!("no case asks for this: {:?}", other.failure()),
    };
    ("TypeError".to_owned(), end.to_owned())
}
