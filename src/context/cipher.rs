//! What clients store for the server, encrypted so that they can neither read nor change it: request state and cursors.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::hmac::{self, HMAC_SHA256};

use crate::config::key::{self, Key};

/// The bytes of a key's digest that identify the key.
const KEY_ID: usize = 4;

/// The keys of this process. The first one encrypts and all of them decrypt, so that a key can be retired while clients
/// still hold state under it.
pub(crate) struct StateCipher {
    keys: Vec<([u8; KEY_ID], LessSafeKey)>,
    /// The key that encrypts.
    first: Key,
}

impl StateCipher {
    /// Without keys in the settings a random one is generated, which is lost with the process.
    pub(crate) fn new(keys: &[Key]) -> StateCipher {
        let first = keys.first().cloned();
        let first = first.unwrap_or_else(|| Key::new(key::random()));
        let others = keys.iter().skip(1);
        let keys = std::iter::once(&first).chain(others).map(numbered);
        StateCipher {
            keys: keys.collect(),
            first,
        }
    }

    /// Encrypts `text`, bound to `about`.
    pub(crate) fn encrypt(&self, text: &[u8], about: &[u8]) -> String {
        self.encrypt_with(key::random(), text, about)
    }

    /// As [`StateCipher::encrypt`], with the same result for the same `text` and `about`, so that a response that carries it
    /// has the same bytes each time. The nonce is a keyed hash of both, so that no other text has the same one.
    pub(crate) fn encrypt_repeatably(&self, text: &[u8], about: &[u8]) -> String {
        let mut hash = hmac::Context::with_key(&hmac::Key::new(HMAC_SHA256, self.first.bytes()));
        hash.update(&(about.len() as u64).to_be_bytes());
        hash.update(about);
        hash.update(text);
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&hash.sign().as_ref()[..NONCE_LEN]);
        self.encrypt_with(nonce, text, about)
    }

    fn encrypt_with(&self, nonce: [u8; NONCE_LEN], text: &[u8], about: &[u8]) -> String {
        let (id, key) = &self.keys[0];
        let mut encrypted = text.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(about),
            &mut encrypted,
        )
        .expect("a text that fits into a request can be encrypted");
        URL_SAFE_NO_PAD.encode([id.as_slice(), &nonce, &encrypted].concat())
    }

    /// Decrypts state that was encrypted with one of the keys and bound to the same `about`; `None` otherwise.
    pub(crate) fn open(&self, encrypted: &str, about: &[u8]) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(encrypted).ok()?;
        let (id, rest) = bytes.split_at_checked(KEY_ID)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN)?;
        let mut text = text.to_vec();
        let (_, key) = self.keys.iter().find(|(known, _)| known == id)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let length = key
            .open_in_place(nonce, Aad::from(about), &mut text)
            .ok()?
            .len();
        text.truncate(length);
        Some(text)
    }
}

fn numbered(key: &Key) -> ([u8; KEY_ID], LessSafeKey) {
    let mut id = [0; KEY_ID];
    id.copy_from_slice(&digest(&SHA256, key.bytes()).as_ref()[..KEY_ID]);
    let key = UnboundKey::new(&CHACHA20_POLY1305, key.bytes());
    (
        id,
        LessSafeKey::new(key.expect("a key of this cipher has 32 bytes")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(keys: &[u8]) -> StateCipher {
        let keys: Vec<Key> = keys.iter().map(|it| Key::new([*it; 32])).collect();
        StateCipher::new(&keys)
    }

    #[test]
    fn it_opens_what_it_sealed_about_the_same_only() {
        let cipher = of(&[1]);
        for text in [b"".as_slice(), b"a secret", &[0; 10_000]] {
            let encrypted = cipher.encrypt(text, b"this");
            assert_eq!(cipher.open(&encrypted, b"this").as_deref(), Some(text));
            assert_eq!(of(&[1]).open(&encrypted, b"this").as_deref(), Some(text));
            for other in [b"that".as_slice(), b"", b"this "] {
                assert_eq!(cipher.open(&encrypted, other), None);
            }
            assert_ne!(cipher.encrypt(text, b"this"), encrypted);
        }
    }

    #[test]
    fn what_is_encrypted_repeatably_is_the_same_for_the_same_and_for_nothing_else() {
        let cipher = of(&[1]);
        let sealed = cipher.encrypt_repeatably(b"text", b"this");
        assert_eq!(
            cipher.open(&sealed, b"this").as_deref(),
            Some(b"text".as_slice())
        );
        assert_eq!(of(&[1]).encrypt_repeatably(b"text", b"this"), sealed);
        let nonce =
            |sealed: &str| URL_SAFE_NO_PAD.decode(sealed).unwrap()[KEY_ID..][..NONCE_LEN].to_vec();
        for (text, about) in [
            ("text", "that"),
            ("other", "this"),
            ("stext", "thi"),
            ("ext", "thist"),
        ] {
            let other = cipher.encrypt_repeatably(text.as_bytes(), about.as_bytes());
            assert_ne!(nonce(&other), nonce(&sealed), "{text} {about}");
        }
        assert_ne!(
            nonce(&of(&[2]).encrypt_repeatably(b"text", b"this")),
            nonce(&sealed)
        );
    }

    #[test]
    fn no_byte_of_it_can_be_changed_or_left_out() {
        let cipher = of(&[1]);
        let encrypted = cipher.encrypt(b"a secret", b"this");
        let bytes = URL_SAFE_NO_PAD.decode(&encrypted).unwrap();
        assert!(!bytes.windows(6).any(|it| it == b"secret"));
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                let changed = URL_SAFE_NO_PAD.encode(changed);
                assert_eq!(cipher.open(&changed, b"this"), None, "{place}, {bit}");
            }
            for part in [&bytes[..place], &bytes[place + 1..]] {
                let part = URL_SAFE_NO_PAD.encode(part);
                assert_eq!(cipher.open(&part, b"this"), None, "{place}");
            }
        }
    }

    #[test]
    fn the_first_key_seals_and_all_of_them_open() {
        let (old, both, new) = (of(&[1]), of(&[2, 1]), of(&[2]));
        let before = old.encrypt(b"text", b"");
        let after = both.encrypt(b"text", b"");
        assert!(both.open(&before, b"").is_some() && both.open(&after, b"").is_some());
        assert!(new.open(&after, b"").is_some() && old.open(&after, b"").is_none());
        assert!(new.open(&before, b"").is_none());
    }

    #[test]
    fn without_keys_each_has_its_own() {
        let (one, other) = (of(&[]), of(&[]));
        let encrypted = one.encrypt(b"text", b"");
        assert!(one.open(&encrypted, b"").is_some());
        assert!(other.open(&encrypted, b"").is_none());
    }
}
