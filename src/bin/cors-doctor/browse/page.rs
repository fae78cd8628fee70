use http::{HeaderName, HeaderValue, header};
use url::Url;

use crate::{
    exchange::{Kind, Sent},
    lab::{Lab, USER_AGENT},
    page::{Origin, Page, Policies, policies_in},
};

/// Navigates to the page: its final URL says its origin, its headers and elements its policy.
///
/// A page that does not answer counts with the URL that was given.
///
/// # Errors
///
/// The final URL has no origin.
pub(crate) async fn load_page(lab: &mut Lab<'_>, url: &Url) -> Result<Page, String> {
    const MAX_REDIRECTS: usize = 20;
    let mut url = url.clone();
    let mut policies = Policies::default();
    for _ in 0..=MAX_REDIRECTS {
        let step = lab.browse(Kind::Page, navigation(&url)).await;
        let Some(answer) = lab.answer(step) else {
            break;
        };
        let next = answer
            .location()
            .and_then(|location| url.join(&location).ok());
        if let Some(next) = next.filter(|next| matches!(next.scheme(), "http" | "https")) {
            url = next;
            continue;
        }
        for line in answer.lines("content-security-policy") {
            policies.add(&line);
        }
        let is_sandboxed = policies.takes_origin();
        if answer.is_html() {
            for policy in policies_in(&answer.body) {
                policies.add(&policy);
            }
        }
        if is_sandboxed {
            return Ok(Page {
                origin: Origin::null(),
                policies,
            });
        }
        break;
    }
    let origin =
        Origin::of(&url).ok_or_else(|| format!("page {:?}: it has no origin", url.as_str()))?;
    Ok(Page { origin, policies })
}

fn navigation(url: &Url) -> Sent {
    let headers = [
        ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
        ("user-agent", USER_AGENT),
        ("sec-fetch-site", "none"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
    ];
    let headers = headers
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        })
        .into_iter()
        .filter(|(name, _)| {
            url.scheme() == "https" || name == header::ACCEPT || name == header::USER_AGENT
        })
        .collect();
    Sent {
        method: "GET".into(),
        url: url.clone(),
        headers,
        body: None,
    }
}
