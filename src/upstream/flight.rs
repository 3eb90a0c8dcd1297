//! One piece of work for all who ask for it at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Notify;

use crate::clock::Deadline;

/// The most holders that are remembered of one piece of work, beside the first.
const MOST_OTHERS: usize = 32;

/// Work that is running, by its key. Whoever joins it drives it: it goes on while at least one of them waits, and is
/// dropped with the last. Its result reaches all of them and is kept for nobody.
pub struct Flights<T: Clone + Send + Sync + 'static> {
    running: Arc<Mutex<HashMap<String, Running<T>>>>,
}

/// A principal or a network, as a number: for it work is done, and its requests wait behind each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder(pub u64);

/// For whom work is done, and until when: the latest deadline of those who wait for it.
#[derive(Clone)]
pub struct Until(Arc<Interest>);

struct Interest {
    first: Holder,
    wanted: Mutex<Wanted>,
    changed: Notify,
}

struct Wanted {
    deadline: Deadline,
    /// The holders that joined after the first.
    others: Vec<Holder>,
}

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
        self.join_for(Holder(0), key, deadline, start)
    }

    /// The same on behalf of `holder`, which the work may ask for.
    pub fn join_for<F>(
        &self,
        holder: Holder,
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
            found.until.extend(holder, deadline);
            return (work, false);
        }
        let until = Until::new(holder, deadline);
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
    /// Work for one holder.
    pub fn new(first: Holder, deadline: Deadline) -> Until {
        let others = Vec::new();
        Until(Arc::new(Interest {
            first,
            wanted: Mutex::new(Wanted { deadline, others }),
            changed: Notify::new(),
        }))
    }

    /// The latest deadline so far.
    pub fn deadline(&self) -> Deadline {
        lock(&self.0.wanted).deadline
    }

    /// The holder that it was started for.
    pub fn first(&self) -> Holder {
        self.0.first
    }

    /// The holder that has joined as the one with that number, from 0; each holder once.
    pub fn other(&self, number: usize) -> Option<Holder> {
        lock(&self.0.wanted).others.get(number).copied()
    }

    /// Ready once somebody has joined since it was last ready; for one who waits at a time.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Somebody joins.
    pub fn extend(&self, holder: Holder, deadline: Deadline) {
        let mut wanted = lock(&self.0.wanted);
        wanted.deadline = wanted.deadline.max(deadline);
        let is_known = holder == self.0.first || wanted.others.contains(&holder);
        // So many places in a queue are as good as more.
        if !is_known && wanted.others.len() < MOST_OTHERS {
            wanted.others.push(holder);
        }
        drop(wanted);
        self.0.changed.notify_one();
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
