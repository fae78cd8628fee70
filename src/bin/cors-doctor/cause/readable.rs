//! An answer that the page may read, and yet not what it asked for.

use http::{Method, Uri};
use tower_cors::{
    origin::RequestOrigin,
    test_util::{Credentials, Fetch},
};

use super::{code::Cause, finding::Finding, login::leads_to_login, misspelt::instead_of};
use crate::{browse::Asking, case::Case, exchange::Answer, lab::Lab};

pub(super) fn find(lab: &Lab<'_>, case: &Case, asking: &Asking, step: usize) -> Option<Finding> {
    let answer = lab.answer(step)?;
    if answer.is_ok() && answer.is_html() && case.request.speaks_json() {
        let last = &lab.steps[step].sent.url;
        let is_login = answer.has_password_field() || leads_to_login(&case.url, last);
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

/// The headers that are there, and that the script wants and cannot read.
fn hidden_headers(case: &Case, answer: &Answer) -> Vec<String> {
    const GRPC: [&str; 3] = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
    let mode = if case.request.credentials {
        Credentials::Include
    } else {
        Credentials::Omit
    };
    // What can be read depends on the credentials mode, and on nothing else of the request.
    let readable = Fetch::new(RequestOrigin::Opaque, Method::GET, Uri::from_static("/"))
        .credentials(mode)
        .readable_headers(&answer.headers);
    let of_grpc = if case.request.is_grpc_web() {
        &GRPC[..]
    } else {
        &[]
    };
    let mut wanted: Vec<String> = case.reads.clone();
    wanted.extend(of_grpc.iter().map(|name| (*name).to_owned()));
    wanted.dedup();
    wanted.retain(|name| answer.headers.contains_key(name) && !readable.contains_key(name));
    wanted
}
