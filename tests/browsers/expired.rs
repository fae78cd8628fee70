//! What a page reads once its token has expired: the 401 that tells it to get another one.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{Router, routing::get};
use http::header;
use serde_json::json;
use tower_cors::{
    CorsLayer, CorsLayerBuilder, OriginPolicy,
    preflight::IssuedIndex,
    time::Clock,
    token::{
        TokenOrigins, TokenOriginsBuilder,
        claim::{ListRules, OriginsClaim, OriginsFormat},
        issue::{AllowedOrigins, IssueRules, SigningKey, TokenMinter, TokenOrder},
        source::TokenSource,
        verify::jwt::{JwtAlgorithm, JwtVerifier},
    },
};

use crate::{
    browser::{FAILED, in_browser},
    engine::{Engine, in_each_engine},
    scene::Scene,
};

/// The time of an issuer three minutes ago, or the present, once it is let go.
#[derive(Clone, Debug, Default)]
struct Held(Arc<std::sync::atomic::AtomicBool>);

impl Held {
    fn let_go(&self) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for Held {
    fn now(&self) -> SystemTime {
        if self.0.load(std::sync::atomic::Ordering::SeqCst) {
            SystemTime::now()
        } else {
            SystemTime::now() - Duration::from_secs(180)
        }
    }
}

fn key() -> SigningKey {
    let pem = include_bytes!("../data/ed25519.pem");
    SigningKey::from_pem(pem, JwtAlgorithm::EdDsa, "1").unwrap()
}

/// A token that lists the page and has been over for two minutes.
fn expired(page: &str, index: &IssuedIndex, clock: &Held) -> String {
    let rules = IssueRules::new().entries(ListRules::new().http_loopback());
    let list = AllowedOrigins::parse_request(page, OriginsFormat::Single, &rules).unwrap();
    let minter = TokenMinter::builder(key(), "https://id.example", "chat")
        .clock(clock.clone())
        .index(index.clone())
        .build()
        .unwrap();
    let order = TokenOrder::new(list).lifetime(Duration::from_secs(60));
    let token = minter.mint(&order).unwrap();
    clock.let_go();
    token.as_str().to_owned()
}

fn tokens() -> TokenOriginsBuilder {
    let verifier = JwtVerifier::builder()
        .key(key().to_public())
        .audience("chat");
    TokenOrigins::builder()
        .verifier(verifier.build().unwrap())
        .claim(OriginsClaim::delimited("ao", ';'))
        .entries(ListRules::new().http_loopback())
}

async fn serve(layer: CorsLayerBuilder) -> Scene {
    let router = Router::new().route("/", get(async || "hello"));
    Scene::serve(router.layer(layer.build().unwrap())).await
}

in_each_engine! {
    a_page_reads_that_its_token_in_a_header_has_expired,
    a_page_reads_that_its_token_in_a_cookie_has_expired,
}

async fn a_page_reads_that_its_token_in_a_header_has_expired(engine: Engine) {
    let (page, other) = (Scene::blank().await, Scene::blank().await);
    let clock = Held::default();
    let index = IssuedIndex::with_clock(10, clock.clone());
    let token = expired(&page.url(""), &index, &clock);
    let policy = tokens().source(TokenSource::bearer()).build().unwrap();
    let layer = CorsLayer::builder()
        .origin_policy(policy.with_preflight(index))
        .allow_headers([header::AUTHORIZATION])
        .max_age(Duration::from_secs(600));
    let service = serve(layer).await;
    in_browser(engine, move |window| async move {
        let init = json!({ "headers": { "Authorization": format!("Bearer {token}") } });
        window.open(&page.url("/")).await;
        for times in 1..=2 {
            let answer = window.fetch(&service.url("/"), init.clone()).await;
            assert_eq!(answer["status"], 401);
            // No browser keeps what lets an expired token through.
            assert_eq!((service.preflights(), service.requests()), (times, times));
        }
        window.open(&other.url("/")).await;
        assert_eq!(window.fetch(&service.url("/"), init).await, FAILED);
        assert_eq!((service.preflights(), service.requests()), (3, 2));
    })
    .await;
}

async fn a_page_reads_that_its_token_in_a_cookie_has_expired(engine: Engine) {
    let page = Scene::blank().await;
    let clock = Held::default();
    let index = IssuedIndex::with_clock(10, clock.clone());
    let token = expired(&page.url(""), &index, &clock);
    let layer = |credentials| {
        let policy = tokens().source(TokenSource::cookie("session")).build();
        CorsLayer::builder()
            .origin_policy(policy.unwrap())
            .allow_credentials(credentials)
    };
    let service = serve(layer(true)).await;
    let without = serve(layer(false)).await;
    in_browser(engine, move |window| async move {
        window.open(&page.url("/")).await;
        // Cookies do not tell ports apart.
        let set = "document.cookie = `session=${args[0]}`; return 'set';";
        assert_eq!(window.run(set, vec![json!(token)]).await, "set");
        let init = json!({ "credentials": "include" });
        let answer = window.fetch(&service.url("/"), init.clone()).await;
        assert_eq!(answer["status"], 401);
        assert_eq!(window.fetch(&without.url("/"), init).await, FAILED);
    })
    .await;
}
