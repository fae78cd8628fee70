use std::sync::{Arc, Mutex, MutexGuard};

#[cfg(all(target_family = "wasm", target_os = "unknown", not(feature = "js")))]
use super::clock::ManualClock as DefaultClock;
use super::{
    address::{Address, InvalidUrl},
    cookie_jar::{Caller, CookieJar},
    engine::Engine,
    page::Page,
    preflight_cache::PreflightCache,
};
#[cfg(any(
    not(all(target_family = "wasm", target_os = "unknown")),
    feature = "js"
))]
use crate::time::SystemClock as DefaultClock;
use crate::{lock::lock, time::Clock};

/// A browser: what its pages share.
///
/// That is the cookies and what has been kept of preflights. Clones are the same browser.
///
/// ```
/// use std::{convert::Infallible, time::Duration};
///
/// use bytes::Bytes;
/// use http::{Method, Request, Response};
/// use tower::{Layer, service_fn};
/// use tower_cors::{CorsLayer, test_util::{Browser, Engine, ManualClock}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = CorsLayer::builder()
///     .allow_origins(["https://app.example.com"])
///     .allow_methods([Method::PUT])
///     .max_age(Duration::from_secs(60))
///     .build()?
///     .layer(service_fn(async |_: Request<Bytes>| Ok::<_, Infallible>(Response::new("saved"))));
///
/// let clock = ManualClock::new();
/// let browser = Browser::new().engine(Engine::Chromium).clock(clock.clone());
/// let page = browser.page("https://app.example.com/")?;
/// let put = page.fetch("https://api.example.com/things/1").method("PUT").body("{}");
///
/// let played = put.clone().send(service.clone()).await?;
/// assert_eq!(played.preflights(), 1);
/// assert_eq!(*played.expect_readable().body(), "saved");
/// // Within a minute the browser remembers what the preflight permits.
/// assert_eq!(put.clone().send(service.clone()).await?.preflights(), 0);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(put.send(service.clone()).await?.preflights(), 1);
///
/// // Another page of the same browser.
/// let other = browser.page("https://evil.example/")?;
/// let put = other.fetch("https://api.example.com/things/1").method("PUT");
/// put.send(service).await?.expect_preflight_refused();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until one of its pages sends something"]
pub struct Browser {
    engine: Engine,
    clock: Arc<dyn Clock>,
    kept: Arc<Mutex<Kept>>,
}

/// What a browser keeps between requests.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) preflights: PreflightCache,
    pub(super) cookies: CookieJar,
}

impl Browser {
    /// A browser that does as the Fetch standard says, by the machine's clock, and has kept nothing.
    pub fn new() -> Self {
        Self {
            engine: Engine::Standard,
            clock: Arc::new(DefaultClock::default()),
            kept: Arc::default(),
        }
    }

    /// Sets whose choices it makes where engines differ. Default: [`Engine::Standard`].
    pub fn engine(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// Sets the clock. Default: [`SystemClock`](crate::time::SystemClock), or on
    /// `wasm32-unknown-unknown` without the feature `js` a [`ManualClock`](super::ManualClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// A page at this URL, in a window of its own. Nothing is requested for it.
    ///
    /// # Errors
    ///
    /// When the text is not a URL with a scheme and a host. A URL such as `file:///index.html` is a
    /// [`sandboxed_page`](Self::sandboxed_page).
    pub fn page(&self, url: &str) -> Result<Page, InvalidUrl> {
        Ok(Page::new(self.clone(), Address::parse(url)?))
    }

    /// A page whose origin is `null`, as in a sandboxed frame, or from the disk.
    pub fn sandboxed_page(&self) -> Page {
        Page::opaque(self.clone())
    }

    /// Keeps a cookie as if the server at this URL had set it: `cookie` is the value of a
    /// `Set-Cookie` header.
    ///
    /// ```
    /// use tower_cors::test_util::Browser;
    ///
    /// let browser = Browser::new();
    /// browser.set_cookie("https://api.example.com/", "session=1; SameSite=None; Secure")?;
    /// let url = "https://api.example.com/things";
    /// assert_eq!(browser.cookies(url)?, "session=1");
    /// // A cookie without `Secure` cannot be for pages of other sites, so it is dropped.
    /// browser.set_cookie("https://api.example.com/", "other=1; SameSite=None")?;
    /// assert_eq!(browser.cookies(url)?, "session=1");
    /// # Ok::<(), tower_cors::test_util::InvalidUrl>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the text is not a URL.
    pub fn set_cookie(&self, url: &str, cookie: &str) -> Result<(), InvalidUrl> {
        let from = Address::parse(url)?;
        let now = self.now().now();
        self.kept()
            .cookies
            .store(cookie, &from, Caller::SameSite, now);
        Ok(())
    }

    /// The cookies that a page of this URL's own origin sends there, as in `Cookie`; empty where
    /// there are none.
    ///
    /// # Errors
    ///
    /// When the text is not a URL.
    pub fn cookies(&self, url: &str) -> Result<String, InvalidUrl> {
        let to = Address::parse(url)?;
        let now = self.now().now();
        let cookies = self.kept().cookies.header(&to, Caller::SameSite, now);
        Ok(cookies.unwrap_or_default())
    }

    /// Forgets the cookies and what has been kept of preflights.
    pub fn clear(&self) {
        let mut kept = self.kept();
        kept.preflights.clear();
        kept.cookies.clear();
    }

    pub(super) fn own_engine(&self) -> Engine {
        self.engine
    }

    pub(super) fn now(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Never held while something is waited for.
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}
