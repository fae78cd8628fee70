use http::{HeaderName, HeaderValue, Method, header};
use serde_json::json;
use tower_cors::test_util::Fetch;

use super::{
    browser::{Browser, Outcome},
    page::Page,
    table::{Expected, Table},
};
use crate::{
    Error,
    running::Running,
    site::{Site, TokenKind},
};

/// The page is given the answer, after a preflight where one is needed.
fn read(preflight: impl Into<Option<u16>>, answer: u16) -> Expected {
    Expected {
        preflight: preflight.into(),
        answer: Some(answer),
        readable: true,
    }
}

/// The service refuses, and the page is not told.
fn kept(preflight: impl Into<Option<u16>>, answer: u16) -> Expected {
    Expected {
        readable: false,
        ..read(preflight, answer)
    }
}

/// The preflight fails, so that the request is not even sent.
fn stopped(preflight: u16) -> Expected {
    Expected {
        preflight: Some(preflight),
        answer: None,
        readable: false,
    }
}

/// Every page does what it would do in a browser.
pub(super) async fn play(running: &Running, table: &mut Table) -> Result<(), Error> {
    let [contoso, litware, fabrikam] = &*running.sites else {
        return Err("there are three sites".into());
    };
    let mut stage = Stage::new(table)?;
    stage.chat(contoso).await?;
    stage.chat(litware).await?;
    stage
        .kept_out(&Page::open(fabrikam, TokenKind::Own).await?)
        .await?;
    stage
        .kept_out(&Page::open_sandboxed(contoso).await?)
        .await?;
    stage.expired(contoso).await?;
    stage.somebody_elses(contoso).await?;
    stage.strangers_chat(litware).await?;
    stage.revoked(contoso).await
}

struct Stage<'a> {
    browser: Browser,
    table: &'a mut Table,
    /// Where chats begin, once somebody has found out.
    applications: String,
    /// Where the last chat goes on.
    chat: String,
}

impl Stage<'_> {
    /// A page that the token lists.
    async fn chat(&mut self, site: &Site) -> Result<(), Error> {
        let page = Page::open(site, TokenKind::Own).await?;
        self.discover(&page, read(None, 200)).await?;
        self.discover_with_header(&page, read(204, 200)).await?;
        let joined = self.join(&page, read(204, 201)).await?;
        let location = joined.headers.get(header::LOCATION);
        if location.is_none_or(|location| joined.link("self") != location) {
            return Err("the page cannot read the Location of its application".into());
        }
        self.chat = joined.link("messages").to_owned();
        let echoed = self
            .say(&page, joined.link("messages"), read(204, 200))
            .await?;
        let expected = json!({ "applicationSessionId": page.session, "text": "hello" });
        if echoed.body == expected {
            Ok(())
        } else {
            Err(format!("the echo is {}, not {expected}", echoed.body).into())
        }
    }

    /// A page that the token does not list, or that has no origin.
    async fn kept_out(&mut self, page: &Page) -> Result<(), Error> {
        self.discover(page, kept(None, 403)).await?;
        self.discover_with_header(page, stopped(403)).await?;
        self.join(page, stopped(403)).await?;
        // Even where it has learnt the address of a chat; and it learns no more from a wrong one.
        let chat = self.chat.clone();
        self.say(page, &chat, stopped(403)).await?;
        let nowhere = chat.replace("/messages", "x/messages");
        let fetch = page.post(&nowhere)?;
        let step = "say hello nowhere";
        self.ask(page, step, &nowhere, &fetch, "{}", stopped(403))
            .await?;
        Ok(())
    }

    /// A page that the token lists, too late: it may read that.
    async fn expired(&mut self, site: &Site) -> Result<(), Error> {
        let page = Page::open(site, TokenKind::Expired).await?;
        self.discover(&page, read(None, 401)).await?;
        self.join(&page, read(204, 401)).await?;
        Ok(())
    }

    /// A page of a listed site with a token that lists another site.
    async fn somebody_elses(&mut self, site: &Site) -> Result<(), Error> {
        let page = Page::open(site, TokenKind::Other).await?;
        self.discover(&page, kept(None, 403)).await?;
        self.discover_with_header(&page, stopped(403)).await?;
        // Some other token lists it, which is all that a preflight can tell.
        self.join(&page, kept(204, 403)).await?;
        Ok(())
    }

    /// A listed page with a good token, in somebody else's chat.
    async fn strangers_chat(&mut self, site: &Site) -> Result<(), Error> {
        let page = Page::open(site, TokenKind::Own)
            .await?
            .labelled(site, "with its own token for another session");
        let chat = self.chat.clone();
        self.say(&page, &chat, read(204, 403)).await?;
        Ok(())
    }

    /// A page whose session has been ended by its server.
    async fn revoked(&mut self, site: &Site) -> Result<(), Error> {
        let page = Page::open(site, TokenKind::Own).await?;
        let joined = self.join(&page, read(204, 201)).await?;
        let page = page.labelled(site, "after its session has ended");
        site.end_session(&page.session).await?;
        self.say(&page, joined.link("messages"), stopped(403))
            .await?;
        self.join(&page, kept(204, 401)).await?;
        self.discover(&page, kept(None, 401)).await?;
        Ok(())
    }
}

/// Single requests.
impl<'a> Stage<'a> {
    fn new(table: &'a mut Table) -> Result<Self, Error> {
        Ok(Self {
            browser: Browser::new()?,
            table,
            applications: String::new(),
            chat: String::new(),
        })
    }

    async fn discover(&mut self, page: &Page, expected: Expected) -> Result<(), Error> {
        let fetch = page.fetch(Method::GET, &page.discover)?;
        let outcome = self
            .ask(page, "discover", &page.discover, &fetch, "", expected)
            .await?;
        if outcome.failure.is_none() && outcome.body["_links"].is_object() {
            self.applications = outcome.link("anonApplications").to_owned();
        }
        Ok(())
    }

    /// The same with a header that needs a preflight, which has the token in its URL.
    async fn discover_with_header(&mut self, page: &Page, expected: Expected) -> Result<(), Error> {
        let name = HeaderName::from_static("client-request-id");
        let fetch = page.fetch(Method::GET, &page.discover)?;
        let fetch = fetch.header(name, HeaderValue::from_static("1"));
        let step = "discover, with a header";
        self.ask(page, step, &page.discover, &fetch, "", expected)
            .await?;
        Ok(())
    }

    async fn join(&mut self, page: &Page, expected: Expected) -> Result<Outcome, Error> {
        let url = self.applications.clone();
        let fetch = page.post(&url)?;
        self.ask(page, "join", &url, &fetch, "{}", expected).await
    }

    async fn say(&mut self, page: &Page, url: &str, expected: Expected) -> Result<Outcome, Error> {
        let fetch = page.post(url)?;
        let hello = r#"{"text": "hello"}"#;
        self.ask(page, "say hello", url, &fetch, hello, expected)
            .await
    }

    async fn ask(
        &mut self,
        page: &Page,
        step: &str,
        url: &str,
        fetch: &Fetch,
        body: &str,
        expected: Expected,
    ) -> Result<Outcome, Error> {
        let outcome = self.browser.fetch(url, fetch, body).await?;
        self.table.add(&page.label, step, &outcome, expected);
        Ok(outcome)
    }
}
