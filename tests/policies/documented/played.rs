//! The policies that documentation shows, word for word.

use std::{
    collections::HashMap,
    convert::Infallible,
    error::Error,
    io,
    sync::{Arc, RwLock},
};

use axum::body::Body;
use http::{
    Method, Request, Response,
    header::{AUTHORIZATION, HOST},
};
use tower::{Layer, service_fn, util::BoxCloneService};
use tower_cors::{
    CorsLayer, CorsRequest, DenialKind, DeniedRequests, Origin, OriginPolicy, OriginSet, Verdict,
    VerdictFuture,
    policy::{BearerOr, PolicyProperties, async_policy_fn},
    policy_fn,
    preflight::{DenyPreflights, IssuedIndex, Optimistic, UnionIndex, UrlKey},
    routes::MethodRule,
};

use super::{
    Documented,
    text::{Shown, shown},
};

#[path = "../../../examples/custom_policy.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "a program, of which its policy is tested"
)]
mod custom_policy;

type Documents = Result<Vec<Documented>, Box<dyn Error>>;

pub(super) fn all() -> Vec<Documented> {
    let mut all = closures().unwrap();
    all.extend(types().unwrap());
    all.extend(with_preflights().unwrap());
    all.extend(by_method().unwrap());
    #[cfg(all(feature = "axum", feature = "trusted"))]
    all.extend(registries().unwrap());
    #[cfg(feature = "jwt-rust-crypto")]
    all.push(in_a_token().unwrap());
    all
}

impl Documented {
    /// Behind a layer of its own, at `/` of `service.example`.
    pub(super) fn of(shown: Shown, layer: CorsLayer, names: &'static [&'static str]) -> Self {
        let hello = service_fn(async |_: Request<Body>| {
            Ok::<_, Infallible>(Response::new(Body::from("hello")))
        });
        Self {
            shown,
            service: BoxCloneService::new(layer.layer(hello)),
            names,
            path: "/",
            host: "service.example",
            headers: Vec::new(),
            method: "GET",
            passes_any_preflight: false,
        }
    }

    fn policy((shown, policy): (Shown, impl OriginPolicy), names: &'static [&'static str]) -> Self {
        let layer = CorsLayer::builder().origin_policy(policy).build().unwrap();
        Self::of(shown, layer, names)
    }

    #[cfg(all(feature = "axum", feature = "trusted"))]
    fn router(
        (shown, router): (Shown, axum::Router),
        method: &'static str,
        path: &'static str,
        names: &'static [&'static str],
    ) -> Self {
        let mut documented = Self::of(shown, CorsLayer::permissive(), names);
        documented.service = BoxCloneService::new(router);
        (documented.method, documented.path) = (method, path);
        documented
    }

    fn at(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    fn on(mut self, host: &'static str) -> Self {
        self.host = host;
        self
    }
}

const CUSTOMER: &[&str] = &["https://customer.example"];

