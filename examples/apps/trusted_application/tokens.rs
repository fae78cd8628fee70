//! The tokens: which origins may be listed, how they are signed, and how they are taken back.

use std::time::{Duration, SystemTime};

use tower_cors::{
    preflight::IssuedIndex,
    revocation::Revocations,
    time::Clock,
    token::{
        claim::{ListRules, OriginsClaim, OriginsFormat},
        issue::{AllowedOrigins, IssueRules, MintedToken, Revocable, TokenMinter, TokenOrder},
        verify::jwt::JwtVerifier,
    },
};

use crate::{Error, key, policy::PREFIX, refusal::Refusal};

/// The claim that lists origins, with `;` between them.
pub(crate) const ORIGINS: &str = "ao";
/// The claim with what the customer's server calls the session.
pub(crate) const APPLICATION_SESSION: &str = "asi";
/// The claim with the session's name among those of all customers.
pub(crate) const SESSION: &str = "sid";
/// How many entries the index of issued tokens may have.
const MAX_ISSUED: usize = 100_000;
/// How many sessions may have ended early, before all are ended instead.
const MAX_REVOKED: usize = 10_000;
const MAX_ID_LEN: usize = 120;
const ISSUER: &str = "trusted-application";

pub(crate) struct Tokens {
    minter: TokenMinter,
    /// For those who want to see what comes of an expired token.
    late_minter: TokenMinter,
    verifier: Revocable<JwtVerifier>,
    issued: IssuedIndex,
    rules: IssueRules,
}

/// What a customer's server asks for.
pub(crate) struct Order<'a> {
    pub(crate) application: &'a str,
    pub(crate) session: &'a str,
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) allowed_origins: &'a str,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) expired: bool,
}

impl Tokens {
    /// With a key of their own, which takes a moment to make.
    pub(crate) fn new() -> Result<Self, Error> {
        let key = key::generate()?;
        let revocations = Revocations::builder(MAX_REVOKED)
            .session_claim(SESSION)
            .build();
        let issued = IssuedIndex::sharing(MAX_ISSUED, &revocations);
        let jwt = JwtVerifier::builder()
            .key(key.to_public())
            .issuer(ISSUER)
            .audience(ISSUER)
            .build()?;
        let minter = || {
            TokenMinter::builder(key.clone(), ISSUER, ISSUER)
                .claim(OriginsClaim::delimited(ORIGINS, ';'))
                .prefix(PREFIX)
                .revocations(revocations.clone())
        };
        Ok(Self {
            late_minter: minter()
                .clock(ThreeMinutesAgo)
                .lifetime(Duration::from_secs(60))
                .build()?,
            minter: minter().index(issued.clone()).build()?,
            verifier: Revocable::new(jwt, revocations.clone()),
            issued,
            // The demonstration's own pages are served without TLS.
            rules: IssueRules::new().entries(ListRules::new().http_loopback()),
        })
    }

    pub(crate) fn verifier(&self) -> &Revocable<JwtVerifier> {
        &self.verifier
    }

    /// The origins of all tokens that are still good, and what is revoked.
    pub(crate) fn issued(&self) -> &IssuedIndex {
        &self.issued
    }

    /// Makes a token that lists the origins ordered.
    pub(crate) fn mint(&self, order: &Order<'_>) -> Result<MintedToken, Refusal> {
        check_id("the application's id", order.application)?;
        check_id("applicationSessionId", order.session)?;
        let format = OriginsFormat::Delimited(';');
        let list = order.allowed_origins;
        let origins = AllowedOrigins::parse_request(list, format, &self.rules)
            .map_err(|error| Refusal::allowed_origins(list, &error))?;
        let session = session_id(order.application, order.session);
        let mut token = TokenOrder::new(origins)
            .session(session)
            .tenant(order.application)
            .claim(APPLICATION_SESSION, order.session)
            .claim("aeu", order.endpoint);
        if let Some(lifetime) = order.lifetime {
            token = token.lifetime(lifetime);
        }
        let minter = if order.expired {
            &self.late_minter
        } else {
            &self.minter
        };
        Ok(minter.mint(&token)?)
    }

    /// Ends a session: none of its tokens is good any more, nor will be.
    pub(crate) fn revoke(&self, application: &str, session: &str) -> Result<(), Refusal> {
        let session = session_id(application, session);
        let revocations = self.issued.revocations();
        revocations
            .revoke_session(&session)
            .map_err(|error| Refusal::bad_request(error.to_string()))
    }
}

fn check_id(what: &str, id: &str) -> Result<(), Refusal> {
    if (1..=MAX_ID_LEN).contains(&id.len()) {
        Ok(())
    } else {
        Err(Refusal::bad_request(format!(
            "{what} has 1 to {MAX_ID_LEN} bytes"
        )))
    }
}

fn session_id(application: &str, session: &str) -> String {
    format!("{application}/{session}")
}

/// The time of tokens that have expired, and not so long ago that nobody cares.
#[derive(Debug)]
struct ThreeMinutesAgo;

impl Clock for ThreeMinutesAgo {
    fn now(&self) -> SystemTime {
        SystemTime::now() - Duration::from_secs(180)
    }
}
