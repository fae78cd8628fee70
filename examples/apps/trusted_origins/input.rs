//! The input of the admin API, checked field by field. Errors name the field.

use axum::{
    RequestExt,
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{StatusCode, header::IF_MATCH, request::Parts},
};
use serde_json::{Map, Value};
use tower_cors::trusted::entry::{EntryId, OriginDraft, Scope, Scopes, Status, Version};

use crate::problem::Problem;

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 200;

/// Which entries are listed.
pub(crate) struct ListQuery {
    pub(crate) q: String,
    pub(crate) status: Option<Status>,
    pub(crate) scope: Option<Scope>,
    pub(crate) after: Option<EntryId>,
    pub(crate) limit: usize,
}

impl ListQuery {
    pub(crate) fn parse(query: &str) -> Result<Self, Problem> {
        let mut parsed = Self {
            q: String::new(),
            status: None,
            scope: None,
            after: None,
            limit: DEFAULT_LIMIT,
        };
        for (name, value) in form_urlencoded(query) {
            match &*name {
                "q" => parsed.q = value,
                "status" => parsed.status = Some(value.parse()?),
                "scope" => {
                    let scope = value.parse();
                    parsed.scope = Some(scope.map_err(|error| wrong("scope", error))?);
                }
                "after" => {
                    let after = value.parse();
                    parsed.after = Some(after.map_err(|_| wrong("after", "not an id"))?);
                }
                "limit" => match value.parse() {
                    Ok(limit @ 1..=MAX_LIMIT) => parsed.limit = limit,
                    _ => {
                        let cause = format!("write a number from 1 to {MAX_LIMIT}");
                        return Err(wrong("limit", cause));
                    }
                },
                // A filter with a slip of the pen would list everything.
                other => {
                    let cause = "write q, status, scope, after or limit";
                    return Err(wrong(&shortened(other), cause));
                }
            }
        }
        Ok(parsed)
    }
}

fn form_urlencoded(query: &str) -> Vec<(String, String)> {
    let mut url = reqwest::Url::parse("http://none.invalid").expect("it is a URL");
    url.set_query(Some(query));
    url.query_pairs().into_owned().collect()
}

/// The id in the path. A text that is not an id is answered like an unknown id.
pub(crate) struct Id(pub(crate) EntryId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = path.map_err(|_| Problem::not_found("?"))?;
        let parsed = id.parse();
        parsed
            .map(Self)
            .map_err(|_| Problem::not_found(&shortened(&id)))
    }
}

/// The version that an edit was made from, if it says so.
pub(crate) struct IfMatch(pub(crate) Option<Version>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(IF_MATCH) else {
            return Ok(Self(None));
        };
        let number = value.to_str().ok().and_then(|text| {
            let number = text.strip_prefix('"')?.strip_suffix('"')?;
            number.parse().ok()
        });
        match number {
            Some(number) => Ok(Self(Some(Version::new(number)))),
            None => Err(wrong(
                "If-Match",
                "write the ETag of the entry, as in \"7\"",
            )),
        }
    }
}

/// Fields that the store sets. Clients may send them back as they were read; they are ignored.
const READ_ONLY: [&str; 5] = [
    "version",
    "created",
    "created_by",
    "last_updated",
    "last_updated_by",
];

/// The content of an entry, in the body; the body's id is that of the path, if it has one.
pub(crate) struct Draft(pub(crate) OriginDraft);

impl<S: Send + Sync> FromRequest<S> for Draft {
    type Rejection = Problem;

    async fn from_request(mut request: Request, state: &S) -> Result<Self, Problem> {
        let id = request.extract_parts_with_state::<Id, S>(state).await;
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|error| Problem::malformed(error.status(), error.body_text()))?;
        parse_draft(&body, id.ok()).map(Self)
    }
}

fn parse_draft(body: &[u8], id: Option<Id>) -> Result<OriginDraft, Problem> {
    let malformed = |cause| Problem::malformed(StatusCode::BAD_REQUEST, cause);
    let mut fields: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| malformed(error.to_string()))?;
    let name = text("name", fields.remove("name"))?;
    let origin = text("origin", fields.remove("origin"))?;
    let scopes = match fields.remove("scopes") {
        Some(Value::Array(scopes)) => scopes
            .into_iter()
            .map(|scope| Ok(text("scopes", Some(scope))?.parse::<Scope>()?))
            .collect::<Result<Scopes, Problem>>()?,
        None => return Err(wrong("scopes", "this is missing")),
        Some(_) => return Err(wrong("scopes", "write a list of texts")),
    };
    let credentials = boolean("allow_credentials", &mut fields)?;
    let allows_insecure = boolean("dangerously_allow_insecure", &mut fields)?;
    let status = match fields.remove("status") {
        None => Status::default(),
        status => text("status", status)?.parse()?,
    };
    if let Some(sent) = fields.remove("id") {
        let id = id.map(|Id(id)| id.to_string());
        if text("id", Some(sent))? != id.unwrap_or_default() {
            return Err(wrong(
                "id",
                "an entry has the one of its path: leave it out",
            ));
        }
    }
    for field in READ_ONLY {
        fields.remove(field);
    }
    if let Some(other) = fields.keys().next() {
        let cause = "write name, origin, scopes, status, allow_credentials and \
                     dangerously_allow_insecure";
        return Err(wrong(&shortened(other), cause));
    }
    let draft = if allows_insecure {
        OriginDraft::dangerously_insecure(&name, &origin, scopes)?
    } else {
        OriginDraft::new(&name, &origin, scopes)?
    };
    Ok(draft.allow_credentials(credentials)?.with_status(status))
}

fn boolean(field: &str, fields: &mut Map<String, Value>) -> Result<bool, Problem> {
    match fields.remove(field) {
        None => Ok(false),
        Some(Value::Bool(value)) => Ok(value),
        Some(_) => Err(wrong(field, "write true or false")),
    }
}

fn text(field: &str, value: Option<Value>) -> Result<String, Problem> {
    match value {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(wrong(field, "write a text")),
        None => Err(wrong(field, "this is missing")),
    }
}

fn wrong(field: &str, cause: impl std::fmt::Display) -> Problem {
    Problem::field(StatusCode::BAD_REQUEST, field, format!("{field}: {cause}"))
}

/// The client's text, cut to a length that fits in an answer.
fn shortened(sent: &str) -> String {
    sent.chars().take(100).collect()
}
