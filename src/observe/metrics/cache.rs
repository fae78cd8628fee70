use std::borrow::Cow;

use metrics::{Counter, Unit, counter, describe_counter};

const LOOKUPS: &str = "tower_cors_cache_lookups_total";

/// Which memory is looked into.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CacheKind {
    #[cfg(feature = "token")]
    Token,
    #[cfg(feature = "token")]
    Introspection,
    UrlKey,
}

impl CacheKind {
    fn as_str(self) -> &'static str {
        match self {
            #[cfg(feature = "token")]
            Self::Token => "token",
            #[cfg(feature = "token")]
            Self::Introspection => "introspection",
            Self::UrlKey => "url_key",
        }
    }
}

/// How often a memory had the answer.
#[derive(Clone, Debug)]
pub(crate) struct CacheCounters {
    hits: Counter,
    misses: Counter,
}

impl CacheCounters {
    pub(crate) fn register(kind: CacheKind, name: Cow<'static, str>) -> Self {
        describe_counter!(
            LOOKUPS,
            Unit::Count,
            "Answers that were looked for in a policy's memory."
        );
        let counter = |result: &'static str| {
            counter!(
                LOOKUPS,
                "cache" => kind.as_str(),
                "name" => name.clone(),
                "result" => result,
            )
        };
        Self {
            hits: counter("hit"),
            misses: counter("miss"),
        }
    }

    pub(crate) fn count(&self, is_hit: bool) {
        if is_hit {
            self.hits.increment(1);
        } else {
            self.misses.increment(1);
        }
    }
}