fn closures() -> Documents {
    let readme = shown!("README.md", {
        async fn is_customer(origin: &Origin) -> io::Result<bool> {
            Ok(origin.as_str() == "https://shop.customer.example")
        }

        let customers = async_policy_fn(async |request| {
            let Some(origin) = request.origin().tuple() else {
                return DenialKind::OpaqueOrigin.into();
            };
            match is_customer(origin).await {
                Ok(is_customer) => Verdict::from(is_customer),
                Err(error) => DenialKind::Unavailable.because(error.to_string()).into(),
            }
        });
    } => customers);
    let waiting = shown!("src/policy/func.rs", {
        async fn is_customer(origin: &Origin) -> Result<bool, std::io::Error> {
            Ok(origin.as_str() == "https://customer.example")
        }

        let policy = async_policy_fn(async |request| {
            let Some(origin) = request.origin().tuple() else {
                return DenialKind::OpaqueOrigin.into();
            };
            match is_customer(origin).await {
                Ok(is_customer) => Verdict::from(is_customer),
                Err(error) => DenialKind::Unavailable.because(error.to_string()).into(),
            }
        });
    } => policy);
    let ready = shown!("src/policy/func.rs", {
        let customers = OriginSet::parse(["https://customer.example"])?;
        let policy = policy_fn(move |request| {
            request.origin().judge_by(|origin| customers.contains(origin))
        });
    } => policy);
    let previews = shown!("src/policy/func.rs", {
        let previews = policy_fn(|request| match request.origin().tuple() {
            Some(origin) if origin.as_str() == "https://preview.example" => Verdict::from(true),
            _ => Verdict::Abstain,
        });
    } => previews);
    let partners = shown!("src/guide/policies.md", {
        let partners = OriginSet::parse(["https://shop.example", "https://*.partner.example"])?;
        let policy = policy_fn(move |request| {
            request.origin().judge_by(|origin| partners.contains(origin))
        });
    } => policy);
    let migrated = shown!("src/guide/migrating.md", {
        let ours = OriginSet::parse(["https://*.example.com"])?;
        let policy = policy_fn(move |request| {
            request.origin().judge_by(|origin| ours.contains(origin))
        });
    } => policy);
    let in_a_body = shown!("src/guide/refusals.md", {
        let registered = UnionIndex::new(10_000);
        registered.set("client-7", ["https://shop.example".parse()?])?;
        let policy = policy_fn(move |request| {
            request.origin().judge_by(|origin| registered.contains(origin))
        });
    } => policy);
    let with_fallback = shown!("src/guide/policies.md", {
        let previews = policy_fn(|request| match request.origin().tuple() {
            Some(origin) if origin.as_str() == "https://preview.example" => Verdict::from(true),
            _ => Verdict::Abstain,
        });
        let policy = previews.fallback(OriginSet::parse(["https://app.example.com"])?);
    } => policy);
    let abstains = shown!("src/policy/origin_policy.rs", {
        let policy = policy_fn(|_| Verdict::Abstain)
            .fallback(OriginSet::parse(["https://example.com"]).unwrap());
    } => policy);
    let by_method = shown!("src/request/cors_request.rs", {
        let partners = OriginSet::parse(["https://partner.example"])?;
        let policy = policy_fn(move |request| {
            let reads = request.effective_method() == Method::GET;
            request.origin().judge_by(|origin| reads && partners.contains(origin))
        });
    } => policy);
    Ok(vec![
        Documented::policy(readme, &["https://shop.customer.example"]),
        Documented::policy(waiting, CUSTOMER),
        Documented::policy(ready, CUSTOMER),
        Documented::policy(previews, &["https://preview.example"]),
        Documented::policy(
            partners,
            &["https://shop.example", "https://*.partner.example"],
        ),
        Documented::policy(migrated, &["https://*.example.com"]),
        Documented::policy(in_a_body, &["https://shop.example"]),
        Documented::policy(
            with_fallback,
            &["https://preview.example", "https://app.example.com"],
        ),
        Documented::policy(abstains, &["https://example.com"]),
        Documented::policy(by_method, &["https://partner.example"]),
    ])
}

