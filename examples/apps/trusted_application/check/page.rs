use http::{HeaderValue, Method, header};
use tower_cors::{Origin, origin::RequestOrigin, test_util::Fetch};

use crate::{
    Error,
    site::{Site, TokenKind},
};

/// A page with the token that its site's server has put into it.
#[derive(Clone)]
pub(super) struct Page {
    pub(super) label: String,
    pub(super) session: String,
    /// The link that has the token in its query.
    pub(super) discover: String,
    origin: RequestOrigin,
    token: String,
}

impl Page {
    pub(super) async fn open(site: &Site, kind: TokenKind) -> Result<Self, Error> {
        let bootstrap = site.bootstrap(kind).await?;
        let text = |name: &str| bootstrap[name].as_str().map(str::to_owned);
        let missing = || Error::from("the service's answer has no token");
        Ok(Self {
            label: format!("{}, with {}", site.name, text("kind").ok_or_else(missing)?),
            session: text("session").ok_or_else(missing)?,
            discover: text("discover").ok_or_else(missing)?,
            origin: RequestOrigin::Tuple(site.origin.parse::<Origin>()?),
            token: text("token").ok_or_else(missing)?,
        })
    }

    /// The site's page in a sandboxed frame.
    pub(super) async fn open_sandboxed(site: &Site) -> Result<Self, Error> {
        let page = Self::open(site, TokenKind::Own).await?;
        Ok(Self {
            label: format!("{}, in a sandboxed frame", site.name),
            origin: RequestOrigin::Opaque,
            ..page
        })
    }

    /// The same page, which now does something else.
    pub(super) fn labelled(self, site: &Site, what: &str) -> Self {
        Self {
            label: format!("{}, {what}", site.name),
            ..self
        }
    }

    pub(super) fn fetch(&self, method: Method, url: &str) -> Result<Fetch, Error> {
        Ok(Fetch::new(self.origin.clone(), method, url.parse()?))
    }

    /// JSON, with the token in `Authorization`.
    pub(super) fn post(&self, url: &str) -> Result<Fetch, Error> {
        let bearer = HeaderValue::try_from(format!("Bearer {}", self.token))?;
        let json = HeaderValue::from_static("application/json");
        let fetch = self.fetch(Method::POST, url)?;
        Ok(fetch
            .header(header::AUTHORIZATION, bearer)
            .header(header::CONTENT_TYPE, json))
    }
}
