//! How many bytes of requests this process holds at a time: heads, bodies and messages, while they are read and until
//! they are answered.

mod intake;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

pub use intake::Intake;

/// A request below this size is not counted, because its connection costs as much anyway.
const FREE: usize = 16 << 10;

/// The limit of the bytes that requests may hold, and the bytes that they hold now. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Buffers(Arc<Pool>);

/// The bytes of one request; they are given back when this is dropped.
#[derive(Debug)]
pub struct Held {
    pool: Arc<Pool>,
    bytes: usize,
    charged: usize,
}

/// The limit has been reached.
#[derive(Clone, Copy, Debug)]
pub struct Full;

#[derive(Debug)]
struct Pool {
    limit: usize,
    charged: AtomicUsize,
}

/// A body together with the bytes that it counts for.
struct Kept {
    body: Bytes,
    _held: Held,
}

impl Buffers {
    /// Buffers with that limit in bytes.
    pub fn new(limit: usize) -> Buffers {
        Buffers(Arc::new(Pool {
            limit,
            charged: AtomicUsize::new(0),
        }))
    }

    /// A request that holds nothing yet.
    pub fn hold(&self) -> Held {
        Held {
            pool: self.0.clone(),
            bytes: 0,
            charged: 0,
        }
    }

    /// The bytes that are held now.
    pub fn held(&self) -> usize {
        self.0.charged.load(Ordering::Relaxed)
    }
}

impl Held {
    /// Counts more bytes.
    ///
    /// # Errors
    /// The limit has been reached; the bytes counted before stay counted.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Full> {
        let whole = self.bytes.saturating_add(bytes);
        if whole > FREE {
            self.pool.charge(whole - self.charged)?;
            self.charged = whole;
        }
        self.bytes = whole;
        Ok(())
    }

    /// Gives some of them back.
    fn shrink(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        let rest = self.charged.min(self.bytes);
        self.pool.give_back(self.charged - rest);
        self.charged = rest;
    }

    /// The body that was counted; its bytes are given back when its last copy is dropped.
    pub fn keep(self, body: Bytes) -> Bytes {
        match self.charged {
            0 => body,
            _ => Bytes::from_owner(Kept { body, _held: self }),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pool.give_back(self.charged);
    }
}

impl Pool {
    fn charge(&self, bytes: usize) -> Result<(), Full> {
        let add = |charged: usize| {
            let sum = charged.checked_add(bytes)?;
            (sum <= self.limit).then_some(sum)
        };
        let order = Ordering::Relaxed;
        let charged = self.charged.fetch_update(order, order, add);
        charged.map(drop).map_err(|_| Full)
    }

    fn give_back(&self, bytes: usize) {
        self.charged.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_what_is_dropped_makes_room() {
        let buffers = Buffers::new(100 << 10);
        let mut small = buffers.hold();
        small.grow(FREE).unwrap();
        assert_eq!(buffers.held(), 0, "a small request costs nothing");
        small.grow(1).unwrap();
        assert_eq!(buffers.held(), FREE + 1, "a larger one counts whole");
        let mut large = buffers.hold();
        large.grow(80 << 10).unwrap();
        assert!(large.grow(10 << 10).is_err());
        assert_eq!(buffers.held(), FREE + 1 + (80 << 10));
        let body = large.keep(Bytes::from_static(b"body"));
        drop(small);
        let copy = body.clone();
        drop(body);
        assert_eq!((&copy[..], buffers.held()), (&b"body"[..], 80 << 10));
        drop(copy);
        assert_eq!(buffers.held(), 0);
    }
}
