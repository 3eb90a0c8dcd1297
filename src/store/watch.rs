//! Who waits in this process for a change of which record.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Those who wait, by key; a key is listed as long as somebody waits for it.
pub(super) struct Watch {
    waiting: Mutex<HashMap<String, Arc<Notify>>>,
}

/// One who waits.
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

    /// Joins those who wait for a change under `key`.
    pub(super) fn listen<'a>(&'a self, key: &'a str) -> Listener<'a> {
        let notify = self.lock().entry(key.to_owned()).or_default().clone();
        Listener {
            watch: self,
            key,
            notify,
        }
    }

    /// Wakes all who wait for a change under `key`.
    pub(super) fn wake(&self, key: &str) {
        if let Some(notify) = self.lock().get(key) {
            notify.notify_waiters();
        }
    }

    /// For how many keys somebody waits.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener<'_> {
    /// Ends with the next change after it was enabled.
    pub(super) fn woken(&self) -> Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        let mut waiting = self.watch.lock();
        // Clones are made under the lock only: two of them are the list's and this one.
        if Arc::strong_count(&self.notify) == 2 {
            waiting.remove(self.key);
        }
    }
}
