//! Keys, and random bytes that cannot be guessed.

use std::fmt;

use ring::rand::{SecureRandom, SystemRandom};

/// A key of 32 bytes, which is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// A key with these bytes.
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    /// Parses 64 hexadecimal digits.
    pub fn parse(digits: &str) -> Option<Key> {
        let mut bytes = [0; 32];
        let are_digits = digits.bytes().all(|it| it.is_ascii_hexdigit());
        if digits.len() != 64 || !are_digits {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * place..][..2], 16).ok()?;
        }
        Some(Key(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Random bytes from the operating system.
///
/// # Panics
/// The operating system has no random bytes; then no secret can be made.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the operating system gives random bytes");
    bytes
}

/// A random name that cannot be guessed: 128 bits, hexadecimal.
pub fn random_name() -> String {
    format!("{:032x}", u128::from_be_bytes(random()))
}
