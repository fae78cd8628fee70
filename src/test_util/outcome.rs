use std::{future::poll_fn, mem};

use http::{Request, Response};
use tower_service::Service;

use super::{failure::Failure, fetch::Fetch};
use crate::policy::Denial;

/// How a fetch ends for the page.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<B> {
    /// The page reads the answer, whatever its status; the headers are those that it can read.
    Readable(Response<B>),
    /// `fetch()` refuses before anything is sent.
    NotSent(Failure),
    /// The preflight failed, so that the request itself was not sent. The answer to the preflight
    /// is for the test: a [`Denial`](crate::Denial) in its extensions says why.
    PreflightFailed(Failure, Response<B>),
    /// The request was sent and has had its effect; the page cannot read the answer, the test can.
    Blocked(Failure, Response<B>),
    /// The request was sent and has had its effect. No script reads the answer, because it was not
    /// asked for in the mode `cors`, or because it replaces the page; the test can.
    Opaque(Response<B>),
}

impl<B> Outcome<B> {
    /// What the page reads.
    ///
    /// # Errors
    ///
    /// Why it reads nothing.
    pub fn into_readable(self) -> Result<Response<B>, Failure> {
        match self {
            Self::Readable(response) => Ok(response),
            Self::Opaque(_) => Err(Failure::Opaque),
            Self::NotSent(failure)
            | Self::PreflightFailed(failure, _)
            | Self::Blocked(failure, _) => Err(failure),
        }
    }

    /// The denial that the layer has left in the response's extensions, if it
    /// [records denials](crate::CorsLayerBuilder::record_denials).
    pub fn denial(&self) -> Option<&Denial> {
        match self {
            Self::NotSent(_) => None,
            Self::Readable(response)
            | Self::Opaque(response)
            | Self::PreflightFailed(_, response)
            | Self::Blocked(_, response) => response.extensions().get(),
        }
    }

    /// Why the page reads nothing, or `None` where it does.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Readable(_) => None,
            Self::Opaque(_) => Some(&Failure::Opaque),
            Self::NotSent(failure)
            | Self::PreflightFailed(failure, _)
            | Self::Blocked(failure, _) => Some(failure),
        }
    }
}

impl Fetch {
    /// Plays the whole exchange against a service: the preflight where one is needed, the request,
    /// and what the page makes of the answer.
    ///
    /// The preflight has an empty body, and nothing is kept from it for the next fetch.
    ///
    /// # Errors
    ///
    /// The service's own error; a browser would see a network error.
    pub async fn play<S, ReqBody, ResBody>(
        &self,
        mut service: S,
        body: ReqBody,
    ) -> Result<Outcome<ResBody>, S::Error>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>>,
        ReqBody: Default,
    {
        let request = match self.request(body) {
            Ok(request) => request,
            Err(failure) => return Ok(Outcome::NotSent(failure)),
        };
        if let Some(preflight) = self.preflight() {
            let answer = call(&mut service, preflight.map(|()| ReqBody::default())).await?;
            if let Err(failure) = self.check_preflight(answer.status(), answer.headers()) {
                return Ok(Outcome::PreflightFailed(failure, answer));
            }
        }
        let mut answer = call(&mut service, request).await?;
        if let Err(failure) = self.cors_check(answer.headers()) {
            return Ok(Outcome::Blocked(failure, answer));
        }
        let headers = mem::take(answer.headers_mut());
        *answer.headers_mut() = self.readable_headers(&headers);
        Ok(Outcome::Readable(answer))
    }
}

pub(super) async fn call<S, B>(
    service: &mut S,
    request: Request<B>,
) -> Result<S::Response, S::Error>
where
    S: Service<Request<B>>,
{
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::{HeaderName, HeaderValue, Method, Uri, header};
    use tower::{Layer, service_fn};

    use super::super::fetch::Credentials;
    use crate::{layer::CorsLayer, origin::Origin};

    use super::*;

    async fn play(fetch: Fetch) -> Outcome<&'static str> {
        let layer = CorsLayer::builder()
            .allow_origins(["https://a.example"])
            .allow_credentials(true)
            .allow_methods([Method::PUT])
            .allow_headers([header::AUTHORIZATION])
            .expose_headers(["x-a"])
            .build()
            .unwrap();
        let service = layer.layer(service_fn(async |request: Request<()>| {
            let mut response = Response::new("read");
            let value = HeaderValue::from_static("1");
            response.headers_mut().insert("x-a", value.clone());
            response.headers_mut().insert("x-b", value);
            assert_ne!(request.method(), Method::OPTIONS);
            Ok::<_, Infallible>(response)
        }));
        fetch.play(service, ()).await.unwrap()
    }

    fn fetch(page: &str, method: Method) -> Fetch {
        let page: Origin = page.parse().unwrap();
        Fetch::new(page, method, Uri::from_static("https://api.example/"))
    }

    #[tokio::test]
    async fn what_is_allowed_is_read() {
        for mode in [Credentials::Omit, Credentials::Include] {
            for method in [Method::GET, Method::PUT] {
                let fetch = fetch("https://a.example", method)
                    .header(header::AUTHORIZATION, HeaderValue::from_static("Bearer x"))
                    .credentials(mode);
                let response = play(fetch).await.into_readable().unwrap();
                let names: Vec<_> = response.headers().keys().collect();
                assert_eq!(names, ["x-a"]);
                assert_eq!(response.into_body(), "read");
            }
        }
    }

    #[tokio::test]
    async fn failures_say_where() {
        let outcome = play(fetch("https://b.example", Method::GET)).await;
        assert!(matches!(
            outcome,
            Outcome::Blocked(Failure::MissingAllowOrigin, _)
        ));
        let outcome = play(fetch("https://b.example", Method::PUT)).await;
        assert!(matches!(
            outcome,
            Outcome::PreflightFailed(Failure::MissingAllowOrigin, _)
        ));
        // The layer says what is allowed, so that the method is named and not the origin.
        let outcome = play(fetch("https://a.example", Method::PATCH)).await;
        assert_eq!(
            outcome.failure(),
            Some(&Failure::MethodNotAllowed(Method::PATCH))
        );
        let id = HeaderName::from_static("x-id");
        let outcome =
            play(fetch("https://a.example", Method::GET).header(id.clone(), HeaderValue::from(1)))
                .await;
        assert_eq!(outcome.failure(), Some(&Failure::HeaderNotAllowed(id)));
        let outcome = play(fetch("https://a.example", Method::TRACE)).await;
        assert!(matches!(
            outcome,
            Outcome::NotSent(Failure::ForbiddenMethod(_))
        ));
    }
}
