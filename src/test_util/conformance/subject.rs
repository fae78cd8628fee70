use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method, Uri, header::HOST};

use super::{
    allowed_request::AllowedRequest,
    expectations::Expectations,
    question::Question,
    violation::{Found, Obligation},
};
use crate::{
    origin::{Origin, RequestOrigin},
    policy::{OriginPolicy, PolicyProperties},
};

/// The policy under test, and what it is meant to allow.
pub(super) struct Subject {
    pub(super) policy: Arc<dyn OriginPolicy>,
    /// As they were first stated.
    pub(super) properties: PolicyProperties,
    pub(super) samples: Vec<Sample>,
    expectations: Expectations,
}

/// A request that the policy is meant to allow.
pub(super) struct Sample {
    pub(super) question: Question,
    /// Each origin may send it.
    pub(super) from_any_origin: bool,
    /// The headers that are facts, and whether any value of them will do.
    pub(super) facts: Vec<(HeaderName, bool)>,
    pub(super) url_is_fact: bool,
    pub(super) extensions_are_fact: bool,
}

/// Nobody is meant by this name: `.example` is reserved.
pub(super) const STRANGER: &str = "https://stranger-of-this-test.example";

impl Subject {
    pub(super) fn new(
        policy: impl OriginPolicy,
        mut expectations: Expectations,
        found: &mut Found,
    ) -> Self {
        let mut samples = Vec::new();
        if expectations.allowed.is_empty() {
            let text = "there is no request that the policy allows: name at least one";
            found.add(Obligation::Expectations, text);
        }
        for allowed in std::mem::take(&mut expectations.allowed) {
            match Sample::new(allowed) {
                Ok(sample) => samples.push(sample),
                Err(text) => found.add(Obligation::Expectations, text),
            }
        }
        Self {
            properties: policy.properties(),
            policy: Arc::new(policy),
            samples,
            expectations,
        }
    }

    /// Whether the policy may allow this origin to send the sample.
    pub(super) fn is_meant(&self, sample: &Sample, origin: &RequestOrigin) -> bool {
        match origin {
            RequestOrigin::Opaque => {
                self.expectations.allows_null || sample.question.origin == *origin
            }
            RequestOrigin::Tuple(tuple) => {
                sample.from_any_origin
                    || sample.question.origin == *origin
                    || (self.expectations.also)(tuple)
                    || self.is_of_a_sample_alike(sample, origin)
            }
        }
    }

    /// Whether another sample differs in its origin alone.
    fn is_of_a_sample_alike(&self, sample: &Sample, origin: &RequestOrigin) -> bool {
        self.samples.iter().any(|other| {
            let (one, other) = (&sample.question, &other.question);
            other.origin == *origin && other.headers == one.headers && other.uri == one.uri
        })
    }

    pub(super) fn judges_preflights(&self) -> bool {
        self.expectations.judges_preflights
    }

    /// A page that nobody means, unless everybody is meant.
    pub(super) fn stranger(&self) -> RequestOrigin {
        origin(STRANGER).expect("it is an origin")
    }

    pub(super) fn check_properties(&self, found: &mut Found) {
        for _ in 0..2 {
            if self.policy.properties() != self.properties {
                let text = "properties() has answered otherwise than the first time; a layer asks \
                            once, when it is built";
                found.add(Obligation::ConstantProperties, text);
            }
        }
    }
}

impl Sample {
    fn new(allowed: AllowedRequest) -> Result<Self, String> {
        let origin_text = allowed.origin.as_deref().unwrap_or(STRANGER);
        let origin = origin(origin_text).map_err(|error| {
            format!("{origin_text:?} is not an origin that a browser sends: {error}")
        })?;
        let method = Method::from_bytes(allowed.method.as_bytes())
            .map_err(|_| format!("{:?} is not a method", allowed.method))?;
        let url = allowed.url.as_deref().unwrap_or("/");
        let uri: Uri = url.parse().map_err(|_| format!("{url:?} is not a URL"))?;
        let mut question = Question {
            origin,
            method,
            // As HTTP/1.1 writes it: the path in the request line, the authority in `Host`.
            uri: uri
                .path_and_query()
                .cloned()
                .map(Uri::from)
                .unwrap_or_default(),
            headers: http::HeaderMap::new(),
            extensions: allowed.extensions,
            preflight: None,
        };
        if let Some(Ok(host)) = uri
            .authority()
            .map(|host| HeaderValue::from_str(host.as_str()))
        {
            question.headers.insert(HOST, host);
        }
        let mut facts = Vec::new();
        for fact in allowed.headers {
            let name = HeaderName::try_from(&*fact.name);
            let value = HeaderValue::try_from(&*fact.value);
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(format!(
                    "the header {:?} has no valid name and value",
                    fact.name
                ));
            };
            question.headers.insert(name.clone(), value);
            facts.push((name, fact.any_value));
        }
        Ok(Self {
            question,
            from_any_origin: allowed.origin.is_none(),
            facts,
            url_is_fact: allowed.url.is_some(),
            extensions_are_fact: allowed.has_extensions,
        })
    }
}

pub(super) fn origin(text: &str) -> Result<RequestOrigin, String> {
    if text == "null" {
        return Ok(RequestOrigin::Opaque);
    }
    let origin: Result<Origin, _> = text.parse();
    origin
        .map(RequestOrigin::from)
        .map_err(|error| error.to_string())
}
