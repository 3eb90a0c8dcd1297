//! The sessions of principals with one server, whose state is not for others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::peer::Connection;
use crate::error::{Error, Result};
use crate::upstream::Once;

/// The sessions by principal, of a bounded number.
pub(super) struct Sessions {
    most: usize,
    slots: Mutex<HashMap<String, Slot>>,
}

/// The session of one principal, which its first call opens.
struct Slot {
    used: Instant,
    connection: Arc<Once<Connection>>,
}

/// The place of the session of one principal.
pub(super) struct Place {
    pub(super) session: Arc<Once<Connection>>,
    /// The session of another principal, which has made room and must be ended.
    pub(super) ended: Option<Arc<Connection>>,
}

impl Sessions {
    pub(super) fn new(most: usize) -> Sessions {
        Sessions {
            most,
            slots: Mutex::default(),
        }
    }

    /// The place of the session of the principal.
    ///
    /// # Errors
    /// `Busy` if all others have calls.
    pub(super) fn of(&self, principal: &str) -> Result<Place> {
        let mut slots = self.lock();
        let now = Instant::now();
        if let Some(slot) = slots.get_mut(principal) {
            slot.used = now;
            return Ok(Place {
                session: slot.connection.clone(),
                ended: None,
            });
        }
        let mut ended = None;
        if slots.len() >= self.most {
            let idle = slots.iter().filter(|it| it.1.is_idle());
            let oldest = idle.min_by_key(|it| it.1.used).map(|it| it.0.clone());
            let oldest = oldest.ok_or_else(|| {
                let most = self.most;
                Error::busy(format!(
                    "{most} callers use the mounted server already, each with its own session; call again later"
                ))
            })?;
            ended = slots.remove(&oldest).and_then(|it| it.connection.built());
        }
        let session = Arc::<Once<Connection>>::default();
        let slot = Slot {
            used: now,
            connection: session.clone(),
        };
        slots.insert(principal.to_owned(), slot);
        Ok(Place { session, ended })
    }

    /// Forgets the sessions that were not used for that time, and returns them.
    pub(super) fn unused(&self, longest: Duration) -> Vec<Arc<Connection>> {
        let is_unused = |slot: &Slot| slot.used.elapsed() > longest && slot.is_idle();
        let mut slots = self.lock();
        let unused = slots.extract_if(|_, slot| is_unused(slot));
        unused.filter_map(|it| it.1.connection.built()).collect()
    }

    /// Forgets all sessions, and returns them.
    pub(super) fn take(&self) -> Vec<Arc<Connection>> {
        let slots = std::mem::take(&mut *self.lock());
        let built = slots.into_values().map(|it| it.connection.built());
        built.flatten().collect()
    }

    /// Forgets a broken connection: the next call of the principal opens another one.
    pub(super) fn forget(&self, principal: &str, connection: &Arc<Connection>) {
        if let Some(slot) = self.lock().get(principal) {
            slot.connection.drop_broken(connection);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Whether no call uses the session, or waits for it.
    fn is_idle(&self) -> bool {
        // One count is that of the slot itself, and one that of `built`.
        let uses = |it: &Arc<Connection>| Arc::strong_count(it) > 2;
        Arc::strong_count(&self.connection) == 1
            && !self.connection.built().as_ref().is_some_and(uses)
    }
}
