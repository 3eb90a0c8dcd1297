//! API keys, of which only hashes are kept: one line for each.

use std::sync::Arc;

#[cfg(feature = "cli")]
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};

use super::principal::{Principal, PrincipalKind};
use super::scopes::ScopeMap;
use crate::clock::Timestamp;
use crate::config::key;

/// The prefix of every key, so that people and secret scanners recognise one.
#[cfg(feature = "cli")]
const PREFIX: &str = "bfk_";

/// All keys.
pub(super) struct Keys(Vec<ApiKey>);

struct ApiKey {
    hash: [u8; 32],
    principal: Arc<Principal>,
}

/// A key that was just made.
#[cfg(feature = "cli")]
pub struct NewKey {
    /// The key, for its user alone.
    pub secret: String,
    /// The line of the settings, without a secret.
    pub line: String,
}

#[cfg(feature = "cli")]
impl NewKey {
    /// A random key of 256 bits.
    ///
    /// # Errors
    /// The name or a scope has characters that a line cannot hold.
    pub fn new(
        name: &str,
        scopes: &[String],
        expires: Option<Timestamp>,
    ) -> Result<NewKey, String> {
        let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(key::random::<32>()));
        let mut line = format!("{name} {}", hex(&hash(&secret)));
        if let Some(expires) = expires {
            line.push_str(&format!(" expires={expires}"));
        }
        for scope in scopes {
            line.push(' ');
            line.push_str(scope);
        }
        let is_name = |it: &u8| it.is_ascii_graphic() && !b";#".contains(it);
        let texts = scopes.iter().map(String::as_str).chain([name]);
        match texts
            .clone()
            .all(|it| !it.is_empty() && it.bytes().all(|it| is_name(&it)))
        {
            true => Ok(NewKey { secret, line }),
            false => Err("names and scopes are visible ASCII without spaces, `;` and `#`".into()),
        }
    }
}

impl Keys {
    /// Reads the lines, with `;` or a new line between them. `map` gives the keys further scopes.
    ///
    /// # Errors
    /// The line that cannot be used, which is not repeated: it may contain a key by mistake.
    pub(super) fn read(text: &str, map: &ScopeMap) -> Result<Keys, String> {
        let lines = text.split(['\n', ';']).map(str::trim).enumerate();
        let lines = lines.filter(|(_, it)| !it.is_empty() && !it.starts_with('#'));
        let keys = lines.map(|(place, line)| {
            let key = ApiKey::read(line, map);
            key.map_err(|problem| format!("line {}: {problem}", place + 1))
        });
        let keys: Vec<ApiKey> = keys.collect::<Result<_, _>>()?;
        let mut names: Vec<&str> = keys.iter().map(|it| it.principal.id()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("`{}` is listed twice", pair[0])),
            None => Ok(Keys(keys)),
        }
    }

    /// Whether the text is lines with keys, and not the name of a place where they are: a path has no spaces where a line
    /// has its first one, and a hash is longer than most names of files.
    pub(super) fn are(text: &str) -> bool {
        let mut words = text
            .split([' ', '\t', '\n', ';'])
            .filter(|it| !it.is_empty());
        words.nth(1).is_some_and(is_hash)
    }

    /// The principal of a key. Every key is compared in constant time.
    ///
    /// # Errors
    /// It is unknown or has expired.
    pub(super) fn principal(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Arc<Principal>, &'static str> {
        let hash = hash(secret);
        let found = self
            .0
            .iter()
            .fold(None, |found, it| match is_same(&it.hash, &hash) {
                true => Some(it),
                false => found,
            });
        let found = found.ok_or("is not known")?;
        match found.principal.has_expired(now) {
            true => Err("has expired"),
            false => Ok(found.principal.clone()),
        }
    }
}

impl ApiKey {
    /// Parses `name hash [expires=TIME] scope…`.
    fn read(line: &str, map: &ScopeMap) -> Result<ApiKey, &'static str> {
        let wrong = "expected a name and the SHA-256 of the key, as `key new` prints them";
        let mut words = line.split_ascii_whitespace();
        let (name, digits) = words.next().zip(words.next()).ok_or(wrong)?;
        let hash = key::Key::parse(digits).ok_or(wrong)?;
        let mut expires = None;
        let mut scopes = Vec::new();
        for word in words {
            match word.strip_prefix("expires=") {
                Some(time) => {
                    let time = Timestamp::parse(time);
                    expires = Some(time.map_err(|_| "`expires` is no RFC 3339 time")?);
                }
                None => scopes.push(word),
            }
        }
        let principal = Principal::checked(PrincipalKind::Key, format!("key:{name}"));
        let principal = match expires {
            Some(expires) => principal.until(expires),
            None => principal,
        };
        Ok(ApiKey {
            hash: *hash.bytes(),
            principal: Arc::new(map.complete(principal.with_scopes(scopes))),
        })
    }
}

fn hash(secret: &str) -> [u8; 32] {
    let digest = digest(&SHA256, secret.as_bytes());
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}

#[cfg(feature = "cli")]
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_hash(word: &str) -> bool {
    word.len() == 64 && word.bytes().all(|it| it.is_ascii_hexdigit())
}

/// Whether they are equal, in a time that does not depend on where they differ.
fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let differences = one.iter().zip(other).map(|(one, other)| one ^ other);
    std::hint::black_box(differences.fold(0, |all, it| all | it)) == 0
}