fn types() -> Documents {
    let intranet = shown!("src/policy/origin_policy.rs", {
        #[derive(Debug)]
        struct Intranet(Origin);

        impl OriginPolicy for Intranet {
            fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
                let verdict = request.origin().judge_by(|origin| *origin == self.0);
                verdict.into()
            }
        }

        let intranet = Intranet("https://intra.example".parse()?);
    } => intranet);
    let tenants = shown!("src/guide/policies.md", {
        async fn origins_of(tenant: &str) -> io::Result<OriginSet> {
            match tenant {
                "one.example" => OriginSet::parse(["https://shop.one.example"]).map_err(io::Error::other),
                _ => Ok(OriginSet::default()),
            }
        }

        #[derive(Debug, Default)]
        struct TenantOrigins(Arc<RwLock<HashMap<String, OriginSet>>>);

        impl OriginPolicy for TenantOrigins {
            fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
                let Some(tenant) = request.host() else {
                    return DenialKind::OriginNotAllowed.because("the request names no host, or several").into();
                };
                let origin = request.origin().clone();
                if let Some(origins) = self.0.read().expect("never poisoned").get(&*tenant) {
                    return origin.judge_by(|origin| origins.contains(origin)).into();
                }
                let (known, tenant) = (Arc::clone(&self.0), tenant.into_owned());
                VerdictFuture::try_new(async move {
                    let origins = origins_of(&tenant)
                        .await
                        .map_err(|error| DenialKind::Unavailable.because(error.to_string()))?;
                    let verdict = origin.judge_by(|origin| origins.contains(origin));
                    known.write().expect("never poisoned").insert(tenant, origins);
                    Ok(verdict)
                })
            }

            fn properties(&self) -> PolicyProperties {
                PolicyProperties::new().reads([HOST]).denied_requests(DeniedRequests::Refuse)
            }
        }
    } => TenantOrigins::default());
    let by_host = shown!("src/request/cors_request.rs", {
        #[derive(Debug)]
        struct OwnPage;

        impl OriginPolicy for OwnPage {
            fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {
                let Some(host) = request.host() else {
                    return DenialKind::OriginNotAllowed.because("the request names no host").into();
                };
                let page = host.strip_suffix(".api.example").map(|tenant| format!("https://{tenant}.example"));
                request.origin().judge_by(|origin| page.as_deref() == Some(origin.as_str())).into()
            }

            fn properties(&self) -> PolicyProperties {
                PolicyProperties::new().reads([HOST])
            }
        }
    } => OwnPage);
    let example = Shown::new(
        "examples/custom_policy.rs",
        "impl OriginPolicy for TenantOrigins {
            fn judge(&self, request: &CorsRequest<'_>) -> VerdictFuture {",
    );
    Ok(vec![
        Documented::policy(intranet, &["https://intra.example"]),
        Documented::policy(tenants, &["https://shop.one.example"]).on("one.example"),
        Documented::policy(by_host, &["https://contoso.example"]).on("contoso.api.example"),
        Documented::policy(
            (example, custom_policy::TenantOrigins::default()),
            &["https://*.contoso.example"],
        )
        .on("contoso.test"),
    ])
}

fn with_preflights() -> Documents {
    let by_key = shown!("src/preflight/keyed/url_key.rs", {
        let projects = HashMap::from([
            ("7", OriginSet::parse(["https://example.com"]).expect("one origin")),
        ]);
        let policy = UrlKey::new(
            |url| url.path().strip_prefix("/api/")?.split('/').next(),
            move |project| projects.get(project).cloned(),
        );
    } => policy);
    let by_application = shown!("src/policy/origin_policy.rs", {
        let token = OriginSet::parse(["https://contoso.com"]).expect("one origin");
        let issued = IssuedIndex::new(100_000);
        let by_application = UrlKey::new(
            |url| url.path().strip_prefix("/applications/")?.split('/').next(),
            |id| (id == "7").then(|| OriginSet::parse(["https://contoso.com"]).expect("one origin")),
        );
        let policy = token.with_preflight(by_application.fallback(issued));
        let cors = CorsLayer::builder()
            .origin_policy(policy)
            .denied_requests(DeniedRequests::Refuse)
            .build()?;
    } => cors);
    let bearer = shown!("src/policy/bearer_or.rs", {
        let trusted = OriginSet::parse(["https://admin.example.com"]).expect("one origin");
        let cors = CorsLayer::builder()
            .origin_policy(BearerOr::new(trusted))
            .allow_credentials(true)
            .allow_headers([AUTHORIZATION])
            .build()?;
    } => cors);
    let optimistic = shown!("src/preflight/optimistic.rs", {
        let policy = || {
            let list = OriginSet::parse(["https://example.com"]).expect("one origin");
            list.with_preflight(Optimistic::new())
        };
        let cors = CorsLayer::builder()
            .origin_policy(policy())
            .denied_requests(DeniedRequests::Refuse)
            .build()?;
    } => cors);
    let mut optimistic = Documented::of(optimistic.0, optimistic.1, &["https://example.com"]);
    optimistic.passes_any_preflight = true;
    // Its list lets pages read; their preflights fail on purpose.
    let denying = OriginSet::parse(["https://example.com"])?.with_preflight(DenyPreflights);
    let shown = Shown::new(
        "src/preflight/deny_preflights.rs",
        "list.with_preflight(DenyPreflights)",
    );
    let mut denying = Documented::policy((shown, denying), &["https://example.com"]);
    denying.passes_any_preflight = true;
    Ok(vec![
        Documented::policy(by_key, &["https://example.com"]).at("/api/7/things"),
        Documented::of(by_application.0, by_application.1, &["https://contoso.com"])
            .at("/applications/7/x"),
        Documented::of(bearer.0, bearer.1, &["https://admin.example.com"]),
        optimistic,
        denying,
    ])
}

