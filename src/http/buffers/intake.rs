//! What one connection has read of a head or a message that is not whole yet.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http::buffers::{Buffers, Full, Held};

/// Counts what a connection reads, wherever nobody else does. Cheap to clone.
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

    /// The connection has read so many bytes.
    ///
    /// # Errors
    /// There is no room for them.
    pub fn read(&self, bytes: usize) -> Result<(), Full> {
        let mut state = self.lock();
        match state.is_paused {
            true => Ok(()),
            false => state.held.grow(bytes),
        }
    }

    /// The message is whole, and the next one begins.
    pub fn settle(&self) {
        let mut state = self.lock();
        state.held = state.buffers.hold();
    }

    /// So many of the bytes belong to no message.
    pub fn skip(&self, bytes: usize) {
        self.lock().held.shrink(bytes);
    }

    /// The head is whole, and what follows is a body, which is counted by its reader.
    pub fn pause(&self) {
        self.settle();
        self.lock().is_paused = true;
    }

    /// What follows is a head or a message.
    pub fn resume(&self) {
        self.lock().is_paused = false;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
