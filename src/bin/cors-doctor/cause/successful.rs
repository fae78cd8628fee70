//! A good answer without Access-Control-Allow-Origin, or one that is judged like it.

use super::{code::Cause, finding::Finding, origins, questions::Questions};

pub(super) async fn find(questions: &mut Questions<'_, '_>) -> Finding {
    let step = questions.step;
    let has_signs = questions.answer().has_signs();
    if let Some(passed) = questions
        .asking
        .preflight
        .filter(|_| !questions.is_preflight)
    {
        return behind_a_preflight(questions, passed);
    }
    let get = if questions.is_preflight {
        questions.get().await
    } else {
        None
    };
    let get_grants = get.and_then(|get| questions.granted(&[get]));
    // Where GET lets the page in and the preflight knows nothing, the list is not what is wrong.
    if (has_signs || get_grants.is_none())
        && let Some(finding) = origins::find(questions).await
    {
        return finding;
    }
    if questions.is_preflight {
        if let Some(finding) = of_preflight(questions, get_grants).await {
            return finding;
        }
    } else if let Some(finding) = of_request(questions).await {
        return finding;
    }
    // Where the preflight knows nothing, GET of the URL may.
    let signs = if has_signs {
        Some(step)
    } else {
        get.filter(|get| questions.answer_of(*get).has_signs())
    };
    if let Some(signs) = signs {
        let text = "a CORS layer answers, and it does not allow the page's origin";
        return Finding::new(Cause::OriginNotListed(None), signs, text);
    }
    let elsewhere = questions.elsewhere().await;
    let text = "the answer has no CORS header";
    if let Some(granted) = questions.granted(&elsewhere) {
        return Finding::new(Cause::RouteNotCovered, step, text)
            .and(granted, "another path of the server has a grant");
    }
    nowhere(questions, &[step], &elsewhere, text)
}

/// No answer has a grant. `no-cors` also requires that none has signs, and `route-not-covered`
/// requires a grant on another path, so signs alone leave the cause unknown.
pub(super) fn nowhere(
    questions: &Questions<'_, '_>,
    here: &[usize],
    elsewhere: &[usize],
    text: &str,
) -> Finding {
    let step = questions.step;
    let mut asked = here.iter().chain(elsewhere).copied();
    if let Some(sign) = asked.find(|s| questions.answer_of(*s).has_signs()) {
        let signs = "this answer has signs of a CORS layer, and no grant";
        let found = Finding::new(Cause::UnknownLayer, step, text);
        return found.and(sign, signs);
    }
    let Some((first, rest)) = elsewhere.split_first() else {
        return Finding::new(Cause::Unknown, step, text);
    };
    let nothing = "nor has this path of the server any";
    let found = Finding::new(Cause::NoCors, step, text).and(*first, nothing);
    rest.iter()
        .fold(found, |found, step| found.and(*step, nothing))
}

/// The preflight passed; the answer to the request has no grant.
fn behind_a_preflight(questions: &Questions<'_, '_>, passed: usize) -> Finding {
    let step = questions.step;
    let answer = questions.answer();
    let vary = answer.vary();
    let depends = |name: &str| vary.iter().any(|n| n == name);
    let (cause, text) = if depends("origin") && depends("authorization") {
        (
            Cause::TokenRefused {
                is_preflight: false,
            },
            "Vary says that the answer depends on origin and token, and it has no grant",
        )
    } else if answer.has_signs() {
        (
            Cause::LayersDisagree {
                preflight_granted: true,
                refused: Vec::new(),
            },
            "the answer to the request comes from a CORS layer, and has no grant",
        )
    } else {
        (
            Cause::HeadersOnlyOnPreflight,
            "the answer to the request has no CORS header",
        )
    };
    Finding::new(cause, passed, "the preflight is granted").and(step, text)
}

