use super::{Asking, Course, Ending, Obstacle, headers, hop::Hop};
use crate::{
    case::Case,
    exchange::Kind,
    fetch::unsafe_names,
    judge::{Asked, cors_check, judge_preflight},
    lab::Lab,
};

/// Does what `fetch()` does (<https://fetch.spec.whatwg.org/#main-fetch>), redirects included.
pub(crate) async fn fetch_url(lab: &mut Lab<'_>, case: &Case) -> Course {
    let mut hop = Hop::first(case);
    let mut asking = Asking {
        origin: hop.origin.clone(),
        redirects: 0,
        preflight: None,
        preflights: Vec::new(),
        is_cross_origin: false,
    };
    loop {
        asking.origin = hop.origin.clone();
        asking.redirects = hop.redirects;
        asking.preflight = None;
        if let Some(obstacle) = Obstacle::find(case, &hop.url, hop.redirects > 0) {
            return ended(Ending::Kept(obstacle), asking);
        }
        asking.is_cross_origin |= !case.page.origin.is_of(&hop.url);
        if asking.is_cross_origin
            && let Some(ending) = ask_first(lab, case, &hop, &mut asking).await
        {
            return ended(ending, asking);
        }
        if !case.send && !matches!(hop.method.as_str(), "GET" | "HEAD") {
            return ended(Ending::NotTried, asking);
        }
        let kind = if hop.redirects == 0 {
            Kind::Request
        } else {
            Kind::Redirect
        };
        let step = lab
            .browse(kind, headers::request(case, &hop, asking.is_cross_origin))
            .await;
        let Some(answer) = lab.answer(step) else {
            return ended(Ending::NoAnswer(step), asking);
        };
        if asking.is_cross_origin {
            let problems = cors_check(answer, &hop.origin, case.request.credentials);
            if !problems.is_empty() {
                return ended(Ending::Withheld(step, problems), asking);
            }
        }
        let Some(location) = answer.location() else {
            return ended(Ending::Readable(step), asking);
        };
        hop = match hop.follow(case, answer.status, &location, asking.is_cross_origin) {
            Ok(next) => next,
            Err(bad) => return ended(Ending::BadRedirect(step, bad), asking),
        };
    }
}

/// Sends a preflight where the request needs one; returns how that ended unless it passed.
async fn ask_first(
    lab: &mut Lab<'_>,
    case: &Case,
    hop: &Hop,
    asking: &mut Asking,
) -> Option<Ending> {
    let announced = unsafe_names(&hop.headers, case.browser);
    let is_simple = matches!(hop.method.as_str(), "GET" | "HEAD" | "POST") && announced.is_empty();
    if is_simple && !case.request.listens {
        return None;
    }
    let step = lab
        .browse(Kind::Preflight, headers::preflight(hop, &announced))
        .await;
    let Some(answer) = lab.answer(step) else {
        return Some(Ending::NoAnswer(step));
    };
    let asked = Asked {
        origin: &hop.origin,
        credentials: case.request.credentials,
        method: &hop.method,
        headers: &announced,
        browser: case.browser,
    };
    let problems = judge_preflight(answer, &asked);
    if !problems.is_empty() {
        return Some(Ending::PreflightRefused(step, problems));
    }
    asking.preflight = Some(step);
    asking.preflights.push(step);
    None
}

fn ended(ending: Ending, last: Asking) -> Course {
    Course { ending, last }
}
