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
