//! The bytes that one connection has read of an incomplete head or message.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http::buffers::{Buffers, Full, Held};

/// Counts the bytes that a connection reads and that no other part counts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    buffers: Buffers,
    held: Held,
    is_paused: bool,
}

impl Intake {
    /// A connection that has read nothing.
    pub fn new(buffers: &Buffers) -> Intake {
        Intake(Arc::new(Mutex::new(State {
            buffers: buffers.clone(),
            held: buffers.hold(),
            is_paused: false,
        })))
    }

    /// The connection has read more bytes.
    ///
    /// # Errors
    /// The limit has been reached.
    pub fn read(&self, bytes: usize) -> Result<(), Full> {
        let mut state = self.lock();
        match state.is_paused {
            true => Ok(()),
            false => state.held.grow(bytes),
        }
    }

    /// The message is complete, and the next one begins.
    pub fn settle(&self) {
        let mut state = self.lock();
        state.held = state.buffers.hold();
    }

    /// Takes off bytes that do not belong to a message.
    pub fn skip(&self, bytes: usize) {
        self.lock().held.shrink(bytes);
    }

    /// The head is complete. A body follows, which its reader counts.
    pub fn pause(&self) {
        self.settle();
        self.lock().is_paused = true;
    }

    /// A head or a message follows.
    pub fn resume(&self) {
        self.lock().is_paused = false;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
