//! What the browser does, step by step, up to the point where it fails or the page reads.

mod fetch_url;
mod headers;
mod hop;
mod obstacle;
mod page;
mod upgrade;
mod websocket;

pub(crate) use self::{
    fetch_url::fetch_url, headers::handshake, obstacle::Obstacle, page::load_page,
    upgrade::upgrade, websocket::open_websocket,
};
use crate::judge::Problem;

/// How far the browser came.
#[derive(Debug)]
pub(crate) struct Course {
    pub(crate) ending: Ending,
    /// What the last step was asked with.
    pub(crate) last: Asking,
}

/// The circumstances of a step.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    /// `null` after a redirect from one foreign origin to another.
    pub(crate) origin: String,
    /// Redirects that were followed up to here.
    pub(crate) redirects: usize,
    /// The preflight that was passed for this request.
    pub(crate) preflight: Option<usize>,
    /// All preflights that were passed on the way, this one included.
    pub(crate) preflights: Vec<usize>,
    /// Whether the page is of another origin than this step, or any step before.
    pub(crate) is_cross_origin: bool,
}

#[derive(Debug)]
pub(crate) enum Ending {
    /// Nothing is sent to this URL. After a redirect something was sent before.
    Kept(Obstacle),
    /// The step got no HTTP answer.
    NoAnswer(usize),
    /// The preflight's answer has these problems, at least one.
    PreflightRefused(usize, Vec<Problem>),
    /// The answer to the request, or to a WebSocket's handshake, is withheld.
    Withheld(usize, Vec<Problem>),
    /// A redirect that no browser follows.
    BadRedirect(usize, BadRedirect),
    /// The request was not sent for want of `--send`.
    NotTried,
    Readable(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BadRedirect {
    TooMany,
    Location(String),
    UserInfo,
}
