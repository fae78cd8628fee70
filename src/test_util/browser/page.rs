use super::{
    address::{Address, InvalidUrl},
    cookie_jar::Caller,
    page_request::PageRequest,
    site::Site,
    window::Browser,
};
use crate::origin::RequestOrigin;

/// A page in a [`Browser`], or a frame in one.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it sends something"]
pub struct Page {
    browser: Browser,
    /// `None` for a page without an origin of its own.
    address: Option<Address>,
    /// The page in whose frame this one is, if it is in one.
    top: Option<Address>,
}

impl Page {
    pub(super) fn new(browser: Browser, address: Address) -> Self {
        Self {
            browser,
            address: Some(address),
            top: None,
        }
    }

    pub(super) fn opaque(browser: Browser) -> Self {
        Self {
            browser,
            address: None,
            top: None,
        }
    }

    /// The same page in a frame of the page at this URL, as a chat widget is. What is kept of its
    /// preflights is kept apart for each such page's site, and in a page of another site it sends
    /// cookies with `SameSite=None` alone.
    ///
    /// # Errors
    ///
    /// When the text is not a URL.
    pub fn in_frame_of(mut self, url: &str) -> Result<Self, InvalidUrl> {
        self.top = Some(Address::parse(url)?);
        Ok(self)
    }

    /// A request that the page makes with `fetch()`: a `GET` in mode `cors`, with the credentials
    /// mode `same-origin`, until it is told otherwise. The URL may be relative to the page's.
    ///
    /// To the page's own origin it goes without the protocol of CORS, and its answer is read whole.
    pub fn fetch(&self, url: &str) -> PageRequest {
        PageRequest::fetch(self.clone(), url)
    }

    /// A link that is followed: a `GET` whose answer replaces the page. It carries cookies, and
    /// those with `SameSite=Lax` also to other sites.
    pub fn follow_link(&self, url: &str) -> PageRequest {
        PageRequest::navigation(self.clone(), url, "GET")
    }

    /// A form that is sent: a `POST` whose answer replaces the page. CORS does not judge it, so it
    /// reaches the service from every site; `DeniedRequests::Refuse` stops it there.
    pub fn submit_form(&self, url: &str) -> PageRequest {
        PageRequest::navigation(self.clone(), url, "POST")
    }

    /// The page's origin, as its requests have it.
    pub fn origin(&self) -> RequestOrigin {
        let address = self.address.as_ref();
        address.map_or(RequestOrigin::Opaque, Address::origin)
    }

    pub(super) fn browser(&self) -> &Browser {
        &self.browser
    }

    pub(super) fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// <https://fetch.spec.whatwg.org/#network-partition-key>
    pub(super) fn partition(&self) -> String {
        let top = self.top.as_ref().or(self.address.as_ref());
        top.map_or_else(|| "opaque".to_owned(), |top| Site::of(top).serialise())
    }

    /// Whether the page, and the one that it is in, are of this address's site.
    pub(super) fn is_same_site(&self, to: &Address) -> bool {
        let site = Site::of(to);
        let is_of_site = |address: &Address| Site::of(address) == site;
        self.address.as_ref().is_some_and(is_of_site) && self.top.as_ref().is_none_or(is_of_site)
    }

    /// What `SameSite` makes of a request to this address. A navigation in a frame is one of the
    /// frame, so it is no top-level one.
    pub(super) fn caller(&self, to: &Address, navigates: Option<&http::Method>) -> Caller {
        match navigates {
            _ if self.is_same_site(to) => Caller::SameSite,
            Some(method) if self.top.is_none() && method.is_safe() => Caller::SafeNavigation,
            Some(_) if self.top.is_none() => Caller::UnsafeNavigation,
            _ => Caller::CrossSite,
        }
    }
}
