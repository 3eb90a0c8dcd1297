//! State that a client keeps for this server: sealed, so that it can be neither read nor changed there.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};

use crate::secret::{self, Key};

/// How much of a key's digest tells which key it is.
const KEY_ID: usize = 4;

/// The keys of this process. The first one seals, and all of them open, so that a key can be taken out of use while
/// what it sealed is still on its way.
pub(super) struct Seal {
    keys: Vec<([u8; KEY_ID], LessSafeKey)>,
}

impl Seal {
    /// Without keys, one is made that dies with the process.
    pub(super) fn new(keys: &[Key]) -> Seal {
        let mut keys: Vec<_> = keys.iter().map(numbered).collect();
        if keys.is_empty() {
            keys.push(numbered(&Key::new(secret::random())));
        }
        Seal { keys }
    }

    /// Seals `text` for what `about` says; only for the same can it be opened.
    pub(super) fn seal(&self, text: &[u8], about: &[u8]) -> String {
        let nonce: [u8; NONCE_LEN] = secret::random();
        let (id, key) = &self.keys[0];
        let mut sealed = text.to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(about),
            &mut sealed,
        )
        .expect("a text that fits into a request can be sealed");
        URL_SAFE_NO_PAD.encode([id.as_slice(), &nonce, &sealed].concat())
    }

    /// Opens what was sealed with one of the keys about the same; `None` for all else.
    pub(super) fn open(&self, sealed: &str, about: &[u8]) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
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

    fn of(keys: &[u8]) -> Seal {
        let keys: Vec<Key> = keys.iter().map(|it| Key::new([*it; 32])).collect();
        Seal::new(&keys)
    }

    #[test]
    fn it_opens_what_it_sealed_about_the_same_only() {
        let seal = of(&[1]);
        for text in [b"".as_slice(), b"a secret", &[0; 10_000]] {
            let sealed = seal.seal(text, b"this");
            assert_eq!(seal.open(&sealed, b"this").as_deref(), Some(text));
            assert_eq!(of(&[1]).open(&sealed, b"this").as_deref(), Some(text));
            for other in [b"that".as_slice(), b"", b"this "] {
                assert_eq!(seal.open(&sealed, other), None);
            }
            assert_ne!(seal.seal(text, b"this"), sealed);
        }
    }

    #[test]
    fn no_byte_of_it_can_be_changed_or_left_out() {
        let seal = of(&[1]);
        let sealed = seal.seal(b"a secret", b"this");
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        assert!(!bytes.windows(6).any(|it| it == b"secret"));
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[place] ^= 1 << bit;
                let changed = URL_SAFE_NO_PAD.encode(changed);
                assert_eq!(seal.open(&changed, b"this"), None, "{place}, {bit}");
            }
            for part in [&bytes[..place], &bytes[place + 1..]] {
                let part = URL_SAFE_NO_PAD.encode(part);
                assert_eq!(seal.open(&part, b"this"), None, "{place}");
            }
        }
    }

    #[test]
    fn the_first_key_seals_and_all_of_them_open() {
        let (old, both, new) = (of(&[1]), of(&[2, 1]), of(&[2]));
        let before = old.seal(b"text", b"");
        let after = both.seal(b"text", b"");
        assert!(both.open(&before, b"").is_some() && both.open(&after, b"").is_some());
        assert!(new.open(&after, b"").is_some() && old.open(&after, b"").is_none());
        assert!(new.open(&before, b"").is_none());
    }

    #[test]
    fn without_keys_each_has_its_own() {
        let (one, other) = (of(&[]), of(&[]));
        let sealed = one.seal(b"text", b"");
        assert!(one.open(&sealed, b"").is_some());
        assert!(other.open(&sealed, b"").is_none());
    }
}
