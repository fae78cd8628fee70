//! Who is let in besides the page: asked by `GET`, since preflights may promise more than requests
//! keep.

use url::{Host, Url};

use super::warning::Warnings;
use crate::{
    browse::{Course, Ending, handshake},
    case::Case,
    exchange::{Answer, Kind},
    fetch::registrable,
    lab::{Lab, get},
    net::is_loopback_host,
};

const MADE_UP: &str = "https://cors-doctor-made-up.test";

pub(super) async fn find(lab: &mut Lab<'_>, case: &Case, course: &Course, warnings: &mut Warnings) {
    let origin = case.origin().to_owned();
    let Some(own) = own_answer(lab, case, course).await else {
        return;
    };
    let shown = match course.ending {
        Ending::Readable(step) if course.last.redirects == 0 => step,
        _ => own,
    };
    insecure_page(lab, case, shown, warnings);
    let why = "is a made-up origin let in?";
    let made_up = lab.probe(why, get(&case.url, Some(MADE_UP))).await;
    let none = lab
        .probe("what is answered without an origin?", get(&case.url, None))
        .await;
    vary(lab, [Some(own), made_up, none], warnings);

    // A wildcard lets everybody in on purpose, and nobody with credentials.
    let own_answer = lab.answer(own);
    if own_answer.is_none_or(|answer| answer.allow_origin().as_deref() == Some("*")) {
        return;
    }
    let with_credentials = own_answer.is_some_and(Answer::allows_credentials);
    let lets_in_anybody = made_up.filter(|step| echoes(lab, *step, MADE_UP));
    if let Some(step) = lets_in_anybody {
        reflects(lab, step, warnings);
    }
    if origin != "null"
        && let Some(step) = lab
            .probe("is the origin null let in?", get(&case.url, Some("null")))
            .await
        && echoes(lab, step, "null")
    {
        warnings.add(
            "null-allowed",
            "Origin: null is let in, which every site can send from a sandboxed frame".into(),
            "take null out of the list".into(),
            &[step],
        );
    }
    if with_credentials {
        insecure_twin(lab, case, warnings).await;
    }
    if lets_in_anybody.is_none() {
        lookalikes(lab, case, warnings).await;
    }
}

/// A WebSocket's handshake from nowhere.
pub(super) async fn of_websocket(lab: &mut Lab<'_>, case: &Case, warnings: &mut Warnings) {
    let sent = handshake(case, MADE_UP, false);
    let Some(step) = lab.probe("is a made-up origin let in?", sent).await else {
        return;
    };
    if lab.answer(step).is_some_and(|answer| answer.status == 101) {
        warnings.add(
            "websocket-any-origin",
            "a handshake of a made-up origin is answered 101: every site can open this WebSocket \
             with its visitors' cookies"
                .into(),
            "compare the Origin of the handshake with a list, and answer 403 to others".into(),
            &[step],
        );
    }
}

/// The answer to `GET` from the page: its own, unless it was sent as a user.
async fn own_answer(lab: &mut Lab<'_>, case: &Case, course: &Course) -> Option<usize> {
    let is_direct = course.last.redirects == 0 && !case.has_secrets();
    if let Ending::Readable(step) = course.ending
        && is_direct
        && lab.steps[step].sent.method == "GET"
    {
        return Some(step);
    }
    let sent = get(&case.url, Some(case.origin()));
    lab.probe("what is answered to GET from the page?", sent)
        .await
}

/// Whether the origin is let in. An error answer to a probe is no evidence: a rate limit or a
/// firewall may echo the origin where the application does not.
fn echoes(lab: &Lab<'_>, step: usize, origin: &str) -> bool {
    let is_probe = lab.steps[step].kind == Kind::Probe;
    lab.answer(step)
        .is_some_and(|answer| answer.echoes(origin) && !(is_probe && answer.is_error()))
}

fn reflects(lab: &Lab<'_>, step: usize, warnings: &mut Warnings) {
    let fix = "list the origins that may read the answers: allow_origins([…])";
    if lab.answer(step).is_some_and(Answer::allows_credentials) {
        warnings.add(
            "reflects-any-origin-with-credentials",
            format!("{MADE_UP} is let in with credentials: every site acts as the signed-in user"),
            fix.into(),
            &[step],
        );
    } else {
        warnings.add(
            "reflects-any-origin",
            format!("{MADE_UP} is answered with itself: every site is let in"),
            format!("{fix}; or * where everybody may read"),
            &[step],
        );
    }
}

/// `own`: the page's request, or a probe in its place.
fn insecure_page(lab: &Lab<'_>, case: &Case, own: usize, warnings: &mut Warnings) {
    let is_insecure = case
        .page
        .origin
        .url()
        .is_some_and(|url| url.scheme() == "http" && !is_loopback_host(url));
    let is_let_in =
        echoes(lab, own, case.origin()) && lab.answer(own).is_some_and(Answer::allows_credentials);
    if is_insecure && is_let_in {
        insecure(case.origin(), own, warnings);
    }
}

