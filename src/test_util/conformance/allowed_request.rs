use http::Extensions;

/// A request that a policy allows, with the facts that its verdict needs and nothing else.
///
/// Each header, the URL and each extension that is set here is taken for such a fact: the policy must
/// not allow the request without it.
///
/// ```
/// use tower_cors::test_util::AllowedRequest;
///
/// let _ = AllowedRequest::new("https://shop.one.example")
///     .method("PUT")
///     .url("https://api.example/tenants/one/things")
///     .header("authorization", "Bearer eyJhbGciOi...");
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is passed on"]
pub struct AllowedRequest {
    pub(super) origin: Option<String>,
    pub(super) method: String,
    pub(super) url: Option<String>,
    pub(super) headers: Vec<Fact>,
    pub(super) extensions: Extensions,
    pub(super) has_extensions: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) any_value: bool,
}

impl AllowedRequest {
    /// A `GET` of a page of this origin, as `https://app.example.com` or `null`.
    pub fn new(origin: impl Into<String>) -> Self {
        Self {
            origin: Some(origin.into()),
            method: "GET".to_owned(),
            url: None,
            headers: Vec::new(),
            extensions: Extensions::new(),
            has_extensions: false,
        }
    }

    /// A request that is allowed from every origin but `null`, because of its other facts.
    pub fn from_any_origin() -> Self {
        Self {
            origin: None,
            ..Self::new("")
        }
    }

    /// Sets the method. Default: `GET`.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = method.into();
        self
    }

    /// Sets the URL, as a fact. Default: `/`, which does not count as a fact.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Adds a header, as a fact.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fact(name.into(), value.into(), false)
    }

    /// Adds a header whose presence is the fact, so that any value of its kind will do: it is left
    /// out and sent twice, but not changed.
    pub fn header_with_any_value(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fact(name.into(), value.into(), true)
    }

    /// Adds an extension, as a fact: what an outer layer has found out.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, extension: T) -> Self {
        self.extensions.insert(extension);
        self.has_extensions = true;
        self
    }

    fn fact(mut self, name: String, value: String, any_value: bool) -> Self {
        let fact = Fact {
            name,
            value,
            any_value,
        };
        self.headers.push(fact);
        self
    }
}
