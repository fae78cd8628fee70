use std::{borrow::Cow, sync::Arc};

use super::listings::Listings;
use crate::lists::{AllowHeaders, AllowMethods};

/// What the layer or a policy knows about a denial beyond its kind. The text that names the fix is
/// written from it when somebody reads the denial, so a denial that nobody reads costs little.
#[derive(Clone, Debug)]
pub(crate) enum Hint {
    /// The rule of the method admits nobody.
    Closed,
    /// The request is a navigation or a form, whose answer no page reads.
    Navigation,
    /// No policy has answered a preflight, which cannot carry a token.
    UnansweredPreflight,
    /// Where the policy has looked the origin up.
    LookedUpIn(Listings),
    Methods(ListedMethods),
    Headers(ListedHeaders),
    /// A good token does not have the origin.
    #[cfg(feature = "token")]
    NotInToken(TokenList),
    /// The policy knows both by itself.
    Said(Arc<Said>),
}

/// A list of methods that lacks the requested one.
#[derive(Clone, Debug)]
pub(crate) struct ListedMethods {
    pub(crate) list: AllowMethods,
    /// How the requested method is spelt, if it is a known one in another case: no list takes it as
    /// it was sent.
    pub(crate) spelling: Option<&'static str>,
    /// Whether the methods are those of a route with a rule for each.
    pub(crate) by_method: bool,
    /// Whether the list is the grant's own.
    pub(crate) is_of_grant: bool,
}

/// A list of header names that lacks requested ones.
#[derive(Clone, Debug)]
pub(crate) struct ListedHeaders {
    pub(crate) list: AllowHeaders,
    /// In the order of the request, as they were sent.
    pub(crate) missing: Arc<[Box<str>]>,
    /// Those of them that no list takes, such as `cookie`.
    pub(crate) unlistable: Arc<[Box<str>]>,
    /// Whether the list is the grant's own.
    pub(crate) is_of_grant: bool,
}

/// The cause and the fix in a policy's own words.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) cause: Cow<'static, str>,
    pub(crate) fix: Cow<'static, str>,
    /// The fix as Rust code.
    pub(crate) code: Option<String>,
}

/// The list of origins in a token.
#[cfg(feature = "token")]
#[derive(Clone, Debug)]
pub(crate) struct TokenList {
    /// The claim, in quotes.
    pub(crate) claim: Arc<str>,
    pub(crate) is_readable: bool,
}
