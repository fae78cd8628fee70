//! Real policies, made from those of the model.

use std::{
    future::{pending, poll_fn},
    sync::Arc,
    task::Poll,
    time::{Duration, SystemTime},
};

use http::HeaderName;
use tower_cors::{
    Any, CorsRequest, Denial, DenialKind, Grant, OriginPolicy, OriginSet, VerdictFuture,
    lists::{AllowHeaders, AllowMethods, ExposeHeaders},
    policy::{BearerOr, PolicyProperties, Terms},
    preflight::{DenyPreflights, Optimistic},
    token::{
        MissingClaim, TokenOrigins, TokenVerifier, VerifiedToken,
        claim::{Claims, OriginsClaim},
        source::TokenSource,
        verify::{TokenRequest, VerifyError, VerifyFuture},
    },
    trusted::{
        entry::{Actor, OriginDraft, Scope, Scopes, Status},
        store::{EmbeddedStore, OriginStore},
    },
};

use super::{
    super::{
        config::Wait,
        policy::{Policy, Script, Verdict},
        registry::RegistryEntry,
        token::{Format, Token},
    },
    denied, list, now,
};

pub type Dynamic = Arc<dyn OriginPolicy>;

pub fn build_policy(policy: &Policy, wait: Wait) -> Result<Dynamic, String> {
    let build = |policy: &Policy| build_policy(policy, wait);
    let built: Dynamic = match policy {
        Policy::Any => Arc::new(Any),
        Policy::Set(entries) => {
            Arc::new(OriginSet::parse(entries).map_err(|error| error.to_string())?)
        }
        Policy::Script(script) => Arc::new(Scripted(script.clone())),
        Policy::Token(token) => Arc::new(build_token(token)),
        Policy::Registry(entries) => Arc::new(build_registry(entries)?.origins().clone()),
        Policy::BearerOr(cookies) => Arc::new(BearerOr::new(build(cookies)?)),
        Policy::Fallback(first, second) => {
            return Ok(Arc::new(OriginPolicy::fallback(
                build(first)?,
                build(second)?,
            )));
        }
        Policy::WithPreflight(actual, preflight) => {
            return Ok(Arc::new(build(actual)?.with_preflight(build(preflight)?)));
        }
        Policy::Optimistic => Arc::new(Optimistic::new()),
        Policy::DenyPreflights => Arc::new(DenyPreflights),
        Policy::List(_) | Policy::Constant(_) | Policy::Nobody => panic!("no policy by itself"),
    };
    Ok(match wait {
        Wait::Ready => built,
        Wait::Yields | Wait::Never => Arc::new(Waiting {
            policy: built,
            wait,
        }),
    })
}

/// A policy that answers like another, but later or never.
#[derive(Debug)]
struct Waiting {
    policy: Dynamic,
    wait: Wait,
}

impl Waiting {
    fn later(&self, verdict: VerdictFuture) -> VerdictFuture {
        if self.wait == Wait::Never {
            return VerdictFuture::new(pending());
        }
        VerdictFuture::new(async move {
            let mut is_again = false;
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut is_again, true) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            verdict.await
        })
    }
}

impl OriginPolicy for Waiting {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.later(self.policy.judge(request))
    }

    fn judge_preflight(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        self.later(self.policy.judge_preflight(request))
    }

    fn properties(&self) -> PolicyProperties {
        self.policy.properties()
    }
}

#[derive(Debug)]
struct Scripted(Script);

impl OriginPolicy for Scripted {
    fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
        let text = request
            .single_header(&http::header::ORIGIN)
            .unwrap_or_default();
        let own = self.0.verdicts.iter().find(|(origin, _)| *origin == text);
        match own.map_or(&self.0.otherwise, |(_, verdict)| verdict) {
            Verdict::Abstain => VerdictFuture::ready(tower_cors::Verdict::Abstain),
            Verdict::Allow(grant) => build_grant(grant).into(),
            Verdict::Deny(denial) => {
                let kind = kind_of(denial.kind);
                let real = match (denial.readable, denial.credentials) {
                    (false, _) => Denial::new(kind),
                    (true, None) => Denial::new(kind).readable(),
                    (true, Some(credentials)) => Denial::new(kind).readable_with(credentials),
                };
                real.into()
            }
        }
    }

    fn properties(&self) -> PolicyProperties {
        let script = &self.0;
        let reads = script
            .reads
            .iter()
            .map(|name| name.parse::<HeaderName>().unwrap());
        let mut properties = PolicyProperties::new()
            .reads(reads)
            .denied_requests(denied(script.refuse));
        if script.grants_any_origin {
            properties = properties.grants_any_origin();
        }
        if script.no_store {
            properties = properties.no_store();
        }
        if script.private {
            properties = properties.private_responses();
        }
        properties
    }
}

