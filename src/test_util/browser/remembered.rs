use http::Response;

use super::{journey::Journey, preflight_cache::CacheKey};
use crate::test_util::{Failure, fetch::Fetch, preflight_answer::PreflightAnswer};

/// What a journey has to do with the cache of preflights.
impl Journey {
    pub(super) fn key(&self, fetch: &Fetch) -> CacheKey {
        let origin = fetch.origin.clone().into_header_value();
        CacheKey {
            partition: self.request.page.partition(),
            origin: String::from_utf8_lossy(origin.as_bytes()).into_owned(),
            url: self.current().to_string(),
        }
    }

    pub(super) fn is_remembered(&self, fetch: &Fetch) -> bool {
        let browser = self.request.page.browser();
        let (engine, now) = (self.engine(), browser.now().now());
        let key = self.key(&self.preflight_fetch(fetch));
        let again = self.was_preflighted && engine.preflights_again();
        let in_any_case = again || fetch.use_cors_preflight;
        let mut kept = browser.kept();
        kept.preflights
            .covers(&key, fetch, in_any_case, engine, now)
    }

    pub(super) fn forget(&self, fetch: &Fetch) {
        let browser = self.request.page.browser();
        browser.kept().preflights.forget(&self.key(fetch));
    }

    pub(super) fn judge_preflight<B>(
        &self,
        fetch: &Fetch,
        answer: &Response<B>,
    ) -> Result<(), Failure> {
        let browser = self.request.page.browser();
        let engine = self.engine();
        let headers = self.understood(answer.headers());
        let headers = &*headers;
        let read = PreflightAnswer::read(fetch, answer.status(), headers)?;
        read.permits(fetch, engine.star())?;
        let (key, now) = (self.key(fetch), browser.now().now());
        let mut kept = browser.kept();
        kept.preflights.keep(key, fetch, read, headers, engine, now);
        Ok(())
    }
}
