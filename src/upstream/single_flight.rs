//! Single flight: concurrent callers with the same key share one execution.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tokio::sync::Notify;
use xxhash_rust::xxh3::xxh3_64;

use crate::clock::Deadline;

/// The maximum number of holders that one execution remembers, beside the first.
const MAX_OTHER_HOLDERS: usize = 32;

/// The number of parts of the executions. Each has its own lock, so calls with different keys rarely wait for each other.
const PARTS: usize = 8;

/// Executions in progress, by key. An execution runs while at least one caller waits for it, and is dropped with the
/// last one. All waiting callers get its result; nobody keeps it.
pub struct SingleFlight<T: Clone + Send + Sync + 'static> {
    parts: Arc<[Part<T>; PARTS]>,
}

/// A part of the executions.
type Part<T> = Mutex<HashMap<String, InProgress<T>>>;

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
    parts: Arc<[Part<T>; PARTS]>,
    part: usize,
    key: String,
    waiters: Waiters,
}

impl<T: Clone + Send + Sync + 'static> SingleFlight<T> {
    /// No executions.
    pub fn new() -> SingleFlight<T> {
        SingleFlight {
            parts: Arc::default(),
        }
    }

    /// Joins the execution of `key`, or starts it. The second value tells whether it was started. `start` is called with a
    /// lock, so it only makes the future, which runs without one.
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
        let part = part(key);
        let mut running = lock(&self.parts[part]);
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
            parts: self.parts.clone(),
            part,
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
        let mut running = lock(&self.parts[self.part]);
        // A new execution may already run under the same key; it stays.
        if running
            .get(&self.key)
            .is_some_and(|it| Arc::ptr_eq(&it.waiters.0, &self.waiters.0))
        {
            running.remove(&self.key);
        }
    }
}

/// The part of a key. A client that finds keys of one part only makes calls wait as they would with one lock.
fn part(key: &str) -> usize {
    xxh3_64(key.as_bytes()) as usize % PARTS
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Barrier;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_call_starts_while_another_holds_the_part_of_its_own_key() {
        let flights = SingleFlight::new();
        let held = part("one");
        let mut keys = (0..).map(|it| format!("key {it}"));
        let other = keys.find(|it| part(it) != held).unwrap();
        let guard = lock(&flights.parts[held]);
        // It would not return if it waited for the part that is held.
        let (answer, is_started) = thread::scope(|scope| {
            let joining = scope.spawn(|| {
                let deadline = Deadline::after(Duration::from_secs(1));
                let (work, is_started) = flights.join(&other, deadline, |_| ready(7));
                (work.now_or_never(), is_started)
            });
            joining.join().unwrap()
        });
        assert_eq!((answer, is_started), (Some(7), true));
        drop(guard);
    }

    #[test]
    fn calls_join_and_start_while_a_thread_runs_an_execution_of_their_part() {
        let flights = SingleFlight::new();
        let mut keys = (0..).map(|it| format!("key {it}"));
        let other = keys.find(|it| part(it) == part("one")).unwrap();
        let deadline = Deadline::after(Duration::from_secs(1));
        let (running, end) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let execution = {
            let (running, end) = (running.clone(), end.clone());
            async move {
                running.wait();
                end.wait();
                7
            }
        };
        let (work, _) = flights.join("one", deadline, |_| execution);
        thread::scope(|scope| {
            let execution = scope.spawn(|| work.now_or_never());
            running.wait();
            // They would not return if the execution ran with a lock.
            let (joined, is_started) = flights.join("one", deadline, |_| ready(0));
            assert_eq!((joined.clone().now_or_never(), is_started), (None, false));
            let (started, is_started) = flights.join(&other, deadline, |_| ready(8));
            assert_eq!((started.now_or_never(), is_started), (Some(8), true));
            end.wait();
            assert_eq!(execution.join().unwrap(), Some(7));
            assert_eq!(joined.now_or_never(), Some(7));
        });
    }
}
