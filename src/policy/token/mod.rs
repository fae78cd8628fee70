//! Origins carried by a token: where it travels, who verifies it, and what it says.

mod authenticate;
mod builder;
mod cache;
mod claims;
mod entry;
mod fetch;
mod flights;
mod introspection;
mod issue;
mod judgement;
#[cfg(feature = "jwt")]
pub(crate) mod jwt;
mod origins_claim;
mod policy;
mod presets;
mod reading;
mod redacted_uri;
#[cfg(feature = "reqwest")]
mod reqwest;
mod source;
mod token_key;
mod verifier;

use super::{Clock, SystemClock};

#[cfg(feature = "jwt")]
pub use self::issue::{
    MintError, MintedToken, MinterConfigError, SigningKey, TokenMinter, TokenMinterBuilder,
    TokenOrder,
};
#[cfg(feature = "jwt")]
pub use self::jwt::{
    JwkSet, JwkSetError, JwksConfigError, JwksStatus, JwksVerifier, JwksVerifierBuilder,
    JwtAlgorithm, JwtError, JwtKey, JwtKeys, JwtVerifier, JwtVerifierBuilder,
};
#[cfg(feature = "reqwest")]
pub use self::reqwest::{
    ClientAuth, EndpointError, ReqwestIntrospectionClient, ReqwestKeySetFetcher,
};
pub use self::{
    builder::{TokenConfigError, TokenConfigErrors, TokenOriginsBuilder},
    claims::{Claims, ClaimsError},
    entry::{EntryErrorKind, EntryRules},
    fetch::{FetchError, FetchFuture, KeySetFetcher},
    introspection::{
        IntrospectionClient, IntrospectionConfigError, IntrospectionError, IntrospectionRequest,
        IntrospectionResponse, IntrospectionVerifier, IntrospectionVerifierBuilder,
    },
    issue::{
        AllowedOrigins, FormatError, IssueRules, OriginsFormat, RequestedEntryError,
        RequestedEntryErrorKind, RequestedOriginsError, Revocable,
    },
    origins_claim::OriginsClaim,
    policy::{MissingClaim, TokenOrigins},
    redacted_uri::RedactedUri,
    source::{CookieSource, HeaderSource, QuerySource, TokenSource, VerifiedOrigins},
    verifier::{TokenVerifier, VerifiedToken, VerifyError, VerifyFuture, VerifyResult},
};
