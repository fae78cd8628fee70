use super::{
    allow_origin::Value,
    problem::{Credentials, Problem},
};
use crate::exchange::Answer;

/// The CORS check (<https://fetch.spec.whatwg.org/#cors-check>), which goes on after the first
/// problem to find those that would come up next.
pub(crate) fn cors_check(answer: &Answer, origin: &str, credentials: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    match answer.allow_origin() {
        None => problems.push(Problem::NoAllowOrigin),
        Some(value) if value == "*" && !credentials => return problems,
        Some(value) if value == "*" => problems.push(Problem::WildcardOrigin),
        Some(value) if value == origin => {}
        Some(_) => {
            problems.extend(
                Value::of(answer, origin).map(|(text, value)| Problem::AllowOrigin(text, value)),
            );
        }
    }
    // A server that refuses an origin leaves out the rest as well, which says nothing.
    if credentials && answer.allow_origin().is_some() {
        problems.extend(allow_credentials(answer).map(Problem::AllowCredentials));
    }
    problems
}

fn allow_credentials(answer: &Answer) -> Option<Credentials> {
    match answer.get("access-control-allow-credentials") {
        None => Some(Credentials::Absent),
        Some(value) if value == "true" => None,
        Some(value) if value.eq_ignore_ascii_case("false") => Some(Credentials::False(value)),
        Some(value) => Some(Credentials::Misspelt(value)),
    }
}
