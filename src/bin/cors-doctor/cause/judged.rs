//! An answer that has Access-Control-Allow-Origin, judged as the browser does.

use super::{
    absent::{lost_headers, mixed_answers, proxy},
    code::Cause,
    finding::Finding,
    misspelt::instead_of,
    origins,
    questions::Questions,
};
use crate::{
    exchange::Answer,
    judge::{Credentials, Problem, Relation, Value, cors_check},
};

pub(super) async fn find(questions: &mut Questions<'_, '_>, problems: &[Problem]) -> Finding {
    let step = questions.step;
    match problems.first() {
        Some(Problem::AllowOrigin(text, value)) => allow_origin(questions, text, value).await,
        Some(problem) => {
            if is_missing(problem)
                && let Some(finding) = lost_on_the_way(questions).await
            {
                return finding;
            }
            let (cause, text) = of_problem(problem, questions.answer(), questions.is_preflight);
            Finding::new(cause, step, text)
        }
        None => Finding::new(Cause::Unknown, step, "the browser refuses the answer"),
    }
}

/// What would come up next in the same answer.
pub(super) fn next(
    questions: &Questions<'_, '_>,
    problems: &[Problem],
    finding: &Finding,
) -> Vec<Cause> {
    let answer = questions.answer();
    if answer.location().is_some() {
        return Vec::new();
    }
    let mut also: Vec<Cause> = Vec::new();
    for problem in problems.iter().skip(1) {
        // A server often answers an origin that it refuses with an error status. The status says
        // nothing more until the server lets the page in.
        if matches!(problem, Problem::Status(_)) && problems[0] == Problem::NoAllowOrigin {
            continue;
        }
        let (cause, _) = of_problem(problem, answer, questions.is_preflight);
        let is_known = |known: &Cause| known.code() == cause.code();
        if !is_known(&finding.cause) && !also.iter().any(is_known) {
            also.push(cause);
        }
    }
    also
}

async fn allow_origin(questions: &mut Questions<'_, '_>, text: &str, value: &Value) -> Finding {
    let step = questions.step;
    let says = format!("Access-Control-Allow-Origin: {text}");
    let found = |cause| Finding::new(cause, step, says.clone());
    match value {
        Value::Twice => return found(Cause::AllowOriginTwice(text.to_owned())),
        Value::List => return found(Cause::AllowOriginList(text.to_owned())),
        Value::Pattern => return found(Cause::AllowOriginPattern(text.to_owned())),
        Value::Invalid => return found(Cause::AllowOriginInvalid(text.to_owned())),
        Value::Spelled(spelling) => {
            return found(Cause::OriginSpelling(*spelling, text.to_owned()));
        }
        Value::Related(..) | Value::Other => {}
    }
    if questions.case.page.origin.is_null() {
        return found(Cause::OriginNull);
    }
    // Another page's origin: a cache may have kept that page's answer.
    let is_repeatable = questions.is_preflight || questions.is_get();
    if is_repeatable && let Some(finding) = mixed_answers(questions).await {
        return finding;
    }
    if let Some(finding) = proxy(questions).await {
        return finding;
    }
    if let Value::Related(relation, origin) = value {
        return found(Cause::of_relation(*relation, origin.clone()));
    }
    // A server that answers strangers with the first of its list may have the page's origin in
    // another spelling there.
    match origins::find(questions).await {
        Some(finding) => finding,
        None => found(Cause::OriginNotListed(Some(text.to_owned()))),
    }
}

/// Whether a header is not there at all, as where a proxy takes it out.
fn is_missing(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::AllowCredentials(Credentials::Absent)
            | Problem::MethodNotAllowed { listed: None, .. }
            | Problem::HeadersNotAllowed { listed: None, .. }
    )
}

