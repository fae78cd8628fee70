//! The key that tokens are signed with, made when the process starts.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, LineEnding},
    rand_core::{OsRng, RngCore},
};
use tower_cors::token::{issue::SigningKey, verify::jwt::JwtAlgorithm};

use crate::Error;

/// The least that RFC 7518, section 3.3 allows.
const BITS: usize = 2048;

/// A fresh RSA key with a name of its own.
pub(crate) fn generate() -> Result<SigningKey, Error> {
    let key = RsaPrivateKey::new(&mut OsRng, BITS)?;
    let pem = key.to_pkcs8_pem(LineEnding::LF)?;
    let key = SigningKey::from_pem(pem.as_bytes(), JwtAlgorithm::Rs256, random_id())?;
    Ok(key)
}

/// A name that nobody can guess.
pub(crate) fn random_id() -> String {
    let mut bytes = [0; 16];
    OsRng.fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
