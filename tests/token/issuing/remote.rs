//! Tokens whose signature comes from elsewhere.

use std::{fmt, future, panic::AssertUnwindSafe, pin::pin, sync::Mutex};

use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use tower_cors::token::issue::{RemoteMinter, SignFuture, Signer, SignerError};

use super::*;

type Sign = dyn Fn(Vec<u8>) -> SignFuture + Send + Sync;

/// A key-management service.
struct Service {
    algorithm: JwtAlgorithm,
    key_id: Option<&'static str>,
    sign: Box<Sign>,
}

impl Service {
    fn new(
        algorithm: JwtAlgorithm,
        sign: impl Fn(Vec<u8>) -> SignFuture + Send + Sync + 'static,
    ) -> Self {
        Self {
            algorithm,
            key_id: Some("2026-11"),
            sign: Box::new(sign),
        }
    }

    /// One that gives what `change` makes of a good signature; at once, or when it is polled again.
    fn changing(
        algorithm: JwtAlgorithm,
        waits: bool,
        change: fn(Vec<u8>) -> Result<Vec<u8>, SignerError>,
    ) -> Self {
        Self::new(algorithm, move |message| {
            let answer = change(signature(algorithm, &message));
            Box::pin(async move {
                if waits {
                    tokio::task::yield_now().await;
                }
                answer
            })
        })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

impl Signer for Service {
    fn algorithm(&self) -> JwtAlgorithm {
        self.algorithm
    }

    fn key_id(&self) -> Option<&str> {
        self.key_id
    }

    fn sign(&self, message: Vec<u8>) -> SignFuture {
        (self.sign)(message)
    }
}

/// As the service makes it of its key.
fn signature(algorithm: JwtAlgorithm, message: &[u8]) -> Vec<u8> {
    let (key, algorithm) = match algorithm.name() {
        "ES256" => (EncodingKey::from_ec_pem(P_256.as_bytes()), Algorithm::ES256),
        "ES384" => (EncodingKey::from_ec_pem(P_384.as_bytes()), Algorithm::ES384),
        "EdDSA" => (
            EncodingKey::from_ed_pem(ED25519.as_bytes()),
            Algorithm::EdDSA,
        ),
        "RS256" => (EncodingKey::from_rsa_pem(RSA.as_bytes()), Algorithm::RS256),
        "PS512" => (EncodingKey::from_rsa_pem(RSA.as_bytes()), Algorithm::PS512),
        "HS256" => (Ok(EncodingKey::from_secret(SECRET)), Algorithm::HS256),
        name => panic!("{name}"),
    };
    let encoded = crypto::sign(message, &key.unwrap(), algorithm).unwrap();
    URL_SAFE_NO_PAD.decode(encoded).unwrap()
}

const SECRET: &[u8] = b"a secret of the service, 32 bytes";

fn remote(signer: impl Signer) -> TokenMinterBuilder<Arc<dyn Signer>> {
    RemoteMinter::builder(signer, "https://id.example", "chat").prefix("psat=")
}

/// An `ECDSA-Sig-Value` (RFC 3279, section 2.2.3).
fn to_der(signature: Vec<u8>) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|&&byte| byte == 0).count();
        let sign = vec![0; usize::from(number[zeros] >= 0x80)];
        let content = [&sign, &number[zeros..]].concat();
        [&[0x02, content.len() as u8], &*content].concat()
    };
    let content = [integer(r), integer(s)].concat();
    [&[0x30, content.len() as u8], &*content].concat()
}

