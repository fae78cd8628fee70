use http::{HeaderMap, Method, StatusCode, header::ORIGIN};

use super::{
    browser::{Answered, CredentialsMode, Reading},
    finding::Finding,
    notes::notes,
    of_denial, of_mode,
    taken_for::TakenFor,
};
use crate::{
    escaped::Quoted,
    origin::RequestOrigin,
    policy::{Decider, Denial},
    protocol::{Edit, Plan, Rules, ToAll, write},
    request::{Head, Preflight, SentOrigin, announced_method},
};

/// What a layer makes of a request: what it takes it for, who decides, what the answer will be, what
/// a browser does with it, and, where a page cannot do what it wants, the cause and the fix.
///
/// Made by [`CorsLayer::explain`](crate::CorsLayer::explain) from the layer's own decision. Printed,
/// it is for people, in lines of at most 80 columns (code that is to be pasted is never broken).
/// With the feature `serde` it can be serialised. It holds nothing of the request but its method, its
/// origin and the names of the headers that a preflight asks for; those are escaped.
///
/// ```
/// use http::{Request, header::ORIGIN};
/// use tower_cors::{CorsLayer, explain::CredentialsMode};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cors = CorsLayer::builder().allow_origins(["https://app.example.com"]).build()?;
/// let get = |origin| Request::get("/").header(ORIGIN, origin).body(());
///
/// let allowed = cors.explain(&get("https://app.example.com")?).await;
/// assert!(allowed.is_allowed() && allowed.finding().is_none());
/// assert_eq!(allowed.headers()["access-control-allow-origin"], "https://app.example.com");
/// // With cookies the page would not read it:
/// let finding = allowed.finding_for(CredentialsMode::Include).ok_or("blocked")?;
/// assert_eq!(finding.cause(), "the layer does not allow credentials");
///
/// let refused = cors.explain(&get("https://www.app.example.com")?).await;
/// let finding = refused.finding().ok_or("refused")?;
/// assert_eq!(
///     finding.cause(),
///     "the origin is not allowed; \"https://app.example.com\" is, without the www.",
/// );
/// assert_eq!(
///     finding.code().toml(),
///     Some("allow_origins = [\n    \"https://app.example.com\",\n    \"https://www.app.example.com\",\n]"),
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Explanation {
    taken_for: TakenFor,
    pub(super) method: Method,
    /// Escaped and in quotes.
    pub(super) origin: Option<String>,
    /// The method and the header names that a preflight asks for.
    pub(super) asked_for: Option<(Method, Vec<String>)>,
    decider: Option<Decider>,
    denial: Option<Denial>,
    status: Option<StatusCode>,
    headers: HeaderMap,
    by_mode: Vec<(CredentialsMode, Reading, Option<Finding>)>,
    finding: Option<Finding>,
    notes: Vec<&'static str>,
}

impl Explanation {
    /// Describes a plan that the protocol has made. `decider` is there if the policy was asked.
    pub(crate) fn new(
        head: &Head<'_>,
        rules: &Rules,
        plan: Plan,
        decider: Option<Decider>,
    ) -> Self {
        let (status, headers, denial) = written(plan, rules);
        let taken_for = TakenFor::of(head, denial.as_ref().map(Denial::kind));
        let preflight = match taken_for {
            TakenFor::Preflight => announced_method(head)
                .and_then(|method| Preflight::parse(method, head.headers).ok()),
            _ => None,
        };
        let sent = head.headers.get(ORIGIN);
        let answered = Answered {
            sent: sent.map_or(b"", |value| value.as_bytes()),
            status,
            headers: &headers,
            preflight: preflight.as_ref(),
        };
        let by_mode = CredentialsMode::ALL.map(|mode| {
            let block = answered.block(mode).filter(|_| taken_for.is_checked());
            let finding =
                block.and_then(|block| of_mode::finding(block, rules, answered.sent, &headers));
            let reading = match block {
                Some(block) => Reading::Blocked(block),
                None if taken_for.is_checked() => Reading::Allowed,
                None => Reading::NotChecked,
            };
            (mode, reading, finding)
        });
        let method = preflight.as_ref().map_or(head.method, Preflight::method);
        let finding = match &denial {
            Some(denial) => Some(of_denial::finding(denial, rules, method)),
            // Without a denial, the layer allows it; in every mode blocked, it helps nobody.
            None if by_mode.iter().all(|(_, _, finding)| finding.is_some()) => by_mode[0].2.clone(),
            None => None,
        };
        let reads = by_mode[1].1 == Reading::Allowed && denial.is_none();
        Self {
            taken_for,
            method: head.method.clone(),
            origin: sent.map(|sent| Quoted(sent.as_bytes()).to_string()),
            asked_for: preflight.as_ref().map(|preflight| {
                let names = preflight.headers().iter().map(str::to_owned);
                (preflight.method().clone(), names.collect())
            }),
            decider: deciding(head, rules, taken_for, decider),
            notes: notes(head, rules, reads),
            denial,
            status,
            headers,
            by_mode: by_mode.into(),
            finding,
        }
    }

