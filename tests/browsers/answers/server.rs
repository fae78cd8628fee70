use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;

use super::{
    arrivals::Arrivals,
    case::{Case, Place},
};

/// One program on three ports: the page's origin, the service's, and another one's.
pub(super) struct Server {
    pub(super) addresses: Addresses,
    pub(super) arrivals: Arrivals,
}

#[derive(Clone)]
pub(super) struct Addresses {
    page_port: u16,
    service_port: u16,
    other_port: u16,
}

impl Server {
    pub(super) async fn start(cases: &[Case]) -> Self {
        let bind = || TcpListener::bind("127.0.0.1:0");
        let port = |listener: &TcpListener| listener.local_addr().expect("it is bound").port();
        let listeners =
            [bind().await, bind().await, bind().await].map(|l| l.expect("a port is free"));
        let addresses = Addresses {
            page_port: port(&listeners[0]),
            service_port: port(&listeners[1]),
            other_port: port(&listeners[2]),
        };
        let arrivals = Arrivals::default();
        let cases: Arc<[Case]> = cases.into();
        for listener in listeners {
            let (addresses, arrivals) = (addresses.clone(), arrivals.clone());
            let cases = Arc::clone(&cases);
            let answer =
                async move |request: Request| answer(&cases, &addresses, &arrivals, request);
            let script = [(header::CONTENT_TYPE, "text/javascript")];
            let router = Router::new()
                .route("/", get(async || Html(include_str!("answers.html"))))
                .route(
                    "/answers.js",
                    get(async move || (script, include_str!("answers.js"))),
                )
                .fallback(answer);
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        Self {
            addresses,
            arrivals,
        }
    }
}

impl Addresses {
    /// The page's origin. Services of another site have the name 127.0.0.1.
    pub(super) fn page(&self) -> String {
        format!("http://localhost:{}", self.page_port)
    }

    fn service(&self) -> String {
        format!("http://127.0.0.1:{}", self.service_port)
    }

    fn origin_of(&self, place: Place) -> String {
        match place {
            Place::Service => self.service(),
            Place::Sibling => format!("http://localhost:{}", self.service_port),
            Place::Page => self.page(),
        }
    }

    /// The URL of a case's first request.
    pub(super) fn url(&self, key: &str, place: Place, query: &str) -> String {
        let question_mark = if query.is_empty() { "" } else { "?" };
        format!(
            "{}/{key}/first{question_mark}{query}",
            self.origin_of(place)
        )
    }

    fn fill_in(&self, line: &str, key: &str, place: Place) -> String {
        let own = self.origin_of(place);
        let with_user = own.replace("://", "://user:word@");
        line.replace("{page}", &self.page())
            .replace("{page-port}", &self.page_port.to_string())
            .replace("{first}", &format!("{own}/{key}/first"))
            .replace("{same}", &format!("{own}/{key}/then"))
            .replace("{same-with-user}", &format!("{with_user}/{key}/then"))
            .replace("{service}", &format!("{}/{key}/then", self.service()))
            .replace("{own}", &format!("{}/{key}/then", self.page()))
            .replace(
                "{other}",
                &format!("http://127.0.0.1:{}/{key}/then", self.other_port),
            )
    }
}

/// The path is `/run/case/part`.
fn answer(
    cases: &[Case],
    addresses: &Addresses,
    arrivals: &Arrivals,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let mut segments = parts.uri.path().split('/').skip(1);
    let (Some(run), Some(index), Some(part)) = (segments.next(), segments.next(), segments.next())
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Some(case) = index.parse().ok().and_then(|index: usize| cases.get(index)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let key = format!("{run}/{index}");
    let page = [(addresses.page(), "PAGE")];
    arrivals.record(&key, &parts, &page);
    let is_preflight = parts.method == Method::OPTIONS
        && parts
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let lines = match (part, is_preflight) {
        ("then", true) => &case.then.preflight,
        ("then", false) => &case.then.answer,
        (_, true) => &case.preflight,
        (_, false) => &case.answer,
    };
    let filled: Vec<String> = lines
        .iter()
        .map(|line| addresses.fill_in(line, &key, case.at))
        .collect();
    scripted(&filled)
}

/// The status, and then header lines, with all their white space.
fn scripted(lines: &[String]) -> Response {
    let (status, headers) = lines.split_first().expect("every answer has a status");
    let status: StatusCode = status.parse().expect("it is a status");
    let is_bodiless = matches!(status.as_u16(), 204 | 304);
    let mut response = Response::new(if is_bodiless {
        Body::empty()
    } else {
        Body::from("hello")
    });
    *response.status_mut() = status;
    for line in headers {
        let (name, value) = line.split_once(':').expect("a line has a colon");
        let name = HeaderName::try_from(name).expect("it is a name");
        let value = value.strip_prefix(' ').unwrap_or(value);
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("it is a value");
        response.headers_mut().append(name, value);
    }
    response
}
