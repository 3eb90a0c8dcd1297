//! Single flight: concurrent callers with the same key share one execution.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Notify;

use crate::clock::Deadline;

/// The maximum number of holders that one execution remembers, beside the first.
const MAX_OTHER_HOLDERS: usize = 32;

/// Executions in progress, by key. An execution runs while at least one caller waits for it, and is dropped with the
/// last one. All waiting callers get its result; nobody keeps it.
pub struct SingleFlight<T: Clone + Send + Sync + 'static> {
    running: Arc<Mutex<HashMap<String, InProgress<T>>>>,
}

/// The principal or network that a request belongs to, as a number; fair queueing treats each holder equally.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder(pub u64);

/// The callers that wait for one execution: their holders, and the latest of their deadlines.
#[derive(Clone)]
pub struct Waiters(Arc<WaitersInner>);

struct WaitersInner {
    first: Holder,
    wanted: Mutex<WaitersState>,
    changed: Notify,
}

struct WaitersState {
    deadline: Deadline,
    /// The holders that joined after the first.
    others: Vec<Holder>,
}

/// An execution to wait for.
pub type SharedFuture<T> = Shared<BoxFuture<'static, T>>;

struct InProgress<T> {
    work: WeakShared<BoxFuture<'static, T>>,
    waiters: Waiters,
}

/// Removes the execution from the map when it ends, even if it is dropped.
struct RemoveOnDrop<T: Clone + Send + Sync + 'static> {
    running: Arc<Mutex<HashMap<String, InProgress<T>>>>,
    key: String,
    waiters: Waiters,
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// No executions.
    pub fn new() -> SingleFlight<T> {
        SingleFlight {
            running: Arc::default(),
        }
    }

    /// Joins the execution of `key`, or starts it. The second value tells whether it was started.
    pub fn join<F>(
        &self,
        key: &str,
        deadline: Deadline,
        start: impl FnOnce(Waiters) -> F,
    ) -> (SharedFuture<T>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        self.join_for(Holder(0), key, deadline, start)
    }

    /// Like [`SingleFlight::join`], on behalf of `holder`; the execution can read its holders from [`Waiters`].
    pub fn join_for<F>(
        &self,
        holder: Holder,
        key: &str,
        deadline: Deadline,
        start: impl FnOnce(Waiters) -> F,
    ) -> (SharedFuture<T>, bool)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut running = lock(&self.running);
        if let Some(found) = running.get(key)
            && let Some(work) = found.work.upgrade()
        {
            found.waiters.add(holder, deadline);
            return (work, false);
        }
        let waiters = Waiters::new(holder, deadline);
        // This must run before the guard exists: if it panicked, the guard would wait for the lock held here.
        let started = start(waiters.clone());
        let guard = RemoveOnDrop {
            running: self.running.clone(),
            key: key.to_owned(),
            waiters: waiters.clone(),
        };
        let work = async move {
            let _guard = guard;
            started.await
        };
        let work = work.boxed().shared();
        let weak = work
            .downgrade()
            .expect("a future that was not yet polled can be shared");
        running.insert(
            key.to_owned(),
            InProgress {
                work: weak,
                waiters,
            },
        );
        (work, true)
    }
}

impl Waiters {
    /// One caller.
    pub fn new(first: Holder, deadline: Deadline) -> Waiters {
        let others = Vec::new();
        Waiters(Arc::new(WaitersInner {
            first,
            wanted: Mutex::new(WaitersState { deadline, others }),
            changed: Notify::new(),
        }))
    }

    /// The latest deadline so far.
    pub fn deadline(&self) -> Deadline {
        lock(&self.0.wanted).deadline
    }

    /// The holder for which the execution was started.
    pub fn first(&self) -> Holder {
        self.0.first
    }

    /// The `number`th holder that joined after the first, from 0; each holder once.
    pub fn other(&self, number: usize) -> Option<Holder> {
        lock(&self.0.wanted).others.get(number).copied()
    }

    /// Completes after another caller has joined. It supports one waiting task at a time.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Adds a caller.
    pub fn add(&self, holder: Holder, deadline: Deadline) {
        let mut wanted = lock(&self.0.wanted);
        wanted.deadline = wanted.deadline.max(deadline);
        let is_known = holder == self.0.first || wanted.others.contains(&holder);
        // More queue positions than this bring no advantage.
        if !is_known && wanted.others.len() < MAX_OTHER_HOLDERS {
            wanted.others.push(holder);
        }
        drop(wanted);
        self.0.changed.notify_one();
    }
}

impl<T: Clone + Send + Sync + 'static> Drop for RemoveOnDrop<T> {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        // A new execution may already run under the same key; it stays.
        if running
            .get(&self.key)
            .is_some_and(|it| Arc::ptr_eq(&it.waiters.0, &self.waiters.0))
        {
            running.remove(&self.key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