    /// What the request was taken for, and by which rule: [`TakenFor::rule`].
    pub fn taken_for(&self) -> TakenFor {
        self.taken_for
    }

    /// Which policy decided, and by which entry or claim; `None` if nobody had to: the request is not
    /// a CORS request, or it is malformed.
    pub fn decider(&self) -> Option<&Decider> {
        self.decider.as_ref()
    }

    /// Whether the layer allows what the request, or the request after a preflight, is about, and a
    /// page without credentials gets through. Requests that CORS is not about are allowed.
    pub fn is_allowed(&self) -> bool {
        let is_blocked = self
            .by_mode
            .iter()
            .all(|(_, reading, _)| matches!(reading, Reading::Blocked(_)));
        self.denial.is_none() && !is_blocked
    }

    /// The denial, if the layer denies the request, or a part of what a preflight asks for.
    pub fn denial(&self) -> Option<&Denial> {
        self.denial.as_ref()
    }

    /// Whether the inner service is called.
    pub fn reaches_service(&self) -> bool {
        self.status.is_none()
    }

    /// The status of the layer's own answer; `None` if the inner service answers.
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The headers that the layer writes, into its own answer or into the inner service's. What the
    /// inner service adds to `Vary`, `Cache-Control` and `Access-Control-Expose-Headers` is not
    /// among them.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What a browser lets a page do that sends the request in this credentials mode.
    pub fn reading(&self, mode: CredentialsMode) -> Reading {
        let of_mode = self.by_mode.iter().find(|(own, ..)| *own == mode);
        of_mode.map_or(Reading::NotChecked, |(_, reading, _)| *reading)
    }

    /// Why the layer denies the request, or why no page can read its answer, and the fix.
    pub fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }

    /// The same for a page that sends the request in this credentials mode.
    pub fn finding_for(&self, mode: CredentialsMode) -> Option<&Finding> {
        let (_, reading, own) = self.by_mode.iter().find(|(own, ..)| *own == mode)?;
        match reading {
            Reading::Blocked(_) => own.as_ref().or(self.finding.as_ref()),
            Reading::Allowed | Reading::NotChecked => None,
        }
    }

    /// What to look at elsewhere, where this layer is not the cause.
    pub fn notes(&self) -> impl Iterator<Item = &'static str> {
        self.notes.iter().copied()
    }
}

/// The status of the layer's answer, the headers that it writes, and the denial.
fn written(plan: Plan, rules: &Rules) -> (Option<StatusCode>, HeaderMap, Option<Denial>) {
    let mut headers = HeaderMap::new();
    match plan {
        Plan::Forward(mut edit, _) => {
            write::edit(&mut edit, rules, &mut headers);
            let denial = match &mut edit {
                Edit::Full(edit) => edit.take_denial(),
                Edit::VaryOnly | Edit::RemoveCorsHeaders | Edit::Grant(_) => None,
            };
            (None, headers, denial)
        }
        Plan::Answer(answer) => {
            let written = write::answer(answer, rules, &mut headers);
            (Some(written.status), headers, written.record)
        }
    }
}

fn deciding(
    head: &Head<'_>,
    rules: &Rules,
    taken_for: TakenFor,
    decider: Option<Decider>,
) -> Option<Decider> {
    match &rules.to_all {
        Some(ToAll::Star) if rules.by_method => {
            return Some(Decider::new("MethodRule::public_any_origin"));
        }
        Some(ToAll::Star) => return Some(Decider::new("allow_origins").by("*")),
        Some(ToAll::Origin(origin)) => {
            let origin = String::from_utf8_lossy(origin.as_bytes());
            return Some(Decider::new("always_allow_origin").by(origin));
        }
        None => {}
    }
    // Of a plain list, the policy is not asked about origins that the list has.
    match (&rules.plain_list, taken_for) {
        (
            Some(list),
            TakenFor::Preflight | TakenFor::Simple | TakenFor::Preflighted | TakenFor::SameOrigin,
        ) => {
            let origin: RequestOrigin = SentOrigin::find(head.headers)?.parse().ok()?;
            Some(Decider::of_listing("allow_origins", list, &origin))
        }
        _ => decider,
    }
}
