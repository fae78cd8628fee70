//! One request over one connection, HTTP/1.1 or h2, and as much of the answer as is wanted.

use std::time::Duration;

use http::{HeaderValue, Request, Response, Version, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::AbortHandle,
    time::{Instant, timeout_at},
};

use super::transport::Reading;
use crate::{
    exchange::{Answer, Sent},
    failure::Failure,
};

/// The longest header block, in bytes: what Chromium takes.
const MAX_HEAD: usize = 256 * 1024;
const MAX_HEADER_LINES: usize = 1024;
/// The most that is read of a body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The connection's own task ends with the exchange.
pub(super) struct Connection(AbortHandle);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) async fn send<T>(
    io: T,
    is_h2: bool,
    sent: &Sent,
) -> Result<(Response<Incoming>, Connection), Failure>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(io);
    let fail = |error: hyper::Error| Failure::of_http(&error);
    let request = request(sent, is_h2)?;
    if is_h2 {
        let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
            .max_header_list_size(MAX_HEAD as u32)
            .handshake(io)
            .await
            .map_err(fail)?;
        let guard = Connection(tokio::spawn(connection).abort_handle());
        Ok((sender.send_request(request).await.map_err(fail)?, guard))
    } else {
        // As lenient as browsers are.
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADER_LINES)
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true)
            .handshake(io)
            .await
            .map_err(fail)?;
        // With upgrades, because the answer to a WebSocket's handshake is otherwise an error.
        let guard = Connection(tokio::spawn(connection.with_upgrades()).abort_handle());
        Ok((sender.send_request(request).await.map_err(fail)?, guard))
    }
}

fn request(sent: &Sent, is_h2: bool) -> Result<Request<Full<Bytes>>, Failure> {
    let url = &sent.url;
    let authority = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    };
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut builder = Request::builder().method(sent.method.as_str());
    if is_h2 {
        builder = builder
            .uri(format!("https://{authority}{path}"))
            .version(Version::HTTP_2);
    } else {
        let host = HeaderValue::try_from(authority);
        builder = builder.uri(path);
        if let Ok(host) = host {
            builder = builder.header(header::HOST, host);
        }
    }
    for (name, value) in &sent.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Full::new(sent.body.clone().unwrap_or_default()))
        .map_err(|error| Failure::NotHttp(format!("the request cannot be written: {error}")))
}

/// Reads what comes of the body at once, and never waits for its end.
pub(super) async fn read(response: Response<Incoming>, reading: Reading, until: Instant) -> Answer {
    let (head, mut body) = response.into_parts();
    let mut answer = Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: Vec::new(),
        body_ended: false,
    };
    let patience = patience(&answer, reading);
    let until = until.min(Instant::now() + patience);
    while answer.body.len() < MAX_BODY {
        match timeout_at(until, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                let data = frame.into_data().unwrap_or_default();
                let room = MAX_BODY - answer.body.len();
                answer.body.extend_from_slice(&data[..data.len().min(room)]);
            }
            Ok(None) => {
                answer.body_ended = true;
                break;
            }
            Ok(Some(Err(_))) | Err(_) => break,
        }
    }
    answer
}

/// How long a body may take. Only of pages does it matter; of others the beginning is shown.
fn patience(answer: &Answer, reading: Reading) -> Duration {
    match (reading, answer.media_type().as_deref()) {
        (Reading::Page, _) => Duration::from_secs(3600),
        (Reading::Answer, Some("text/html" | "application/xhtml+xml")) => Duration::from_secs(1),
        (Reading::Answer, Some("text/event-stream")) => Duration::ZERO,
        (Reading::Answer, _) => Duration::from_millis(60),
    }
}
