//! The public keys of an issuer, as it publishes them (RFC 7517).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::jws::{Algorithm, PublicKey, Token};

/// The most keys that are read of one issuer, which publishes a handful.
const MAX_KEYS: usize = 64;

/// All keys of one issuer that can verify a signature.
#[derive(Default)]
pub(super) struct KeySet(Vec<PublishedKey>);

struct PublishedKey {
    id: Option<String>,
    algorithms: &'static [Algorithm],
    /// The only algorithm that the key may be used with, if the issuer names one.
    only: Option<Algorithm>,
    key: PublicKey,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

impl KeySet {
    /// Reads the document of an issuer. Keys that are for something else, or of an unknown kind, are left out.
    ///
    /// # Errors
    /// The document is not a key set.
    pub(super) fn read(json: &[u8]) -> Result<KeySet, serde_json::Error> {
        let document: Document<'_> = serde_json::from_slice(json)?;
        let keys = document.keys.into_iter().take(MAX_KEYS);
        let keys = keys.filter_map(|it| serde_json::from_str::<Jwk>(it.get()).ok());
        Ok(KeySet(keys.filter_map(Jwk::published).collect()))
    }

    /// Whether there is a key that the token may be signed with.
    pub(super) fn has(&self, token: &Token<'_>, algorithm: Algorithm) -> bool {
        self.find(token, algorithm).is_some()
    }

    /// Whether the token is signed with one of the keys.
    pub(super) fn verify(&self, token: &Token<'_>, algorithm: Algorithm) -> bool {
        let key = self.find(token, algorithm);
        key.is_some_and(|it| token.is_signed_by(algorithm, &it.key))
    }

    /// The key that the token names; without a name, the only one there is.
    fn find(&self, token: &Token<'_>, algorithm: Algorithm) -> Option<&PublishedKey> {
        let mut fitting = self.0.iter().filter(|it| it.is_for(algorithm));
        match &token.header.kid {
            Some(id) => fitting.find(|it| it.id.as_ref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }
}

impl PublishedKey {
    fn is_for(&self, algorithm: Algorithm) -> bool {
        match self.only {
            Some(only) => only == algorithm,
            None => self.algorithms.contains(&algorithm),
        }
    }
}

impl Jwk {
    fn published(self) -> Option<PublishedKey> {
        if self.purpose.as_deref().is_some_and(|it| it != "sig") {
            return None;
        }
        let (algorithms, key): (&'static [Algorithm], _) = match (&*self.kty, self.crv.as_deref()) {
            ("RSA", _) => (
                &[
                    Algorithm::Rs256,
                    Algorithm::Rs384,
                    Algorithm::Rs512,
                    Algorithm::Ps256,
                ],
                PublicKey::Rsa {
                    n: number(self.n.as_deref()?)?,
                    e: number(self.e.as_deref()?)?,
                },
            ),
            ("EC", Some("P-256")) => (&[Algorithm::Es256], self.point(32)?),
            ("EC", Some("P-384")) => (&[Algorithm::Es384], self.point(48)?),
            ("OKP", Some("Ed25519")) => {
                let x = decode(self.x.as_deref()?)?;
                (&[Algorithm::EdDsa], PublicKey::Point(x))
            }
            _ => return None,
        };
        let only = match self.alg.as_deref() {
            // A key for an algorithm that is not accepted is for none.
            Some(name) => Some(Algorithm::named(name).filter(|it| algorithms.contains(it))?),
            None => None,
        };
        Some(PublishedKey {
            id: self.kid,
            algorithms,
            only,
            key,
        })
    }

    /// The uncompressed point of a curve whose coordinates have this many bytes.
    fn point(&self, bytes: usize) -> Option<PublicKey> {
        let (x, y) = (decode(self.x.as_deref()?)?, decode(self.y.as_deref()?)?);
        let is_whole = x.len() == bytes && y.len() == bytes;
        is_whole.then(|| PublicKey::Point([&[4], &x[..], &y[..]].concat()))
    }
}

/// A number without leading zeros, which `ring` does not take and some issuers write.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = decode(text)?;
    let start = bytes.iter().position(|it| *it != 0)?;
    Some(bytes[start..].to_vec())
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}