async fn of_preflight(
    questions: &mut Questions<'_, '_>,
    get_grants: Option<usize>,
) -> Option<Finding> {
    let step = questions.step;
    let has_signs = questions.answer().has_signs();
    let echoes = |get: &usize| questions.answer_of(*get).echoes(&questions.asking.origin);
    if has_signs && let Some(get) = get_grants.filter(echoes) {
        let refused = refused_headers(questions).await;
        let cause = Cause::LayersDisagree {
            preflight_granted: false,
            refused: refused.names(),
        };
        let text = "the preflight has no grant, and signs of a CORS layer";
        let found = Finding::new(cause, step, text).and(get, "GET of the URL has a grant");
        return Some(refused.shown_by(found));
    }
    let method = preflighted_method(questions);
    for other in ["GET", "POST", "PUT", "DELETE"] {
        if other == method {
            continue;
        }
        let Some(probe) = questions.preflight_for(other).await else {
            continue;
        };
        if questions.granted(&[probe]).is_some() {
            let text = format!("the preflight for {method} has no grant");
            return Some(
                Finding::new(Cause::MethodNotAllowed(method), step, text)
                    .and(probe, format!("a preflight for {other} has one")),
            );
        }
    }
    if !has_signs && let Some(get) = get_grants {
        let status = questions.answer().status;
        let text = format!("the preflight is answered {status} without any CORS header");
        let refused = refused_headers(questions).await;
        let cause = Cause::PreflightNotHandled {
            refused: refused.names(),
        };
        let found = Finding::new(cause, step, text).and(get, "GET of the URL has a grant");
        return Some(refused.shown_by(found));
    }
    // The preflight without its headers is granted, so the origin is listed and
    // `origin-not-listed`, the next cause in order, would be wrong.
    let refused = refused_headers(questions).await;
    let cause = Cause::HeaderNotAllowed(refused.names());
    let found = Finding::new(cause, step, "the preflight has no grant");
    refused.bare.map(|_| refused.shown_by(found))
}

/// The headers that make a server refuse a preflight that it grants without them.
#[derive(Default)]
struct Refused {
    names: Vec<String>,
    /// The preflight without headers, where it is granted.
    bare: Option<usize>,
}

impl Refused {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn shown_by(&self, finding: Finding) -> Finding {
        match self.bare {
            Some(bare) => finding.and(bare, "asking for no header the preflight has a grant"),
            None => finding,
        }
    }
}

/// Some servers refuse a whole preflight for one header.
async fn refused_headers(questions: &mut Questions<'_, '_>) -> Refused {
    let announced = questions.case.announced();
    if announced.is_empty() {
        return Refused::default();
    }
    let Some(bare) = questions.preflight_with(None).await else {
        return Refused::default();
    };
    if questions.granted(&[bare]).is_none() {
        return Refused::default();
    }
    let mut names = Vec::new();
    for name in announced.iter().take(8) {
        let refused = match questions.preflight_with(Some(name)).await {
            Some(probe) => questions.granted(&[probe]).is_none(),
            None => true,
        };
        if refused {
            names.push(name.clone());
        }
    }
    Refused {
        names: if names.is_empty() { announced } else { names },
        bare: Some(bare),
    }
}

/// A request without a preflight.
async fn of_request(questions: &mut Questions<'_, '_>) -> Option<Finding> {
    let step = questions.step;
    if questions.answer().has_signs() {
        return None;
    }
    let text = "the answer to the request has no CORS header";
    if !questions.is_get() {
        let get = questions.get().await?;
        if questions.granted(&[get]).is_some() {
            return Some(
                Finding::new(Cause::RouteNotCovered, step, text)
                    .and(get, "GET of the URL has a grant"),
            );
        }
    }
    let options = questions.options().await?;
    let preflight = questions.answer_of(options);
    (preflight.is_ok() && preflight.grants(&questions.asking.origin)).then(|| {
        Finding::new(Cause::HeadersOnlyOnPreflight, step, text)
            .and(options, "a preflight would be granted")
    })
}

fn preflighted_method(questions: &Questions<'_, '_>) -> String {
    let sent = &questions.lab.steps[questions.step].sent;
    let asked = sent.header("access-control-request-method");
    asked
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}
