//! What the status says about an answer without Access-Control-Allow-Origin.

use super::{code::Cause, finding::Finding, origins, questions::Questions, successful};
use crate::{exchange::Answer, lab::get};

pub(super) async fn find(questions: &mut Questions<'_, '_>) -> Finding {
    let answer = questions.answer();
    let status = answer.status;
    let has_signs = answer.has_signs();
    let is_preflight = questions.is_preflight;
    let preflight_passed = !is_preflight && questions.asking.preflight.is_some();
    let step = questions.step;
    let found = |cause, text: String| Finding::new(cause, step, text);
    match status {
        401 | 403 | 407 if depends_on_token(answer) => found(
            Cause::TokenRefused { is_preflight },
            format!("{status}, and Vary says that the answer depends on origin and token"),
        ),
        401 | 407 => found(
            Cause::AuthBeforeCors {
                status,
                is_preflight,
            },
            format!("{status} without Access-Control-Allow-Origin"),
        ),
        403 if preflight_passed => found(
            Cause::ErrorWithoutHeaders { status, has_signs },
            "the preflight passed, and the request is answered 403 without the headers".into(),
        ),
        403 if has_signs => successful::find(questions).await,
        403 => forbidden(questions).await,
        502..=504 if is_gateway(questions.answer()) => found(
            Cause::GatewayError(status),
            format!("{status} that looks like a proxy's"),
        ),
        404 | 405 | 501 if is_preflight => not_handled(questions).await,
        404 => {
            let slash = other_slash(questions).await;
            found(
                Cause::NotFound(slash),
                "404 without Access-Control-Allow-Origin".into(),
            )
        }
        400.. if is_preflight => found(
            Cause::LayerBeforeCors { status, has_signs },
            format!("the preflight is answered {status} without Access-Control-Allow-Origin"),
        ),
        400.. => found(
            Cause::ErrorWithoutHeaders { status, has_signs },
            format!("{status} without Access-Control-Allow-Origin"),
        ),
        _ => successful::find(questions).await,
    }
}

fn depends_on_token(answer: &Answer) -> bool {
    let vary = answer.vary();
    let has = |name: &str| vary.iter().any(|n| n == name);
    has("origin") && (has("authorization") || has("cookie"))
}

/// 403 without signs.
async fn forbidden(questions: &mut Questions<'_, '_>) -> Finding {
    let step = questions.step;
    let is_preflight = questions.is_preflight;
    let text = "403 without any CORS header";
    if let Some(probe) = questions.authenticated_preflight().await {
        let answer = questions.answer_of(probe);
        if answer.is_ok() && answer.grants(&questions.asking.origin) {
            return Finding::new(
                Cause::AuthBeforeCors {
                    status: 403,
                    is_preflight,
                },
                step,
                text,
            )
            .and(
                probe,
                "with the page's own headers the same preflight is granted",
            );
        }
    }
    if is_preflight
        && let Some(probe) = questions.get().await
        && questions.answer_of(probe).status != 403
    {
        let cause = Cause::LayerBeforeCors {
            status: 403,
            has_signs: false,
        };
        return Finding::new(cause, step, text)
            .and(probe, "GET of the same URL is not answered 403");
    }
    if let Some(probe) = questions.get_without_origin().await
        && questions.answer_of(probe).status != 403
    {
        // The layer lets the page in, so another check of the origin refuses this request.
        if !is_preflight
            && let Some(get) = questions.get().await
            && questions.granted(&[get]).is_some()
        {
            return Finding::new(Cause::OriginNotTrusted, step, text)
                .and(get, "GET of the same URL has a grant");
        }
        if let Some(finding) = origins::find(questions).await {
            return finding;
        }
        return Finding::new(Cause::OriginNotListed(None), step, text)
            .and(probe, "the same without Origin is not answered 403");
    }
    Finding::new(
        Cause::AuthBeforeCors {
            status: 403,
            is_preflight,
        },
        step,
        text,
    )
}

/// A preflight for which there is no route.
async fn not_handled(questions: &mut Questions<'_, '_>) -> Finding {
    let step = questions.step;
    let status = questions.answer().status;
    let text = format!("the preflight is answered {status} without Access-Control-Allow-Origin");
    let get = questions.get().await;
    if let Some(get) = get {
        if questions.granted(&[get]).is_some() {
            let refused = Vec::new();
            return Finding::new(Cause::PreflightNotHandled { refused }, step, text)
                .and(get, "GET of the URL has a grant");
        }
        if status == 404 && questions.answer_of(get).status == 404 {
            let slash = other_slash(questions).await;
            return Finding::new(Cause::NotFound(slash), step, text)
                .and(get, "GET of the URL is answered 404, too");
        }
    }
    let elsewhere = questions.elsewhere().await;
    if let Some(granted) = questions.granted(&elsewhere) {
        return Finding::new(Cause::RouteNotCovered, step, text)
            .and(granted, "another path of the server has a grant");
    }
    let here: Vec<usize> = std::iter::once(step).chain(get).collect();
    successful::nowhere(questions, &here, &elsewhere, &text)
}

/// Whether an error comes from a proxy that has no server behind it.
fn is_gateway(answer: &Answer) -> bool {
    // Envoy says so in plain text.
    const TEXTS: [&str; 3] = [
        "upstream connect error",
        "no healthy upstream",
        "upstream request timeout",
    ];
    let body = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    answer.status == 502 || answer.is_html() || TEXTS.iter().any(|text| body.contains(text))
}

/// The same path with or without its last slash, where there is something.
async fn other_slash(questions: &mut Questions<'_, '_>) -> Option<url::Url> {
    let mut url = questions.url().clone();
    let path = url.path().to_owned();
    match path.strip_suffix('/') {
        Some("") => return None,
        Some(shorter) => url.set_path(shorter),
        None => url.set_path(&format!("{path}/")),
    }
    let sent = get(&url, Some(&questions.asking.origin));
    let probe = questions
        .lab
        .probe("is it the slash at the end?", sent)
        .await?;
    let status = questions.answer_of(probe).status;
    // A redirect back to the path that there is not, or an error, is no better.
    let is_there = status != 404 && status < 500 && !(300..400).contains(&status);
    is_there.then_some(url)
}
