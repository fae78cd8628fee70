use http::{
    HeaderMap,
    header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN},
};

use super::{failure::Failure, fetch::Fetch, header_list::get};

impl Fetch {
    /// The [CORS check]: whether the answer, or the answer to the preflight, is for this page.
    ///
    /// # Errors
    ///
    /// Why it is not.
    ///
    /// [CORS check]: https://fetch.spec.whatwg.org/#concept-cors-check
    pub fn cors_check(&self, headers: &HeaderMap) -> Result<(), Failure> {
        // Step 2.
        let Some(allowed) = get(headers, &ACCESS_CONTROL_ALLOW_ORIGIN) else {
            return Err(Failure::MissingAllowOrigin);
        };
        // Step 3.
        if !self.includes_credentials() && allowed == b"*" {
            return Ok(());
        }
        // Step 4.
        if allowed != self.origin.clone().into_header_value().as_bytes() {
            return Err(why_not(&allowed));
        }
        // Step 5.
        if !self.includes_credentials() {
            return Ok(());
        }
        // Steps 6 to 8.
        let credentials = get(headers, &ACCESS_CONTROL_ALLOW_CREDENTIALS).unwrap_or_default();
        match &*credentials {
            b"true" => Ok(()),
            other => Err(Failure::CredentialsNotAllowed(text(other))),
        }
    }
}

fn why_not(allowed: &[u8]) -> Failure {
    match allowed {
        b"*" => Failure::AnyOriginWithCredentials,
        several if several.contains(&b',') => Failure::SeveralAllowOrigin(text(several)),
        other => Failure::OtherOrigin(text(other)),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, Uri};

    use super::super::fetch::Credentials;
    use crate::origin::{Origin, RequestOrigin};

    use super::*;

    const PAGE: &str = "https://a.example";

    fn check(
        origin: RequestOrigin,
        mode: Credentials,
        acao: &[&str],
        acac: &[&str],
    ) -> Result<(), Failure> {
        let mut headers = HeaderMap::new();
        for value in acao {
            let value = HeaderValue::from_str(value).unwrap();
            headers.append(ACCESS_CONTROL_ALLOW_ORIGIN, value);
        }
        for value in acac {
            let value = HeaderValue::from_str(value).unwrap();
            headers.append(ACCESS_CONTROL_ALLOW_CREDENTIALS, value);
        }
        let fetch = Fetch::new(origin, Method::GET, Uri::from_static("/")).credentials(mode);
        fetch.cors_check(&headers)
    }

    fn page() -> RequestOrigin {
        RequestOrigin::Tuple(PAGE.parse::<Origin>().unwrap())
    }

    #[test]
    fn without_credentials() {
        use Failure as F;
        let other = |value: &str| Err(F::OtherOrigin(value.to_owned()));
        let several = |value: &str| Err(F::SeveralAllowOrigin(value.to_owned()));
        for (acao, expected) in [
            (&[][..], Err(F::MissingAllowOrigin)),
            (&["*"], Ok(())),
            (&[PAGE], Ok(())),
            (&[" https://a.example\t"], Ok(())),
            (&[""], other("")),
            (&["null"], other("null")),
            (&["https://A.example"], other("https://A.example")),
            (&["https://a.example/"], other("https://a.example/")),
            (&["https://*.example"], other("https://*.example")),
            (
                &[PAGE, PAGE],
                several("https://a.example, https://a.example"),
            ),
            (&["*", "*"], several("*, *")),
            (&["https://a.example,*"], several("https://a.example,*")),
        ] {
            for mode in [Credentials::Omit, Credentials::SameOrigin] {
                assert_eq!(check(page(), mode, acao, &[]), expected, "{acao:?}");
            }
        }
        assert_eq!(
            check(RequestOrigin::Opaque, Credentials::Omit, &["null"], &[]),
            Ok(())
        );
    }

    #[test]
    fn with_credentials() {
        use Failure as F;
        let not_allowed = |value: &str| Err(F::CredentialsNotAllowed(value.to_owned()));
        for (acao, acac, expected) in [
            (PAGE, &["true"][..], Ok(())),
            (PAGE, &[], not_allowed("")),
            (PAGE, &["True"], not_allowed("True")),
            (PAGE, &["true", "true"], not_allowed("true, true")),
            ("*", &["true"], Err(F::AnyOriginWithCredentials)),
        ] {
            let result = check(page(), Credentials::Include, &[acao], acac);
            assert_eq!(result, expected, "{acao} {acac:?}");
        }
    }
}