#[tokio::test]
async fn what_a_service_signs_is_read_like_what_a_key_signs() {
    use JwtAlgorithm as A;

    for algorithm in [A::Es256, A::Es384, A::Rs256, A::Ps512, A::EdDsa] {
        for waits in [false, true] {
            let what = format!("{algorithm:?} {waits}");
            let index = IssuedIndex::new(100);
            let signer = Service::changing(algorithm, waits, Ok);
            let minter = remote(signer).index(index.clone()).build().unwrap();
            let order = order().session("7").claim("asi", "session-7");
            let token = minter.mint(&order).await.unwrap();

            let key = key(algorithm);
            let policy = TokenOrigins::builder()
                .verifier(Revocable::new(verifier(&key), index.clone()))
                .source(TokenSource::bearer().prefix("psat="))
                .claim(OriginsClaim::delimited("ao", ';'))
                .build()
                .unwrap();
            let layer = layer(policy.with_preflight(index.clone()));
            for page in [PAGE, OTHER] {
                let outcome = send(&layer, preflight("/", page)).await;
                assert_eq!(outcome.status, 204, "{what}");
                let outcome = send(&layer, actual("/", page, Some(&token))).await;
                assert_eq!(outcome, granted(page, "session-7"), "{what}");
            }
            let not_listed = refused(403, DenialKind::OriginNotAllowed);
            let outcome = send(&layer, actual("/", EVIL, Some(&token))).await;
            assert_eq!(outcome, not_listed, "{what}");

            // A key of another algorithm does not take it.
            let other = if algorithm == A::EdDsa {
                A::Es256
            } else {
                A::EdDsa
            };
            let by_other = self::layer(in_header(&self::key(other)));
            let outcome = send(&by_other, actual("/", PAGE, Some(&token))).await;
            assert_eq!(outcome, refused(401, DenialKind::InvalidToken), "{what}");

            index.revoke_session("7").unwrap();
            let outcome = send(&layer, actual("/", PAGE, Some(&token))).await;
            assert_eq!(outcome, refused(401, DenialKind::InvalidToken), "{what}");
            let outcome = send(&layer, preflight("/", PAGE)).await;
            assert_eq!(outcome, not_listed, "{what}");
            assert_eq!(minter.mint(&order).await.unwrap_err(), MintError::Revoked);
        }
    }
}

#[tokio::test]
async fn a_token_says_the_same_whoever_signs_it() {
    let signer = || Service::changing(JwtAlgorithm::EdDsa, false, Ok);
    let stopped = || Stopped(at(NOW));
    let minter = remote(signer()).clock(stopped()).build().unwrap();
    let order = order().session("7").claim("asi", "session-7");
    let (header, claims) = decoded(&minter.mint(&order).await.unwrap());
    let local = builder().clock(stopped()).build().unwrap();
    let (local_header, mut local_claims) = decoded(&local.mint(&order).unwrap());
    assert_eq!(header, local_header);
    local_claims["jti"] = claims["jti"].clone();
    assert_eq!(claims, local_claims);

    // A key without a name is for verifiers that have one key.
    let mut unnamed = signer();
    unnamed.key_id = None;
    let token = remote(unnamed).build().unwrap().mint(&order).await.unwrap();
    assert_eq!(decoded(&token).0, json!({"typ": "JWT", "alg": "EdDSA"}));
    let token = remote(Unnamed(signer()))
        .build()
        .unwrap()
        .mint(&order)
        .await
        .unwrap();
    assert_eq!(decoded(&token).0, json!({"typ": "JWT", "alg": "EdDSA"}));
    let mut misnamed = signer();
    misnamed.key_id = Some("");
    let mistakes: Vec<_> = RemoteMinter::builder(misnamed, "", "chat")
        .build()
        .unwrap_err()
        .into_iter()
        .collect();
    assert_eq!(
        mistakes,
        [MinterConfigError::KeyId, MinterConfigError::Issuer]
    );
}

/// A service that says nothing of a name.
#[derive(Debug)]
struct Unnamed(Service);

impl Signer for Unnamed {
    fn algorithm(&self) -> JwtAlgorithm {
        self.0.algorithm()
    }

    fn sign(&self, message: Vec<u8>) -> SignFuture {
        self.0.sign(message)
    }
}

