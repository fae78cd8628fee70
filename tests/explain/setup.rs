//! A set-up: a layer that can be built with a printed fix, and without one.

use tower_cors::{
    CorsLayer, CorsLayerBuilder, OriginSet,
    config::CorsConfig,
    routes::{MethodRule, MethodRules},
    trusted::{
        entry::{Actor, OriginDraft},
        store::{EmbeddedStore, OriginStore},
    },
};

use crate::{apply, block_on};

/// A change of the one rule of a route that a printed line is for.
pub(crate) type EditRule<'a> = &'a dyn Fn(MethodRule) -> MethodRule;

pub(crate) enum Setup {
    /// A configuration file.
    File(&'static str),
    /// A builder.
    Builder(fn() -> CorsLayerBuilder),
    /// A policy that reads an `OriginSet` with these entries.
    Set(fn(OriginSet) -> CorsLayerBuilder, &'static [&'static str]),
    /// The rules of a route.
    Routes(fn(EditRule<'_>) -> MethodRules),
    /// A registry with these entries.
    Registry(fn() -> Vec<OriginDraft>),
}

impl Setup {
    pub(crate) fn build(&self) -> CorsLayer {
        match self {
            Self::File(text) => config(text).into_builder().build().unwrap(),
            Self::Builder(builder) => builder().build().unwrap(),
            Self::Set(builder, entries) => {
                let set = OriginSet::parse(*entries).unwrap();
                builder(set).build().unwrap()
            }
            Self::Routes(rules) => rules(&|rule| rule).build().unwrap(),
            Self::Registry(drafts) => registry(&store(drafts())),
        }
    }

    /// The set-up with the lines that are printed for Rust.
    pub(crate) fn with_rust(&self, code: &str) -> CorsLayer {
        match self {
            Self::File(text) => {
                let builder = config(text).into_builder();
                apply::to_builder(builder, code, text).build().unwrap()
            }
            Self::Builder(builder) => apply::to_builder(builder(), code, "").build().unwrap(),
            Self::Set(builder, _) => builder(apply::origin_set(code)).build().unwrap(),
            Self::Routes(rules) if code.starts_with("OriginSet::parse(") => {
                let rule = MethodRule::trusted_only(apply::origin_set(code));
                rules(&|_| rule.clone()).build().unwrap()
            }
            Self::Routes(rules) if code.starts_with(".rule(") => {
                apply::to_rules(rules(&|rule| rule), code).build().unwrap()
            }
            Self::Routes(rules) => rules(&|rule| apply::to_rule(rule, code)).build().unwrap(),
            Self::Registry(drafts) => {
                let store = store(drafts());
                block_on(apply::to_store(&store, code));
                registry(&store)
            }
        }
    }

    /// The set-up with the lines that are printed for a file.
    pub(crate) fn with_toml(&self, lines: &str) -> CorsLayer {
        let base = match self {
            Self::File(text) => *text,
            // The lines are a whole configuration of origins for a program that has none in a file.
            _ => "",
        };
        let text = apply::to_file(base, lines);
        config(&text).into_builder().build().unwrap()
    }
}

fn config(text: &str) -> CorsConfig {
    toml::from_str(text).unwrap()
}

/// The ids of the entries are those of the first store: see `apply::to_store`.
pub(crate) fn store(drafts: Vec<OriginDraft>) -> EmbeddedStore {
    let store = EmbeddedStore::in_memory();
    for draft in drafts {
        block_on(store.create(draft, admin())).unwrap();
    }
    store
}

fn registry(store: &EmbeddedStore) -> CorsLayer {
    let builder = CorsLayer::builder().origin_policy(store.origins().clone());
    builder.build().unwrap()
}

pub(crate) fn admin() -> Actor {
    Actor::new("admin@example.com").unwrap()
}
