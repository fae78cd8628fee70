//! [`Hop`]: the request as it stands after some redirects.

use http::{HeaderName, HeaderValue, header};
use hyper::body::Bytes;
use url::Url;

use super::{BadRedirect, upgrade::upgrade};
use crate::{case::Case, fetch::Site, page::Origin};

#[derive(Clone, Debug)]
pub(crate) struct Hop {
    pub(crate) url: Url,
    pub(crate) method: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<Bytes>,
    /// As the `Origin` header says it.
    pub(crate) origin: String,
    /// Redirects only ever lead further away.
    pub(crate) site: Site,
    pub(crate) redirects: usize,
}

/// <https://fetch.spec.whatwg.org/#http-redirect-fetch>
const MAX_REDIRECTS: usize = 20;

impl Hop {
    pub(crate) fn first(case: &Case) -> Self {
        Self {
            url: case.url.clone(),
            method: case.request.method.clone(),
            headers: case.request.headers.clone(),
            body: case.request.body.clone(),
            origin: case.origin().to_owned(),
            site: Site::of(&case.page.origin, &case.url),
            redirects: 0,
        }
    }

    /// The request to where a redirect leads (<https://fetch.spec.whatwg.org/#http-redirect-fetch>).
    pub(crate) fn follow(
        mut self,
        case: &Case,
        status: u16,
        location: &str,
        is_cross_origin: bool,
    ) -> Result<Self, BadRedirect> {
        let mut target = self
            .url
            .join(location)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| BadRedirect::Location(location.to_owned()))?;
        if self.redirects == MAX_REDIRECTS {
            return Err(BadRedirect::TooMany);
        }
        upgrade(&case.page.policies, &mut target);
        let page = &case.page.origin;
        let has_user = !target.username().is_empty() || target.password().is_some();
        if has_user && (is_cross_origin || !page.is_of(&target)) {
            return Err(BadRedirect::UserInfo);
        }
        let becomes_get = match status {
            301 | 302 => self.method == "POST",
            303 => !matches!(self.method.as_str(), "GET" | "HEAD"),
            _ => false,
        };
        if becomes_get {
            self.method = "GET".into();
            self.body = None;
            self.headers.retain(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "content-encoding" | "content-language" | "content-location" | "content-type"
                )
            });
        }
        let leaves = !same_origin(&self.url, &target);
        if leaves {
            self.headers
                .retain(|(name, _)| name != header::AUTHORIZATION);
            if !page.is_of(&self.url) {
                self.origin = "null".into();
            }
        }
        self.site = self.site.max(Site::of(page, &target));
        self.url = target;
        self.redirects += 1;
        Ok(self)
    }
}

fn same_origin(a: &Url, b: &Url) -> bool {
    Origin::of(a).is_some_and(|origin| origin.is_of(b))
}
