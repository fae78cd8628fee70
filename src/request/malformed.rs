/// Why no policy is asked about a request: a header of the CORS protocol is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// There are several `Origin` lines.
    SeveralOrigins,
    /// The `Origin` line is not one serialised origin.
    Origin,
    /// The preflight's method or header names are malformed, or beyond a bound.
    Preflight,
}
