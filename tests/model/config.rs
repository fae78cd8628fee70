//! Configurations, requests and the inner service's responses, as plain data.

use std::fmt;

use super::{lists::Names, policy::Policy};

/// A configuration, and what is sent to it.
#[derive(Clone, Debug)]
pub struct Case {
    pub config: Config,
    pub exchanges: Vec<Exchange>,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub form: Form,
    /// Whether it replaces another configuration of a layer that is reloadable.
    pub reloaded: bool,
}

#[derive(Clone, Debug)]
pub enum Form {
    Layer(Box<Layer>),
    ByMethod(Vec<MethodRule>),
}

#[derive(Clone, Debug)]
pub struct Layer {
    pub policy: Policy,
    pub settings: Settings,
    pub wait: Wait,
}

/// Whether policies of a layer's own answer at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    Ready,
    /// They have to be polled twice.
    Yields,
    /// They never answer, and `verdict_timeout` is over at once.
    Never,
}

#[derive(Clone, Debug)]
pub struct Settings {
    pub credentials: bool,
    pub methods: Names,
    pub headers: Names,
    pub expose: Names,
    pub max_age: Option<u64>,
    /// Whether denied requests are refused; `None` leaves it to the policy.
    pub refuse: Option<bool>,
    pub preflight_status: u16,
    pub record: Option<bool>,
    pub dangerously: Dangerously,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            credentials: false,
            methods: Names::default(),
            headers: Names::default(),
            expose: Names::default(),
            max_age: None,
            refuse: None,
            preflight_status: 204,
            record: None,
            dangerously: Dangerously::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dangerously {
    pub null: bool,
    pub file: bool,
    pub insecure: bool,
    pub suffixes: bool,
}

/// A rule of `CorsLayer::by_method`.
#[derive(Clone, Debug)]
pub struct MethodRule {
    pub methods: Vec<String>,
    pub who: Who,
    pub credentials: bool,
    pub headers: Names,
    pub expose: Names,
    pub max_age: Option<u64>,
    pub refuse: Option<bool>,
}

#[derive(Clone, Debug)]
pub enum Who {
    Nobody,
    Anybody,
    Bearers,
    Trusted(Policy),
    TrustedOrBearers(Policy),
}

pub type Headers = Vec<(String, Vec<u8>)>;

#[derive(Clone)]
pub struct Exchange {
    pub request: Request,
    pub inner: Response,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the request: {:?}", self.request)?;
        write!(f, "\nthe inner service: {:?}", self.inner)
    }
}

#[derive(Clone)]
pub struct Request {
    pub method: String,
    /// `/path`, or with an authority in front, as in HTTP/2.
    pub uri: String,
    pub headers: Headers,
}

impl Request {
    pub fn new(method: &str, headers: &[(&str, &str)]) -> Self {
        let line = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Self {
            method: method.to_owned(),
            uri: "/thing".to_owned(),
            headers: headers.iter().map(line).collect(),
        }
    }

    /// All lines with this name.
    pub fn lines(&self, name: &str) -> Vec<&[u8]> {
        lines(&self.headers, name)
    }

    pub fn has(&self, name: &str) -> bool {
        !self.lines(name).is_empty()
    }
}

pub fn lines<'a>(headers: &'a Headers, name: &str) -> Vec<&'a [u8]> {
    let lines = headers.iter().filter(|(own, _)| own == name);
    lines.map(|(_, value)| value.as_slice()).collect()
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.uri)?;
        write_lines(&self.headers, f)
    }
}

fn write_lines(headers: &Headers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (name, value) in headers {
        write!(f, "\n    {name}: {}", value.escape_ascii())?;
    }
    Ok(())
}

/// The inner service's answer.
#[derive(Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        write_lines(&self.headers, f)
    }
}

/// What comes of a request: the part that the model and the layer must agree on.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub is_called: bool,
    /// Sorted by name; the lines of one name in their order.
    pub headers: Headers,
    /// The kind of the recorded denial.
    pub denial: Option<String>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = if self.is_called {
            "the inner service"
        } else {
            "the layer"
        };
        write!(f, "{} from {by}, denial: {:?}", self.status, self.denial)?;
        write_lines(&self.headers, f)
    }
}
