//! Clients of HTTP/2 that reset a stream, or drop the whole connection.

use futures_util::{
    FutureExt, StreamExt,
    future::{join_all, select},
    stream,
};
use http::{Method, Request};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use crate::{
    Scale,
    scene::{Client, LISTED, Sent, Version, eventually, get, one_thread},
    vanished::{Stage, UNDECIDED},
};

/// A body whose end never comes.
fn endless(mut request: Request<Sent>) -> Request<Sent> {
    let beginning = Frame::data("the beginning".into());
    let body = stream::iter([Ok(beginning)]).chain(stream::pending());
    *request.method_mut() = Method::POST;
    *request.body_mut() = BodyExt::boxed(StreamBody::new(body.map(|frame| frame)));
    request
}

pub(crate) fn in_every_phase(scale: Scale) -> String {
    let streams = scale.of(20, 150);
    // What is sent, and how many inner calls it leads to.
    let phases = [
        (
            "while the verdict is waited for",
            "/slow",
            UNDECIDED,
            false,
            0,
        ),
        (
            "the same with a body under way",
            "/echo",
            UNDECIDED,
            true,
            0,
        ),
        ("while the service is at work", "/slow", LISTED, false, 1),
        ("while the service reads the body", "/echo", LISTED, true, 1),
    ];
    let count = phases.len();
    for (phase, path, origin, has_body, calls) in phases {
        for drops_connection in [false, true] {
            let stage = Stage::default();
            one_thread().block_on(async {
                let address = stage.serve().await;
                let mut client = Client::connect(Version::Http2, address).await;
                let Client::Http2(connection) = &client else {
                    panic!("HTTP/2 was asked for");
                };
                let asking = (0..streams).map(|_| {
                    let mut client = Client::Http2(connection.clone());
                    let request = get(address, path, origin);
                    let request = if has_body { endless(request) } else { request };
                    async move { client.send(request).await.map(drop) }
                });
                let under_way = eventually(phase, || {
                    stage.verdicts.begun() == streams && stage.calls.in_all() == streams * calls
                });
                // Dropping the futures of the responses resets their streams.
                let first = select(join_all(asking), under_way.boxed_local()).await;
                assert!(
                    matches!(first, futures_util::future::Either::Right(_)),
                    "{phase}: answered"
                );
                drop(first);
                if drops_connection {
                    drop(client);
                } else {
                    // The connection goes on.
                    let answer = client.ask(get(address, "/beside", LISTED)).await.unwrap();
                    assert_eq!(answer.origin.as_deref(), Some(LISTED), "{phase}");
                }
                stage.assert_recovered(Version::Http2, address).await;
                assert_eq!(stage.calls.of(path), streams * calls, "{phase}");
            });
        }
    }
    format!(
        "{count} phases, {streams} streams each, reset or with their connection: nothing is left, \
         each inner call once"
    )
}
