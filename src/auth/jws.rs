//! Signed tokens in the compact form of RFC 7515: reading and verifying. The crate `jsonwebtoken` is not used: its version
//! 12 has no backend for `ring`, which is linked for TLS, and a backend of one's own is global state of the process.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// A token that was read and not verified: nothing that it says is true yet.
pub(super) struct Token<'a> {
    pub(super) header: Header,
    pub(super) claims: Map<String, Value>,
    /// The header and the claims as they were signed.
    message: &'a str,
    signature: Vec<u8>,
}

/// The part of the header that is used. Where it tells to find a key (`jku`, `jwk`, `x5u`, `x5c`), it is not believed.
#[derive(Deserialize)]
pub(super) struct Header {
    alg: String,
    #[serde(default)]
    pub(super) kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
    /// Extensions that must be understood; none of them is.
    #[serde(default)]
    crit: Option<IgnoredAny>,
    #[serde(default)]
    b64: Option<IgnoredAny>,
}

/// The accepted algorithms, all with public keys: a shared secret, or none, is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Es256,
    Es384,
    EdDsa,
}

/// The public part of a key.
pub(super) enum PublicKey {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point of an elliptic curve.
    Point(Vec<u8>),
}

impl<'a> Token<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub(super) fn read(text: &'a str) -> Result<Token<'a>, &'static str> {
        let (message, signature) = text.rsplit_once('.').ok_or("has no three parts")?;
        let (header, claims) = message.split_once('.').ok_or("has no three parts")?;
        if claims.contains('.') {
            return Err("has more than three parts");
        }
        let header: Header = serde_json::from_slice(&decode(header)?)
            .map_err(|_| "has a header that cannot be read")?;
        if header.crit.is_some() || header.b64.is_some() {
            return Err("has a critical header, and none is known here");
        }
        let typ = header.typ.as_deref().unwrap_or("JWT");
        let typ = typ.rsplit_once('/').map_or(typ, |(_, it)| it);
        if !["JWT", "at+jwt"]
            .iter()
            .any(|it| it.eq_ignore_ascii_case(typ))
        {
            return Err("is of a type other than `JWT` and `at+jwt`");
        }
        let claims = serde_json::from_slice(&decode(claims)?);
        Ok(Token {
            header,
            claims: claims.map_err(|_| "has claims that cannot be read")?,
            message,
            signature: decode(signature)?,
        })
    }

    /// The algorithm that it was signed with, if it is an accepted one.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::named(&self.header.alg)
    }

    /// Whether it was signed with the other half of this key.
    pub(super) fn is_signed_by(&self, algorithm: Algorithm, key: &PublicKey) -> bool {
        algorithm.verify(key, self.message.as_bytes(), &self.signature)
    }
}

impl Algorithm {
    /// The algorithm of that name in RFC 7518 and RFC 8037.
    pub(super) fn named(name: &str) -> Option<Algorithm> {
        Some(match name {
            "RS256" => Algorithm::Rs256,
            "RS384" => Algorithm::Rs384,
            "RS512" => Algorithm::Rs512,
            "PS256" => Algorithm::Ps256,
            "ES256" => Algorithm::Es256,
            "ES384" => Algorithm::Es384,
            "EdDSA" | "Ed25519" => Algorithm::EdDsa,
            _ => return None,
        })
    }

    fn verify(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let rsa = match self {
            Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Algorithm::Es256 => {
                return on_curve(&signature::ECDSA_P256_SHA256_FIXED, key, message, signature);
            }
            Algorithm::Es384 => {
                return on_curve(&signature::ECDSA_P384_SHA384_FIXED, key, message, signature);
            }
            Algorithm::EdDsa => return on_curve(&signature::ED25519, key, message, signature),
        };
        match key {
            PublicKey::Rsa { n, e } => signature::RsaPublicKeyComponents { n, e }
                .verify(rsa, message, signature)
                .is_ok(),
            PublicKey::Point(_) => false,
        }
    }
}

fn on_curve(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    match key {
        PublicKey::Point(point) => UnparsedPublicKey::new(algorithm, point)
            .verify(message, signature)
            .is_ok(),
        PublicKey::Rsa { .. } => false,
    }
}

fn decode(part: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| "has a part that is not base64url")
}