fn by_method() -> Documents {
    let things = shown!("src/routes/method_rules.rs", {
        let trusted = OriginSet::parse(["https://admin.example.com"]).expect("one origin");
        let things: CorsLayer = CorsLayer::by_method()
            .rule([Method::GET, Method::HEAD], MethodRule::public_any_origin())
            .rule([Method::PUT], MethodRule::trusted_only(trusted).allow_credentials(true))
            .build()?;
    } => things);
    let sign_in = shown!("src/routes/rule.rs", {
        let sign_in = MethodRule::trusted_only(OriginSet::parse(["https://login.example.com"]).unwrap())
            .allow_headers(["content-type"])
            .allow_credentials(true);
    } => CorsLayer::by_method().rule([Method::POST], sign_in).build()?);
    let intranet = shown!("src/routes/rule.rs", {
        let intranet = OriginSet::parse(["http://intranet.example"]).expect("one origin");
        let trusted = MethodRule::trusted_only(intranet).allow_credentials(true);
    } => CorsLayer::by_method()
        .rule([Method::PUT], trusted.dangerously_allow_insecure_origins())
        .build()?);
    let mut things = Documented::of(things.0, things.1, &["https://admin.example.com"]);
    things.method = "PUT";
    let mut sign_in = Documented::of(sign_in.0, sign_in.1, &["https://login.example.com"]);
    sign_in.method = "POST";
    let mut intranet = Documented::of(intranet.0, intranet.1, &["http://intranet.example"]);
    intranet.method = "PUT";
    Ok(vec![things, sign_in, intranet])
}

/// A registry with one entry, of cookie callers.
#[cfg(all(feature = "axum", feature = "trusted"))]
fn registries() -> Documents {
    use axum::{Router, routing::MethodRouter};
    use tower_cors::{
        ConfigErrors,
        routes::MethodCorsRouter,
        trusted::{
            entry::{Actor, OriginDraft, Scope},
            registry::OriginRegistry,
            store::{EmbeddedStore, OriginStore},
        },
    };

    const ENTRY: &[&str] = &["https://app.example.com"];
    let store = EmbeddedStore::in_memory();
    let draft = OriginDraft::new("App", ENTRY[0], Scope::Cors)?;
    // The store in memory is ready at once.
    futures_util::FutureExt::now_or_never(store.create(draft, Actor::new("ann@example.com")?))
        .expect("ready")?;
    let registry = store.origins().clone();

    let readme = shown!("README.md", {
        fn app(registry: &OriginRegistry) -> Result<Router, ConfigErrors> {
            let account: MethodRouter = MethodCorsRouter::new()
                .get(read, MethodRule::trusted_or_bearer(registry.clone()))
                .put(write, MethodRule::trusted_only(registry.clone()).allow_headers(["content-type"]))
                .build()?;
            let metadata: MethodRouter = MethodCorsRouter::new()
                .get(read, MethodRule::public_any_origin())
                .build()?;
            Ok(Router::new().route("/account", account).route("/metadata", metadata))
        }

        async fn read() -> &'static str {
            "hello"
        }
        async fn write() {}
    } => app(&registry)?);
    let guide = shown!("src/guide/trusted_origins.md", {
        fn app(origins: &OriginRegistry) -> Result<Router, ConfigErrors> {
            let profile = MethodCorsRouter::new()
                .get(async || "profile", MethodRule::trusted_or_bearer(origins.clone()))
                .put(async || "saved", MethodRule::trusted_only(origins.clone()).allow_headers(["content-type"]))
                .delete(async || "gone", MethodRule::none())
                .build()?;
            let metadata = MethodCorsRouter::new()
                .get(async || "metadata", MethodRule::public_any_origin())
                .build()?;
            Ok(Router::new().route("/profile", profile).route("/metadata", metadata))
        }
    } => app(&registry)?);
    let router = shown!("src/routes/axum.rs", {
        async fn list() {}
        async fn replace() {}
        async fn purge() {}

        let origins = OriginSet::parse(["https://admin.example.com"]).expect("one origin");
        let trusted = MethodRule::trusted_only(origins).allow_credentials(true);
        let things = MethodCorsRouter::new()
            .get(list, MethodRule::public_any_origin())
            .put(replace, trusted.clone())
            .delete(purge, MethodRule::none())
            .build()?;
        let app: Router = Router::new().route("/things", things);
    } => app);
    let bearer = Shown::new(
        "src/trusted/registry/policy.rs",
        "BearerOr::new(store.origins().clone())",
    );
    let (readme_put, guide_put) = (
        (readme.0.clone(), readme.1.clone()),
        (guide.0.clone(), guide.1.clone()),
    );
    Ok(vec![
        Documented::router(readme, "GET", "/account", ENTRY),
        Documented::router(readme_put, "PUT", "/account", ENTRY),
        Documented::router(guide, "GET", "/profile", ENTRY),
        Documented::router(guide_put, "PUT", "/profile", ENTRY),
        Documented::router(router, "PUT", "/things", &["https://admin.example.com"]),
        Documented::policy((bearer, BearerOr::new(registry)), ENTRY),
    ])
}