async fn lost_on_the_way(questions: &mut Questions<'_, '_>) -> Option<Finding> {
    let upstream = questions.upstream().await?;
    let behind = questions.answer_of(upstream);
    let credentials = questions.case.request.credentials;
    let passes = cors_check(behind, &questions.asking.origin, credentials).is_empty();
    let lost = lost_headers(behind, questions.answer());
    (passes && !lost.is_empty()).then(|| {
        let text = format!("without {}", lost.join(", "));
        Finding::new(Cause::ProxyChangesHeaders(lost), questions.step, text).and(
            upstream,
            "asked directly, the server behind the proxy sends them",
        )
    })
}

fn of_problem(problem: &Problem, answer: &Answer, is_preflight: bool) -> (Cause, String) {
    let or_misspelt = |cause: Cause, right: &'static str| match instead_of(answer, right) {
        Some(wrong) => Cause::HeaderMisspelt { wrong, right },
        None => cause,
    };
    let absent = |name: &str| format!("there is no {name}");
    let says = |name: &str, value: &str| format!("{name}: {value}");
    let listed_or_absent = |name: &str, listed: &Option<String>| match listed {
        Some(value) => says(name, value),
        None => absent(name),
    };
    const CREDENTIALS: &str = "Access-Control-Allow-Credentials";
    const METHODS: &str = "Access-Control-Allow-Methods";
    const HEADERS: &str = "Access-Control-Allow-Headers";
    let not_allowed = Cause::CredentialsNotAllowed {
        on_preflight: is_preflight,
    };
    match problem.clone() {
        Problem::NoAllowOrigin => (Cause::Unknown, absent("Access-Control-Allow-Origin")),
        Problem::AllowOrigin(text, _) => (Cause::OriginNotListed(Some(text)), String::new()),
        Problem::WildcardOrigin => (
            Cause::WildcardWithCredentials,
            "Access-Control-Allow-Origin: *, and the page includes credentials".into(),
        ),
        Problem::AllowCredentials(Credentials::Absent) => {
            (or_misspelt(not_allowed, CREDENTIALS), absent(CREDENTIALS))
        }
        Problem::AllowCredentials(Credentials::False(value)) => {
            (not_allowed, says(CREDENTIALS, &value))
        }
        Problem::AllowCredentials(Credentials::Misspelt(value)) => (
            Cause::CredentialsSpelling(value.clone()),
            says(CREDENTIALS, &value),
        ),
        Problem::Status(status) => (
            Cause::PreflightStatus(status),
            format!("the preflight has the headers, and the status {status}"),
        ),
        Problem::MalformedList(header, value) => {
            let text = says(header, &value);
            (Cause::AllowListMalformed { header, value }, text)
        }
        Problem::WildcardMethods(method) => (
            Cause::WildcardMethodsWithCredentials(method),
            says(METHODS, "*"),
        ),
        Problem::MethodCase(page, listed) => {
            let text = format!("the page sends {page}, the list says {listed}");
            (Cause::MethodCase { page, listed }, text)
        }
        Problem::MethodNotAllowed { method, listed } => {
            let cause = or_misspelt(Cause::MethodNotAllowed(method), METHODS);
            (cause, listed_or_absent(METHODS, &listed))
        }
        Problem::WildcardHeaders(names) => (
            Cause::WildcardHeadersWithCredentials(names),
            says(HEADERS, "*"),
        ),
        Problem::AuthorizationUnderWildcard => {
            (Cause::AuthorizationUnderWildcard, says(HEADERS, "*"))
        }
        Problem::HeadersNotAllowed { names, listed } => {
            let cause = or_misspelt(Cause::HeaderNotAllowed(names), HEADERS);
            (cause, listed_or_absent(HEADERS, &listed))
        }
    }
}

impl Cause {
    fn of_relation(relation: Relation, found: String) -> Self {
        match relation {
            Relation::Scheme => Self::OriginScheme(found),
            Relation::Www => Self::OriginWww(found),
            Relation::Port => Self::OriginPort(found),
            Relation::Subdomain => Self::OriginSubdomain {
                found,
                every: false,
            },
            Relation::Loopback => Self::OriginLoopback(found),
        }
    }
}
