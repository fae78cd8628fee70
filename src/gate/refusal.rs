use http::{HeaderValue, Response, StatusCode, header::CACHE_CONTROL};

/// The answer to a refused request: a status without a body, which no cache keeps. The denial is in
/// the extensions, where a logging layer or a test finds it; the client learns nothing of it.
pub(crate) fn refusal<B, D>(status: StatusCode, denial: D) -> Response<B>
where
    B: Default,
    D: Clone + Send + Sync + 'static,
{
    let mut response = Response::new(B::default());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(denial);
    response
}