/// README's token layer, asked with a token that lists two origins.
#[cfg(feature = "jwt-rust-crypto")]
fn in_a_token() -> Result<Documented, Box<dyn Error>> {
    use http::{HeaderValue, header};
    use tower_cors::token::{
        TokenOrigins,
        claim::OriginsClaim,
        source::TokenSource,
        verify::jwt::{JwtAlgorithm, JwtKey, JwtVerifier},
    };

    use crate::support::tokens::{LIST, RSA, RSA_PUBLIC, claims, sign};

    let readme = shown!("README.md", {
        fn cors(public_key_pem: &[u8]) -> Result<CorsLayer, Box<dyn std::error::Error>> {
            let key = JwtKey::from_pem(public_key_pem, JwtAlgorithm::Rs256)?.kid("2026-11");
            let verifier = JwtVerifier::builder()
                .key(key)
                .issuer("https://id.example")
                .audience("chat")
                .build()?;
            let tokens = TokenOrigins::builder()
                .verifier(verifier)
                .source(TokenSource::bearer())
                .claim(OriginsClaim::delimited("ao", ';'))
                .build()?;

            Ok(CorsLayer::builder()
                .origin_policy(tokens.with_preflight(Optimistic::new()))
                .allow_methods([Method::PUT])
                .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
                .build()?)
        }
    } => cors(RSA_PUBLIC)?);
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::RS256);
    header.kid = Some("2026-11".to_owned());
    let mut claims = claims(LIST);
    claims["iss"] = "https://id.example".into();
    claims["aud"] = "chat".into();
    let token = sign(&header, &claims, RSA);
    let names = &["https://contoso.com", "https://litware.com"];
    let mut documented = Documented::of(readme.0, readme.1, names);
    let bearer = HeaderValue::from_str(&format!("Bearer {token}"))?;
    documented.headers.push((AUTHORIZATION, bearer));
    documented.passes_any_preflight = true;
    Ok(documented)
}

/// The comparisons in the guide's table of mistakes.
pub(super) fn warned_of() -> Vec<Documented> {
    fn careless(code: &str, is_allowed: fn(&Origin) -> bool) -> Documented {
        let page = std::fs::read_to_string("src/guide/policies.md").unwrap();
        assert!(page.contains(code), "the guide no longer warns of {code}");
        let shown = Shown {
            file: "src/guide/policies.md",
            code: code.to_owned(),
        };
        let policy = policy_fn(move |request| request.origin().judge_by(is_allowed));
        Documented::policy((shown, policy), &["https://app.example.com"])
    }
    vec![
        careless("origin.host() == \"app.example.com\"", |origin| {
            origin.host() == "app.example.com"
        }),
        careless("text.starts_with(\"https://app.example.com\")", |origin| {
            origin.as_str().starts_with("https://app.example.com")
        }),
        careless("text.ends_with(\"example.com\")", |origin| {
            origin.as_str().ends_with("example.com")
        }),
        careless("text.contains(\"example.com\")", |origin| {
            origin.as_str().contains("example.com")
        }),
    ]
}
