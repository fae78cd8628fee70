use std::fmt;

use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
    header::{
        ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, COOKIE, HOST,
        ORIGIN,
    },
};

use crate::{
    escaped::OneLine,
    origin::RequestOrigin,
    policy::{GrantedTo, OriginPolicy, Verdict, VerdictFuture},
    request::{CorsRequest, Head, Preflight, announced_method},
};

/// A request that a policy is asked about.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) origin: RequestOrigin,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) extensions: Extensions,
    /// The names that a preflight asks for; `None` for an actual request.
    pub(super) preflight: Option<Vec<HeaderName>>,
}

/// A verdict, as far as two of them are compared. The reason of a denial and the age of a grant may
/// change with the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Allows(Terms),
    Abstains,
    Denies { is_readable: bool, why: Why },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) to_anybody: bool,
    pub(super) credentials: Option<bool>,
    lists: String,
}

/// The reason of a denial, for people: all reasons are equal.
#[derive(Clone, Debug)]
pub(super) struct Why(String);

impl Question {
    /// The preflight that a browser would send before this request: with the host, and with neither
    /// credentials nor the page's headers.
    pub(super) fn preflight(&self) -> Self {
        let browsers_own = [HOST, COOKIE, ORIGIN];
        let names = self.headers.keys();
        let asks = names.filter(|name| !browsers_own.contains(name)).cloned();
        let host = self.headers.get_all(HOST).iter();
        Self {
            headers: host.map(|host| (HOST, host.clone())).collect(),
            preflight: Some(asks.collect()),
            ..self.clone()
        }
    }

    pub(super) fn is_preflight(&self) -> bool {
        self.preflight.is_some()
    }

    pub(super) fn from(&self, origin: RequestOrigin) -> Self {
        Self {
            origin,
            ..self.clone()
        }
    }

    /// The same request, to be sent.
    pub(super) fn request(&self) -> Request<()> {
        let mut request = Request::new(());
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        *request.extensions_mut() = self.extensions.clone();
        let headers = request.headers_mut();
        headers.insert(ORIGIN, self.origin.clone().into_header_value());
        let Some(names) = &self.preflight else {
            *request.method_mut() = self.method.clone();
            return request;
        };
        let method = HeaderValue::from_str(self.method.as_str());
        headers.insert(
            ACCESS_CONTROL_REQUEST_METHOD,
            method.expect("a method is a token"),
        );
        if !names.is_empty() {
            let mut names: Vec<&str> = names.iter().map(HeaderName::as_str).collect();
            names.sort_unstable();
            let names = HeaderValue::from_str(&names.join(","));
            headers.insert(
                ACCESS_CONTROL_REQUEST_HEADERS,
                names.expect("header names are tokens"),
            );
        }
        *request.method_mut() = Method::OPTIONS;
        request
    }

    /// Asks a policy, as a layer does.
    pub(super) fn put_to(&self, policy: &dyn OriginPolicy) -> VerdictFuture {
        let request = self.request();
        let head = Head::from(&request);
        let preflight = announced_method(&head)
            .and_then(|method| Preflight::parse(method, request.headers()).ok());
        let request = CorsRequest::new(head, &self.origin, preflight.as_ref());
        if self.is_preflight() {
            policy.judge_preflight(&request)
        } else {
            policy.judge(&request)
        }
    }

    pub(super) async fn ask(&self, policy: &dyn OriginPolicy) -> Said {
        Said::from(self.put_to(policy).await)
    }
}

/// Such as `GET / of https://a.example with host: b.example`. Credentials are left out.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_preflight() {
            f.write_str("the preflight of ")?;
        }
        let origin = self.origin.clone().into_header_value();
        let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
        let shown: String = origin.chars().take(100).collect();
        let rest = if shown.len() < origin.len() {
            "..."
        } else {
            ""
        };
        write!(f, "{} {} of {shown}{rest}", self.method, self.uri.path())?;
        for (name, value) in &self.headers {
            let is_secret = [AUTHORIZATION, COOKIE].contains(name);
            match value.to_str() {
                Ok(text) if !is_secret && text.len() <= 100 => {
                    write!(f, ", {name}: {}", OneLine(text))?;
                }
                _ => write!(f, ", {name}: ({} bytes)", value.len())?,
            }
        }
        Ok(())
    }
}

impl Said {
    pub(super) fn is_allowed(&self) -> bool {
        matches!(self, Self::Allows(_))
    }
}

impl From<Verdict> for Said {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Abstain => Self::Abstains,
            Verdict::Allow(grant) => Self::Allows(Terms {
                to_anybody: grant.granted_to() == GrantedTo::Any,
                credentials: grant.own_credentials(),
                lists: format!("{:?}", grant.own_terms()),
            }),
            Verdict::Deny(denial) => Self::Denies {
                is_readable: denial.is_readable(),
                why: Why(denial.to_string()),
            },
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allows(terms) if terms.to_anybody => f.write_str("it allows every origin"),
            Self::Allows(_) => f.write_str("it allows it"),
            Self::Abstains => f.write_str("it abstains"),
            Self::Denies { is_readable, why } => {
                let readable = if *is_readable { " readably" } else { "" };
                write!(f, "it denies it{readable}: {}", OneLine(&why.0))
            }
        }
    }
}

impl PartialEq for Why {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Why {}
