//! gRPC-Web, by tonic.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use axum::Router;
use bytes::{Buf, BufMut, Bytes};
use futures_util::stream::{self, BoxStream, StreamExt};
use http::{HeaderName, Method, Request, Response, header};
use tonic::{
    Code, Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, NamedService, ServerStreamingService, UnaryService},
    service::Routes,
};
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service};
use tower_cors::{CorsLayer, CorsLayerBuilder};

/// The service with gRPC-Web. The layer for CORS goes around this router: within `GrpcWebLayer` it would
/// see calls that have been translated already.
pub(crate) fn router() -> Router {
    Routes::new(GrpcWebLayer::new().layer(Echo))
        .into_axum_router()
        // tonic answers every unknown path, also those of the other protocols.
        .reset_fallback()
}

pub(crate) fn cors(origins: &[String]) -> CorsLayerBuilder {
    CorsLayer::builder()
        .allow_origins(origins)
        .allow_methods([Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            HeaderName::from_static("x-grpc-web"),
            HeaderName::from_static("x-user-agent"),
            HeaderName::from_static("grpc-timeout"),
        ])
        // Without these, a page learns only that a call has failed, and not why.
        .expose_headers(["grpc-status", "grpc-message", "grpc-status-details-bin"])
}

/// Stands for the server that tonic generates from your `.proto` file:
///
/// ```proto
/// package echo.v1;
/// message Text { string text = 1; }
/// service EchoService {
///     rpc Say(Text) returns (Text);            // the same text
///     rpc Repeat(Text) returns (stream Text);  // three times
///     rpc Fail(Text) returns (Text);           // NOT_FOUND
/// }
/// ```
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "echo.v1.EchoService";
}

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(Messages);
            let response = match request.uri().path() {
                "/echo.v1.EchoService/Say" => grpc.unary(Say, request).await,
                "/echo.v1.EchoService/Repeat" => grpc.server_streaming(Repeat, request).await,
                _ => grpc.unary(Fail, request).await,
            };
            Ok(response)
        })
    }
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<tonic::Response<T>, Status>> + Send>>;

struct Say;
struct Repeat;
struct Fail;

impl UnaryService<Bytes> for Say {
    type Response = Bytes;
    type Future = Answer<Bytes>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        Box::pin(async { Ok(tonic::Response::new(request.into_inner())) })
    }
}

impl ServerStreamingService<Bytes> for Repeat {
    type Response = Bytes;
    type ResponseStream = BoxStream<'static, Result<Bytes, Status>>;
    type Future = Answer<Self::ResponseStream>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let message = request.into_inner();
        let messages = stream::iter(vec![Ok(message); 3]).boxed();
        Box::pin(async { Ok(tonic::Response::new(messages)) })
    }
}

impl UnaryService<Bytes> for Fail {
    type Response = Bytes;
    type Future = Answer<Bytes>;

    fn call(&mut self, _: tonic::Request<Bytes>) -> Self::Future {
        Box::pin(async { Err(Status::new(Code::NotFound, "no such text")) })
    }
}

/// Messages as their bytes: this service does not look into them.
#[derive(Clone)]
struct Messages;

impl Codec for Messages {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Messages {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message);
        Ok(())
    }
}

impl Decoder for Messages {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