async fn insecure_twin(lab: &mut Lab<'_>, case: &Case, warnings: &mut Warnings) {
    let Some(rest) = case.origin().strip_prefix("https://") else {
        return;
    };
    let twin = format!("http://{rest}");
    let why = "is the page's origin let in without TLS?";
    let Some(step) = lab.probe(why, get(&case.url, Some(&twin))).await else {
        return;
    };
    if echoes(lab, step, &twin) && lab.answer(step).is_some_and(Answer::allows_credentials) {
        insecure(&twin, step, warnings);
    }
}

fn insecure(origin: &str, step: usize, warnings: &mut Warnings) {
    warnings.add(
        "insecure-origin-with-credentials",
        format!(
            "{origin} is let in with credentials: anybody on the network between can act as \
             the user"
        ),
        format!(
            "allow https://{} only",
            origin.trim_start_matches("http://")
        ),
        &[step],
    );
}

/// Whether answers that a cache may mix up say that they depend on the origin.
fn vary(lab: &Lab<'_>, steps: [Option<usize>; 3], warnings: &mut Warnings) {
    // Errors, of rate limits for instance, say nothing about the rule.
    let answers: Vec<(usize, &Answer)> = steps
        .into_iter()
        .flatten()
        .filter_map(|step| Some((step, lab.answer(step)?)))
        .filter(|(_, answer)| !answer.is_error())
        .collect();
    let Some((_, first)) = answers.first() else {
        return;
    };
    let value = first.allow_origin();
    if answers
        .iter()
        .all(|(_, answer)| answer.allow_origin() == value)
    {
        return;
    }
    let unmarked: Vec<usize> = answers
        .iter()
        .filter(|(_, answer)| {
            let is_kept = !answer.list("cache-control").iter().any(|d| d == "no-store");
            let says_so = answer
                .vary()
                .iter()
                .any(|name| name == "origin" || name == "*");
            is_kept && !says_so
        })
        .map(|(step, _)| *step)
        .collect();
    if !unmarked.is_empty() {
        warnings.add(
            "vary-missing",
            "Access-Control-Allow-Origin depends on the request's Origin, and not every answer \
             says so: a cache can serve one page's answer to another"
                .into(),
            "send Vary: Origin with every answer of this resource, also to requests without Origin"
                .into(),
            &unmarked,
        );
    }
}

async fn lookalikes(lab: &mut Lab<'_>, case: &Case, warnings: &mut Warnings) {
    let Some(url) = case.page.origin.url() else {
        return;
    };
    for origin in lookalikes_of(url) {
        let why = "is an origin that looks like the page's let in?";
        let Some(step) = lab.probe(why, get(&case.url, Some(&origin))).await else {
            continue;
        };
        if echoes(lab, step, &origin) {
            warnings.add(
                "lookalike-allowed",
                format!("{origin} is let in: the server compares parts of origins"),
                "compare whole origins, from a list: allow_origins([…]), where a pattern such as \
                 https://*.example.com ends at a dot"
                    .into(),
                &[step],
            );
        }
    }
}

/// Origins of strangers that pass for the page's where only a part is compared.
fn lookalikes_of(url: &Url) -> Vec<String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Vec::new();
    }
    let scheme = url.scheme();
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    if matches!(url.host(), Some(Host::Ipv6(_))) {
        return Vec::new();
    }
    let mut hosts = vec![format!("{host}.evil.test")];
    if let Some(own) = registrable(url) {
        hosts.push(format!("evil-{own}"));
        hosts.push(format!("evil{own}"));
        // A dot that stands for any character, as in an expression that nobody escaped.
        if let Some(front) = host
            .strip_suffix(own)
            .and_then(|front| front.strip_suffix('.'))
        {
            hosts.push(format!("{front}x{own}"));
        }
    }
    hosts
        .into_iter()
        .map(|host| format!("{scheme}://{host}{port}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lookalikes_are_never_below_the_own_domain() {
        let of = |url: &str| lookalikes_of(&Url::parse(url).unwrap());
        assert_eq!(
            of("https://app.example.com"),
            [
                "https://app.example.com.evil.test",
                "https://evil-example.com",
                "https://evilexample.com",
                "https://appxexample.com",
            ]
        );
        assert_eq!(
            of("https://example.co.uk:8443"),
            [
                "https://example.co.uk.evil.test:8443",
                "https://evil-example.co.uk:8443",
                "https://evilexample.co.uk:8443",
            ]
        );
        assert_eq!(
            of("http://localhost:3000"),
            ["http://localhost.evil.test:3000"]
        );
    }
}
