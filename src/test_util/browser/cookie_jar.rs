use std::time::SystemTime;

use super::{
    address::Address,
    cookie::{Cookie, SameSite},
};

/// The cookies of a browser.
#[derive(Debug, Default)]
pub(super) struct CookieJar {
    /// In the order in which they were first set.
    cookies: Vec<Cookie>,
}

/// From where a request comes, as far as `SameSite` is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A page of the same site.
    SameSite,
    /// A page of another site, or one in a frame below a page of another site.
    CrossSite,
    /// A page of another site, which is replaced by the answer to a `GET`.
    SafeNavigation,
    /// As before, with another method.
    UnsafeNavigation,
}

impl CookieJar {
    /// Keeps a cookie, or drops it (RFC 6265bis, section 5.7).
    pub(super) fn store(&mut self, line: &str, from: &Address, caller: Caller, now: SystemTime) {
        let Some(mut cookie) = Cookie::parse(line, from, now) else {
            return;
        };
        // A page of another site sets no cookies for this one, unless they are meant for it.
        if caller == Caller::CrossSite && cookie.same_site != SameSite::None {
            return;
        }
        let old = self.cookies.iter().position(|old| cookie.replaces(old));
        let is_over = cookie.expires.is_some_and(|end| end <= now);
        match old {
            Some(old) if is_over => drop(self.cookies.remove(old)),
            Some(old) => std::mem::swap(&mut self.cookies[old], &mut cookie),
            None if is_over => {}
            None => self.cookies.push(cookie),
        }
    }

    /// The value of `Cookie`, or `None` where there is none to send (section 5.8.3).
    pub(super) fn header(
        &mut self,
        to: &Address,
        caller: Caller,
        now: SystemTime,
    ) -> Option<String> {
        let is_kept = |cookie: &Cookie| cookie.expires.is_none_or(|end| end > now);
        self.cookies.retain(is_kept);
        let is_sent = |cookie: &&Cookie| cookie.is_for(to) && caller.receives(cookie.same_site);
        let mut cookies: Vec<&Cookie> = self.cookies.iter().filter(is_sent).collect();
        // The sort is stable: of two paths of one length, the older cookie comes first.
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pair = |cookie: &Cookie| match &*cookie.name {
            "" => cookie.value.clone(),
            name => format!("{name}={}", cookie.value),
        };
        let pairs: Vec<String> = cookies.into_iter().map(pair).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    pub(super) fn clear(&mut self) {
        self.cookies.clear();
    }
}

impl Caller {
    fn receives(self, same_site: SameSite) -> bool {
        match self {
            Self::SameSite => true,
            Self::SafeNavigation => same_site != SameSite::Strict,
            Self::CrossSite | Self::UnsafeNavigation => same_site == SameSite::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(url: &str) -> Address {
        Address::parse(url).unwrap()
    }

    /// The cookies for a request to `to`, after `from` has set this one.
    fn sent(line: &str, from: &str, to: &str, caller: Caller) -> Option<String> {
        let mut jar = CookieJar::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_782_896);
        jar.store(line, &address(from), Caller::SameSite, now);
        jar.header(&address(to), caller, now)
    }

    #[test]
    fn hosts_paths_and_transport() {
        let api = "https://api.shop.example/v1/login";
        for (line, to, expected) in [
            ("a=b", "https://api.shop.example/v1/x", true),
            ("a=b", "https://api.shop.example/v1", true),
            ("a=b", "https://api.shop.example/v2", false),
            ("a=b; Path=/", "https://api.shop.example/v2", true),
            ("a=b; Path=/v", "https://api.shop.example/v1", false),
            ("a=b; Path=/", "https://shop.example/", false),
            ("a=b; Path=/", "https://x.api.shop.example/", false),
            (
                "a=b; Path=/; Domain=shop.example",
                "https://shop.example/",
                true,
            ),
            (
                "a=b; Path=/; Domain=.Shop.example",
                "https://x.shop.example/",
                true,
            ),
            (
                "a=b; Path=/; Domain=op.example",
                "https://op.example/",
                false,
            ),
            (
                "a=b; Path=/; Domain=example",
                "https://api.shop.example/",
                false,
            ),
            (
                "a=b; Path=/; Domain=other.example",
                "https://other.example/",
                false,
            ),
            ("a=b; Path=/", "http://api.shop.example:8080/", true),
            ("a=b; Path=/; Secure", "http://api.shop.example/", false),
            (
                "a=b; Path=/; Secure",
                "https://api.shop.example:8443/",
                true,
            ),
            (
                "__Host-a=b; Path=/; Secure",
                "https://api.shop.example/",
                true,
            ),
            ("__Host-a=b; Secure", "https://api.shop.example/v1/", false),
            ("__Secure-a=b", "https://api.shop.example/v1/", false),
            ("=", "https://api.shop.example/v1/", false),
            ("a=b; Max-Age=0", "https://api.shop.example/v1/", false),
            (
                "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
                "https://api.shop.example/v1/",
                false,
            ),
            (
                "a=b; Expires=Fri, 27 Nov 2026 12:34:57 GMT",
                "https://api.shop.example/v1/",
                true,
            ),
        ] {
            let is_sent = sent(line, api, to, Caller::SameSite).is_some();
            assert_eq!(is_sent, expected, "{line} {to}");
        }
        assert_eq!(
            sent(
                "a=b; Secure",
                "http://a.example/",
                "https://a.example/",
                Caller::SameSite
            ),
            None
        );
        assert!(
            sent(
                "a=b; Secure",
                "http://localhost/",
                "http://localhost/",
                Caller::SameSite
            )
            .is_some()
        );
    }

    #[test]
    fn same_site() {
        let url = "https://a.example/";
        for (line, expected) in [
            ("a=b; SameSite=Strict", [true, false, false, false]),
            ("a=b; SameSite=Lax", [true, true, false, false]),
            ("a=b", [true, true, false, false]),
            ("a=b; SameSite=None; Secure", [true, true, true, true]),
            // Without transport security there is no such cookie.
            ("a=b; SameSite=None", [false, false, false, false]),
        ] {
            let callers = [
                Caller::SameSite,
                Caller::SafeNavigation,
                Caller::UnsafeNavigation,
                Caller::CrossSite,
            ];
            let is_sent = callers.map(|caller| sent(line, url, url, caller).is_some());
            assert_eq!(is_sent, expected, "{line}");
        }
        let mut jar = CookieJar::default();
        let now = SystemTime::UNIX_EPOCH;
        jar.store("a=lax", &address(url), Caller::CrossSite, now);
        assert_eq!(jar.header(&address(url), Caller::SameSite, now), None);
    }

    #[test]
    fn they_are_replaced_deleted_and_sorted() {
        let mut jar = CookieJar::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let url = address("https://a.example/x/y");
        for line in [
            "a=1; Path=/",
            "b=2; Path=/x; Max-Age=60",
            "c=3; Path=/",
            "a=4; Path=/",
        ] {
            jar.store(line, &url, Caller::SameSite, now);
        }
        let mut header = |now| jar.header(&url, Caller::SameSite, now);
        assert_eq!(header(now).unwrap(), "b=2; a=4; c=3");
        assert_eq!(header(now + Duration::from_secs(60)).unwrap(), "a=4; c=3");
        jar.store("a=; Path=/; Max-Age=-1", &url, Caller::SameSite, now);
        assert_eq!(jar.header(&url, Caller::SameSite, now).unwrap(), "c=3");
    }
}
