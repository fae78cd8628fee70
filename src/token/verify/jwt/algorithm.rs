use std::ops::RangeInclusive;

use jsonwebtoken::Algorithm;

/// The signature algorithms that are understood ([RFC 7518, section 3.1], [RFC 8037]).
///
/// `none` is not among them. Tokens of the symmetric ones are verified only with a
/// [`JwtKey::dangerously_from_secret`](crate::token::verify::jwt::JwtKey::dangerously_from_secret).
///
/// [RFC 7518, section 3.1]: https://www.rfc-editor.org/rfc/rfc7518#section-3.1
/// [RFC 8037]: https://www.rfc-editor.org/rfc/rfc8037
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JwtAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519: `EdDSA` (RFC 8037), also by its name in RFC 9864, `Ed25519`.
    EdDsa,
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
}

/// RFC 7518, section 3.3: 2048 bits or more. A key of over 8192 costs more with each token than it
/// gains.
pub(crate) const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// What a key is made of; a key serves the algorithms of one family only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
    Secret,
}

impl JwtAlgorithm {
    const ALL: [Self; 12] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// The name in the `alg` header parameter; names are case-sensitive.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The algorithm of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        // RFC 9864, section 2.2: the name that says which curve.
        if name == "Ed25519" {
            return Some(Self::EdDsa);
        }
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    pub(crate) fn family(self) -> Family {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                Family::Rsa
            }
            Self::Es256 => Family::P256,
            Self::Es384 => Family::P384,
            Self::EdDsa => Family::Ed25519,
            Self::Hs256 | Self::Hs384 | Self::Hs512 => Family::Secret,
        }
    }

    /// The length of its hash, in bytes.
    pub(crate) fn hash_len(self) -> usize {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 | Self::Hs256 => 32,
            Self::Rs384 | Self::Ps384 | Self::Es384 | Self::Hs384 => 48,
            Self::Rs512 | Self::Ps512 | Self::Hs512 | Self::EdDsa => 64,
        }
    }

    /// How long its signatures can be in a token, in bytes (RFC 7518, sections 3.2 to 3.5). Those of
    /// RSA are as long as the key, which has [`RSA_BITS`].
    pub(crate) fn signature_lens(self) -> RangeInclusive<usize> {
        let len = match self.family() {
            Family::Rsa => return RSA_BITS.start() / 8..=RSA_BITS.end() / 8,
            Family::P256 | Family::P384 => 2 * self.hash_len(),
            Family::Ed25519 | Family::Secret => self.hash_len(),
        };
        len..=len
    }

    pub(crate) fn of_backend(self) -> Algorithm {
        match self {
            Self::Rs256 => Algorithm::RS256,
            Self::Rs384 => Algorithm::RS384,
            Self::Rs512 => Algorithm::RS512,
            Self::Ps256 => Algorithm::PS256,
            Self::Ps384 => Algorithm::PS384,
            Self::Ps512 => Algorithm::PS512,
            Self::Es256 => Algorithm::ES256,
            Self::Es384 => Algorithm::ES384,
            Self::EdDsa => Algorithm::EdDSA,
            Self::Hs256 => Algorithm::HS256,
            Self::Hs384 => Algorithm::HS384,
            Self::Hs512 => Algorithm::HS512,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_sensitive_and_none_is_none() {
        for algorithm in JwtAlgorithm::ALL {
            assert_eq!(JwtAlgorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(
            JwtAlgorithm::from_name("Ed25519"),
            Some(JwtAlgorithm::EdDsa)
        );
        for name in [
            "none", "None", "rs256", "", "ES512", "RS256 ", "Ed448", "ed25519",
        ] {
            assert_eq!(JwtAlgorithm::from_name(name), None, "{name}");
        }
    }
}
