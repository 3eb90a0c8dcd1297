//! The readers of this process that wait for a change of a record, by its key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// The waiting readers by key; a key is listed while at least one reader waits for it.
pub(super) struct Watch {
    waiting: Mutex<HashMap<String, Arc<Notify>>>,
}

/// A waiting reader.
pub(super) struct Listener<'a> {
    watch: &'a Watch,
    key: &'a str,
    notify: Arc<Notify>,
}

impl Watch {
    pub(super) fn new() -> Watch {
        Watch {
            waiting: Mutex::default(),
        }
    }

    /// Registers a reader that waits for a change of `key`.
    pub(super) fn listen<'a>(&'a self, key: &'a str) -> Listener<'a> {
        let notify = self.lock().entry(key.to_owned()).or_default().clone();
        Listener {
            watch: self,
            key,
            notify,
        }
    }

    /// Wakes all readers that wait for a change of `key`.
    pub(super) fn wake(&self, key: &str) {
        if let Some(notify) = self.lock().get(key) {
            notify.notify_waiters();
        }
    }

    /// The number of keys with a waiting reader.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener<'_> {
    /// Ready with the next change after it was enabled.
    pub(super) fn woken(&self) -> Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        let mut waiting = self.watch.lock();
        // Clones are made under the lock only, so a count of two means the list and this reader.
        if Arc::strong_count(&self.notify) == 2 {
            waiting.remove(self.key);
        }
    }
}