fn build_grant(grant: &super::super::policy::Grant) -> Grant {
    let mut built = if grant.any_origin {
        Grant::any_origin()
    } else {
        Grant::new()
    };
    if let Some(credentials) = grant.credentials {
        built = built.allow_credentials(credentials);
    }
    if let Some(cap) = grant.max_age_cap {
        built = built.max_age_at_most(Duration::from_secs(cap));
    }
    let mut terms = Terms::new();
    if let Some(methods) = &grant.methods {
        terms = terms.methods(AllowMethods::list(list(methods)).unwrap());
    }
    if let Some(headers) = &grant.headers {
        terms = terms.headers(AllowHeaders::list(list(headers)).unwrap());
    }
    if let Some(expose) = &grant.expose {
        terms = terms.expose(ExposeHeaders::list(list(expose)).unwrap());
    }
    if grant.methods.is_some() || grant.headers.is_some() || grant.expose.is_some() {
        built = built.terms(terms);
    }
    built
}

fn kind_of(name: &str) -> DenialKind {
    match name {
        "OriginNotAllowed" => DenialKind::OriginNotAllowed,
        "Unavailable" => DenialKind::Unavailable,
        "ExpiredToken" => DenialKind::ExpiredToken,
        other => panic!("no script says {other}"),
    }
}

pub fn build_claim(format: Format) -> OriginsClaim {
    match format {
        Format::Delimited(delimiter) => OriginsClaim::delimited("ao", delimiter),
        Format::Array => OriginsClaim::array("ao"),
        Format::Single => OriginsClaim::single("ao"),
    }
}

fn build_token(token: &Token) -> TokenOrigins {
    let claims = match &token.claim {
        Some(claim) => serde_json::json!({"ao": claim}),
        None => serde_json::json!({}),
    };
    let claims = Claims::parse(claims.to_string().as_bytes()).unwrap();
    let missing = if token.abstains {
        MissingClaim::Abstain
    } else {
        MissingClaim::Deny
    };
    let mut builder = TokenOrigins::builder()
        .verifier(Verifier(claims))
        .source(TokenSource::bearer())
        .claim(build_claim(token.format))
        .missing_claim(missing);
    if token.private {
        builder = builder.private_responses();
    }
    builder.build().unwrap()
}

/// Knows tokens by their texts.
#[derive(Debug)]
struct Verifier(Claims);

impl TokenVerifier for Verifier {
    fn verify(&self, token: &str, _: &TokenRequest<'_>) -> VerifyFuture {
        let verified = VerifiedToken::new(self.0.clone());
        let ago = |seconds| SystemTime::now() - Duration::from_secs(seconds);
        VerifyFuture::ready(match token {
            "good" => Ok(verified),
            "expired" => Err(VerifyError::Expired(verified.expires_at(ago(60)))),
            "lapsed" => Err(VerifyError::Expired(verified.expires_at(ago(86_400)))),
            "down" => Err(VerifyError::Unavailable("out of reach".into())),
            _ => Err(VerifyError::NotAuthentic("unknown")),
        })
    }
}

fn build_registry(entries: &[RegistryEntry]) -> Result<EmbeddedStore, String> {
    let store = EmbeddedStore::in_memory();
    for (i, entry) in entries.iter().enumerate() {
        let scopes = entry
            .scopes
            .iter()
            .map(|scope| scope.parse::<Scope>().unwrap());
        let scopes: Scopes = scopes.collect();
        let status = if entry.is_active {
            Status::Active
        } else {
            Status::Inactive
        };
        let name = format!("entry {i}");
        let draft = if entry.allows_insecure {
            OriginDraft::dangerously_insecure(&name, &entry.pattern, scopes)
        } else {
            OriginDraft::new(&name, &entry.pattern, scopes)
        };
        let draft = draft
            .and_then(|draft| draft.allow_credentials(entry.credentials))
            .map_err(|error| error.to_string())?
            .with_status(status);
        let created = now(store.create(draft, Actor::new("model").unwrap()));
        created.map_err(|error| error.to_string())?;
    }
    Ok(store)
}
