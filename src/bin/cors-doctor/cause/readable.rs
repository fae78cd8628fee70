//! An answer that the page may read, and yet not what it asked for.

use super::{code::Cause, finding::Finding, misspelt::instead_of, redirect::is_login};
use crate::{browse::Asking, case::Case, exchange::Answer, judge::parse_list, lab::Lab};

pub(super) fn find(lab: &Lab<'_>, case: &Case, asking: &Asking, step: usize) -> Option<Finding> {
    let answer = lab.answer(step)?;
    if answer.is_ok() && answer.is_html() && case.request.speaks_json() {
        let is_login = answer.has_password_field() || is_login(&lab.steps[step].sent.url);
        let text = "the answer is an HTML page, and the page expects JSON";
        return Some(Finding::new(
            Cause::HtmlInsteadOfApi { is_login },
            step,
            text,
        ));
    }
    if !asking.is_cross_origin {
        return None;
    }
    let hidden = hidden_headers(case, answer);
    if hidden.is_empty() {
        return None;
    }
    let right = "Access-Control-Expose-Headers";
    let text = match answer.get(right) {
        Some(value) => format!("{right}: {value}"),
        None => format!("there is no {right}"),
    };
    let cause = match instead_of(answer, right) {
        Some(wrong) => Cause::HeaderMisspelt { wrong, right },
        None => Cause::HeaderNotExposed(hidden),
    };
    Some(Finding::new(cause, step, text))
}

/// The headers that are there, and that the script wants and cannot read
/// (<https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name>).
fn hidden_headers(case: &Case, answer: &Answer) -> Vec<String> {
    const SAFELISTED: [&str; 7] = [
        "cache-control",
        "content-language",
        "content-length",
        "content-type",
        "expires",
        "last-modified",
        "pragma",
    ];
    const GRPC: [&str; 3] = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
    let exposed = answer
        .get("access-control-expose-headers")
        .and_then(|value| parse_list(&value))
        .unwrap_or_default();
    let is_exposed = |name: &str| {
        let is_forbidden = matches!(name, "set-cookie" | "set-cookie2");
        let by_wildcard = !case.request.credentials && exposed.iter().any(|e| e == "*");
        let by_name = exposed.iter().any(|e| e.eq_ignore_ascii_case(name));
        SAFELISTED.contains(&name) || !is_forbidden && (by_wildcard || by_name)
    };
    let of_grpc = if case.request.is_grpc_web() {
        &GRPC[..]
    } else {
        &[]
    };
    let mut wanted: Vec<String> = case.reads.clone();
    wanted.extend(of_grpc.iter().map(|name| (*name).to_owned()));
    wanted.dedup();
    wanted.retain(|name| answer.headers.contains_key(name.as_str()) && !is_exposed(name));
    wanted
}
