//! One piece of work for all who ask for it at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use crate::clock::Deadline;

/// Work that is running, by its key. Whoever joins it drives it: it goes on while at least one of them waits, and is
/// dropped with the last. Its result reaches all of them and is kept for nobody.
pub struct Flights<T: Clone + Send + Sync + 'static> {
    running: Arc<Mutex<HashMap<String, Running<T>>>>,
}

/// The latest deadline of those who wait: the work may take until then.
#[derive(Clone)]
pub struct Until(Arc<Mutex<Deadline>>);

/// A piece of work to wait for.
pub type Flight<T> = Shared<BoxFuture<'static, T>>;

struct Running<T> {
    work: WeakShared<BoxFuture<'static, T>>,
    until: Until,
}

/// Takes the work off the list when it ends, however it ends.
struct Landing<T: Clone + Send + Sync + 'static> {
    running: Arc<Mutex<HashMap<String, Running<T>>>>,
    key: String,
    until: Until,
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// No work.
    pub fn new() -> Flights<T> {
        Flights {
            running: Arc::default(),
        }
    }

    /// Joins the work of that key, or starts it. The second value says whether it was started.
    pub fn join<F>(
        &self,
        key: &str,
        deadline: Deadline,
        start: impl FnOnce(Until) -> F,
    ) -> (Flight<T>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut running = lock(&self.running);
        if let Some(found) = running.get(key)
            && let Some(work) = found.work.upgrade()
        {
            found.until.extend(deadline);
            return (work, false);
        }
        let until = Until(Arc::new(Mutex::new(deadline)));
        // Before there is a landing, which would wait for the list if this panicked.
        let started = start(until.clone());
        let landing = Landing {
            running: self.running.clone(),
            key: key.to_owned(),
            until: until.clone(),
        };
        let work = async move {
            let _landing = landing;
            started.await
        };
        let work = work.boxed().shared();
        let weak = work
            .downgrade()
            .expect("a future that was not yet polled can be shared");
        running.insert(key.to_owned(), Running { work: weak, until });
        (work, true)
    }
}

impl Until {
    /// The latest deadline so far.
    pub fn deadline(&self) -> Deadline {
        *lock(&self.0)
    }

    fn extend(&self, deadline: Deadline) {
        let mut latest = lock(&self.0);
        *latest = latest.max(deadline);
    }
}

impl<T: Clone + Send + Sync + 'static> Drop for Landing<T> {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        // Work that was given up may have been started anew under the same key; that one stays.
        if running
            .get(&self.key)
            .is_some_and(|it| Arc::ptr_eq(&it.until.0, &self.until.0))
        {
            running.remove(&self.key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