/// The verifier needs the secret, and says so by its name.
#[tokio::test]
async fn hmac_needs_nothing_of_its_own() {
    let signer = Service::changing(JwtAlgorithm::Hs256, false, Ok);
    let token = remote(signer)
        .build()
        .unwrap()
        .mint(&order())
        .await
        .unwrap();
    let key = tower_cors::token::verify::jwt::JwtKey::dangerously_from_secret(
        SECRET,
        JwtAlgorithm::Hs256,
    );
    let verifier = JwtVerifier::builder()
        .key(key.unwrap().kid("2026-11"))
        .issuer("https://id.example")
        .audience("chat")
        .build()
        .unwrap();
    let request = Request::new(());
    let request = TokenRequest::from(&request);
    assert!(verifier.verify(token.jwt(), &request).await.is_ok());
    let (message, signature) = token.jwt().rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{message}.{other}{}", &signature[1..]);
    let outcome = verifier.verify(&forged, &request).await;
    assert!(
        matches!(outcome, Err(VerifyError::NotAuthentic(_))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn what_is_no_signature_is_refused_with_what_was_found() {
    use JwtAlgorithm as A;

    type Change = fn(Vec<u8>) -> Result<Vec<u8>, SignerError>;

    let empty: Change = |_| Ok(Vec::new());
    let short: Change = |signature| Ok(signature[1..].to_vec());
    let long: Change = |signature| Ok([&*signature, b"\n"].concat());
    let text: Change = |signature| Ok(URL_SAFE_NO_PAD.encode(signature).into_bytes());
    let huge: Change = |_| Ok(vec![1; 1025]);
    let length = |algorithm, found| MintError::SignatureLength { algorithm, found };
    for (algorithm, change, expected) in [
        (A::Es256, empty, length(A::Es256, 0)),
        (A::Es256, short, length(A::Es256, 63)),
        (A::Es256, long, length(A::Es256, 65)),
        (A::Es256, text, length(A::Es256, 86)),
        (A::Es384, short, length(A::Es384, 95)),
        (A::EdDsa, empty, length(A::EdDsa, 0)),
        (A::EdDsa, text, length(A::EdDsa, 86)),
        (A::Rs256, empty, length(A::Rs256, 0)),
        (A::Rs256, short, length(A::Rs256, 255)),
        (A::Ps512, huge, length(A::Ps512, 1025)),
        (A::Hs256, short, length(A::Hs256, 31)),
    ] {
        for waits in [false, true] {
            let index = IssuedIndex::new(100);
            let signer = Service::changing(algorithm, waits, change);
            let minter = remote(signer).index(index.clone()).build().unwrap();
            let error = minter.mint(&order()).await.unwrap_err();
            assert_eq!(error, expected);
            assert!(index.is_empty(), "{error}");
        }
    }
    for (error, expected) in [
        (
            length(A::Es256, 86),
            "the signer gave 86 bytes, and a signature of ES256 has 64 bytes: give it in binary, and \
             nothing else",
        ),
        (
            length(A::Rs256, 0),
            "the signer gave 0 bytes, and a signature of RS256 has 256 to 1024 bytes: give it in \
             binary, and nothing else",
        ),
    ] {
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn der_is_told_from_other_lengths() {
    use JwtAlgorithm as A;

    for (algorithm, lens, own) in [(A::Es256, 68..=72, 64), (A::Es384, 100..=104, 96)] {
        let signer = Service::changing(algorithm, true, |signature| Ok(to_der(signature)));
        let minter = remote(signer).build().unwrap();
        let error = minter.mint(&order()).await.unwrap_err();
        let MintError::DerSignature {
            algorithm: of,
            found,
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!(of, algorithm);
        assert!(lens.contains(&found), "{found}");
        let expected = format!(
            "the signer gave {found} bytes of DER: give the {own} bytes of R || S (RFC 7518, section \
             3.4)"
        );
        assert_eq!(error.to_string(), expected);
    }
    // The other algorithms know no DER.
    let der = |_| Ok([&[0x30, 68][..], &[2; 68]].concat());
    let minter = remote(Service::changing(A::EdDsa, false, der))
        .build()
        .unwrap();
    let error = minter.mint(&order()).await.unwrap_err();
    let expected = MintError::SignatureLength {
        algorithm: A::EdDsa,
        found: 70,
    };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_signer_that_fails_leaves_nothing_behind() {
    let index = IssuedIndex::new(100);
    let failing = |_: Vec<u8>| {
        Err(SignerError::new(format!(
            "denied\r\n\u{1b}[31m\"{}\"",
            "é".repeat(10_000)
        )))
    };
    for waits in [false, true] {
        let signer = Service::changing(JwtAlgorithm::Es256, waits, failing);
        let minter = remote(signer).index(index.clone()).build().unwrap();
        let error = minter.mint(&order()).await.unwrap_err();
        assert!(matches!(error, MintError::Signer(_)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.starts_with("the signer failed: \"denied\\r\\n\\u{1b}[31m\\\"éé"),
            "{text}"
        );
        assert!(
            text.ends_with("éé\"..") && text.len() < 250,
            "{}",
            text.len()
        );
        assert!(index.is_empty());
    }

    // Whether it panics when it is called or while it is awaited.
    let at_once = Service::new(JwtAlgorithm::Es256, |_| panic!("of the application"));
    let later = Service::new(JwtAlgorithm::Es256, |_| {
        Box::pin(async { panic!("of the application") })
    });
    for signer in [at_once, later] {
        let minter = remote(signer).index(index.clone()).build().unwrap();
        let outcome = AssertUnwindSafe(minter.mint(&order())).catch_unwind().await;
        assert!(outcome.is_err());
        assert!(index.is_empty());
    }
    // The index is as good as before.
    let signer = Service::changing(JwtAlgorithm::Es256, true, Ok);
    let minter = remote(signer).index(index.clone()).build().unwrap();
    minter.mint(&order()).await.unwrap();
    assert!(index.contains(&PAGE.parse::<Origin>().unwrap()));
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_nothing_behind() {
    let index = IssuedIndex::new(100);
    let is_gone = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&is_gone);
    let silent = Service::new(JwtAlgorithm::Es256, move |_| {
        struct Guard(Arc<AtomicBool>);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let guard = Guard(Arc::clone(&gone));
        Box::pin(async move {
            let _guard = guard;
            future::pending().await
        })
    });
    let minter = remote(silent).index(index.clone()).build().unwrap();
    let order = order();
    // Nothing happens before it is polled.
    drop(minter.mint(&order));
    assert!(!is_gone.load(Ordering::SeqCst));
    // The limit of time is the caller's.
    let limit = Duration::from_millis(20);
    let outcome = tokio::time::timeout(limit, minter.mint(&order)).await;
    assert!(outcome.is_err());
    assert!(is_gone.load(Ordering::SeqCst));
    assert!(index.is_empty());
    assert!(!index.contains(&PAGE.parse::<Origin>().unwrap()));
}

/// It is registered as late as a token of a local minter: after it is signed, before it is handed out.
#[tokio::test]
async fn a_token_is_registered_once_it_is_signed() {
    let index = IssuedIndex::new(100);
    let signer = Service::changing(JwtAlgorithm::Es256, true, Ok);
    let minter = remote(signer).index(index.clone()).build().unwrap();
    let order = order();
    let mut minting = pin!(minter.mint(&order));
    assert!(minting.as_mut().now_or_never().is_none());
    assert!(index.is_empty());
    let token = minting.await.unwrap();
    assert_eq!(index.len(), 3);
    index.revoke(token.id()).unwrap();
    assert!(!index.contains(&PAGE.parse::<Origin>().unwrap()));
}

/// The service may take long, and what is revoked meanwhile must not come into the world after it.
#[tokio::test]
async fn what_is_revoked_while_it_is_signed_is_not_handed_out() {
    type Revoke = fn(&Revocations);

    let session: Revoke = |revocations| revocations.revoke_session("7").unwrap();
    let all: Revoke = |revocations| revocations.revoke_issued_until(SystemTime::now());
    for (revoke, session) in [(session, Some("7")), (all, Some("7")), (all, None)] {
        for has_index in [false, true] {
            let revocations = Revocations::new(100);
            let index = IssuedIndex::sharing(100, &revocations);
            let during = revocations.clone();
            let signer = Service::new(JwtAlgorithm::Es256, move |message| {
                let during = during.clone();
                Box::pin(async move {
                    tokio::task::yield_now().await;
                    revoke(&during);
                    Ok(signature(JwtAlgorithm::Es256, &message))
                })
            });
            let minter = remote(signer).revocations(revocations.clone());
            let minter = if has_index {
                minter.index(index.clone())
            } else {
                minter
            };
            let order = match session {
                Some(session) => order().session(session),
                None => order(),
            };
            let error = minter.build().unwrap().mint(&order).await.unwrap_err();
            assert_eq!(error, MintError::Revoked, "{has_index} {session:?}");
            assert!(index.is_empty());
        }
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_filled_does_not_reach_the_signer() {
    let index = IssuedIndex::new(100);
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let signer = Service::new(JwtAlgorithm::Es256, move |message| {
        counted.fetch_add(1, Ordering::SeqCst);
        assert!(message.len() < TokenMinter::MAX_TOKEN_LEN);
        Box::pin(future::ready(Ok(signature(JwtAlgorithm::Es256, &message))))
    });
    let signer = Arc::new(signer);
    let minter = remote(Arc::clone(&signer))
        .index(index.clone())
        .build()
        .unwrap();
    let rules = IssueRules::new().entries(ListRules::new().wildcards());
    let wild = AllowedOrigins::parse_request("https://*.contoso.com", SEMICOLONS, &rules).unwrap();
    let of = |len| order().claim("x", "y".repeat(len));
    for (order, expected) in [
        (TokenOrder::new(wild), MintError::Wildcard),
        (
            order().claim("exp", 1),
            MintError::ReservedClaim("exp".to_owned()),
        ),
        (of(TokenMinter::MAX_TOKEN_LEN), MintError::TooLong),
    ] {
        assert_eq!(minter.mint(&order).await.unwrap_err(), expected);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    // Here the signature alone makes it too long.
    let minter = remote(signer).build().unwrap();
    let mut tries = 0;
    for len in (5_000..).step_by(16) {
        tries += 1;
        match minter.mint(&of(len)).await {
            Ok(token) => assert!(token.as_str().len() <= TokenMinter::MAX_TOKEN_LEN),
            Err(error) => {
                assert_eq!(error, MintError::TooLong);
                break;
            }
        }
    }
    assert_eq!(calls.load(Ordering::SeqCst), tries);
}

#[tokio::test]
async fn a_remote_minter_prints_no_secret_and_goes_to_other_threads() {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&log);
    let signer: Arc<dyn Signer> = Arc::new(Service::new(JwtAlgorithm::Es256, move |message| {
        let text = String::from_utf8(message.clone()).unwrap();
        seen.lock().unwrap().push(text);
        Box::pin(future::ready(Ok(signature(JwtAlgorithm::Es256, &message))))
    }));
    let builder = remote(Arc::clone(&signer));
    let printed = format!("{builder:?}");
    let minter = builder.build().unwrap();
    let spawned = minter.clone();
    let order = order().session("of-a-person");
    let token = tokio::spawn(async move { spawned.mint(&order).await });
    let token = token.await.unwrap().unwrap();
    let printed = format!("{printed} {minter:?} {token:?}");
    assert!(
        printed.contains("https://id.example") && printed.contains("Service"),
        "{printed}"
    );
    let message = log.lock().unwrap()[0].clone();
    let signed = token.jwt().strip_prefix(&*message).unwrap();
    assert_eq!(signed.len(), 1 + 86);
    for secret in [token.as_str(), token.jwt(), &message, signed, "of-a-person"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
