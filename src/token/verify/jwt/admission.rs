//! Which keys are taken. Every key comes through [`admit`], whatever its form.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    DecodingKey, DecodingKeyKind, crypto,
    jwk::{AlgorithmParameters, Jwk},
};

use super::{
    algorithm::{Family, JwtAlgorithm, RSA_BITS},
    backend,
    error::{JwtKeyError, JwtKeyFault},
};

/// Checks that a key fits its algorithm and that the backend can work with it.
///
/// A key is found out to be unusable here, when it is configured or fetched, and not with the first
/// token.
pub(crate) fn admit(key: DecodingKey, algorithm: JwtAlgorithm) -> Result<DecodingKey, JwtKeyError> {
    let key = match (algorithm.family(), key.kind()) {
        (Family::Rsa, _) => admit_rsa(&key)?,
        // The backend indexes into these without looking at their length first.
        (Family::P256, DecodingKeyKind::SecretOrDer(point)) if point.len() == 65 => key,
        (Family::P384, DecodingKeyKind::SecretOrDer(point)) if point.len() == 97 => key,
        (Family::Ed25519, DecodingKeyKind::SecretOrDer(point)) if point.len() == 32 => key,
        (Family::Secret, DecodingKeyKind::SecretOrDer(secret)) => {
            let least = algorithm.hash_len();
            if secret.len() < least {
                return Err(JwtKeyFault::ShortSecret(least).of(None));
            }
            key
        }
        _ => return Err(JwtKeyFault::NotOfAlgorithm.of(None)),
    };
    // Of the right length, so that the backend looks at the key and not only at the length.
    let signature = URL_SAFE_NO_PAD.encode(vec![1; signature_len(&key, algorithm)?]);
    let verify = || crypto::verify(&signature, b"probe", &key, algorithm.of_backend());
    match backend::guard(verify)? {
        // Whether the signature is right is not the question.
        Ok(_) => Ok(key),
        Err(_) => Err(JwtKeyFault::NotOfAlgorithm.of(None)),
    }
}

/// Checks modulus and exponent, and puts the key into the one form that the backend then parses,
/// so that PEM and JWK are held to the same bounds.
fn admit_rsa(key: &DecodingKey) -> Result<DecodingKey, JwtKeyError> {
    let (modulus, exponent) = match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => (n.clone(), e.clone()),
        DecodingKeyKind::SecretOrDer(_) => {
            let parsed = backend::guard(|| components(key))?;
            parsed.ok_or_else(|| rsa_der_fault(key).of(None))?
        }
    };
    let (modulus, exponent) = (trimmed(&modulus), trimmed(&exponent));
    check_rsa_size(modulus)?;
    match (exponent, exponent.last()) {
        ([0..=2], _) | (_, None) => return Err(JwtKeyFault::RsaExponent.of(None)),
        (_, Some(last)) if last % 2 == 0 => return Err(JwtKeyFault::RsaExponent.of(None)),
        _ => {}
    }
    let key = DecodingKey::from_rsa_der(&rsa_public_key(modulus, exponent));
    match backend::guard(|| components(&key))? {
        Some(_) => Ok(key),
        None => Err(JwtKeyFault::Backend.of(None)),
    }
}

fn check_rsa_size(modulus: &[u8]) -> Result<(), JwtKeyError> {
    let unused = modulus.first().map_or(0, |first| first.leading_zeros());
    let bits = modulus.len() * 8 - unused as usize;
    if RSA_BITS.contains(&bits) {
        Ok(())
    } else {
        Err(JwtKeyFault::RsaSize(bits).of(None))
    }
}

/// Why the backend does not parse an RSA key in DER.
fn rsa_der_fault(key: &DecodingKey) -> JwtKeyFault {
    let DecodingKeyKind::SecretOrDer(der) = key.kind() else {
        return JwtKeyFault::NotOfAlgorithm;
    };
    // RFC 8017, appendix A.1: a long SEQUENCE that begins with a long INTEGER is an `RSAPublicKey`.
    // The backend then understood its form, and refused its size.
    match der.as_slice() {
        [0x30, 0x82, _, _, 0x02, 0x82, ..] => JwtKeyFault::Backend,
        _ => JwtKeyFault::NotOfAlgorithm,
    }
}

/// Modulus and exponent, if the backend can read the key.
fn components(key: &DecodingKey) -> Option<(Vec<u8>, Vec<u8>)> {
    let jwk = Jwk::from_decoding_key(key, None).ok()?;
    let AlgorithmParameters::RSA(parameters) = jwk.algorithm else {
        return None;
    };
    let decode = |text: String| URL_SAFE_NO_PAD.decode(text).ok();
    Some((decode(parameters.n)?, decode(parameters.e)?))
}

fn signature_len(key: &DecodingKey, algorithm: JwtAlgorithm) -> Result<usize, JwtKeyError> {
    if algorithm.family() != Family::Rsa {
        return Ok(*algorithm.signature_lens().end());
    }
    let parsed = backend::guard(|| components(key))?;
    Ok(parsed.map_or(0, |(modulus, _)| trimmed(&modulus).len()))
}

/// A big-endian number without leading zeros.
fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}

/// An `RSAPublicKey` in DER (RFC 8017, appendix A.1.1).
fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let mut numbers = der_integer(modulus);
    numbers.extend(der_integer(exponent));
    der(0x30, &numbers)
}

fn der_integer(number: &[u8]) -> Vec<u8> {
    // The highest bit is the sign.
    let is_negative = number.first().is_some_and(|first| first & 0x80 != 0);
    let mut content = vec![0; usize::from(is_negative)];
    content.extend_from_slice(number);
    der(0x02, &content)
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![tag];
    let len = content.len();
    match u8::try_from(len) {
        Ok(len @ ..0x80) => encoded.push(len),
        _ => {
            let bytes = len.to_be_bytes();
            let bytes = trimmed(&bytes);
            encoded.push(0x80 | bytes.len() as u8);
            encoded.extend_from_slice(bytes);
        }
    }
    encoded.extend_from_slice(content);
    encoded
}
