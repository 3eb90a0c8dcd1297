//! A value of another server, such as the keys of an issuer: read with the first request that needs it, once for all
//! callers, and again when it is old.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::error::Result;

/// How long a request waits for the value.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// The least time between two requests to a server that has answered.
const INTERVAL: Duration = Duration::from_secs(60);

/// The same while there is no value at all, so that a short failure does not close this server for a minute.
const RETRY: Duration = Duration::from_secs(5);

/// How a value is read.
type Fetch<T> = Box<dyn Fn() -> BoxFuture<'static, Result<T>> + Send + Sync>;

/// A value of another server, and the way to read it.
pub(super) struct Fetched<T> {
    /// What it is, for the log.
    what: String,
    fetch: Fetch<T>,
    /// The age at which it is read again.
    fresh: Duration,
    /// The age at which it is no longer used, because its server was away for so long.
    longest: Duration,
    state: Arc<Mutex<State<T>>>,
}

/// A value, and the number of times that it has been read.
pub(super) struct Read<T> {
    pub(super) value: Arc<T>,
    pub(super) generation: u64,
}

struct State<T> {
    value: Option<Arc<T>>,
    read: Moment,
    generation: u64,
    /// The last request, which may still run.
    asked: Option<Asked>,
}

struct Asked {
    at: Moment,
    done: watch::Receiver<bool>,
}

/// A time by both clocks: the monotonic one may stop while Lambda freezes the process.
#[derive(Clone, Copy)]
struct Moment(Instant, SystemTime);

impl<T: Send + Sync + 'static> Fetched<T> {
    /// A value that was not read yet.
    pub(super) fn new(
        what: String,
        [fresh, longest]: [Duration; 2],
        fetch: Fetch<T>,
    ) -> Fetched<T> {
        let state = State {
            value: None,
            read: Moment::now(),
            generation: 0,
            asked: None,
        };
        Fetched {
            what,
            fetch,
            fresh,
            longest,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The value. Where it does not suit, with its age, a new one is asked for and waited for, 2 s at most; without a new
    /// one it is the old one. `None` where there is none.
    pub(super) async fn get(&self, suits: impl Fn(&T, Duration) -> bool) -> Option<Read<T>> {
        let asked = {
            let mut state = self.lock();
            state.expire(self.longest);
            let age = state.read.elapsed();
            let does_suit = state.value.as_ref().is_some_and(|it| suits(it, age));
            if does_suit && age <= self.fresh {
                return state.get();
            }
            self.ask(&mut state);
            if does_suit {
                return state.get();
            }
            state.asked.as_ref().map(|it| it.done.clone())
        };
        if let Some(mut done) = asked {
            let waiting = done.wait_for(|done| *done);
            let _ = tokio::time::timeout(PATIENCE, waiting).await;
        }
        self.lock().get()
    }

    /// Whether the value is still that of this generation. Reads it again in the background once it is old.
    pub(super) fn is_current(&self, generation: u64) -> bool {
        let mut state = self.lock();
        state.expire(self.longest);
        if state.value.is_some() && state.read.elapsed() > self.fresh {
            self.ask(&mut state);
        }
        state.value.is_some() && state.generation == generation
    }

    /// Asks for the value, unless that was done a moment ago. The request continues after its callers have left: each of
    /// them could otherwise begin another one.
    fn ask(&self, state: &mut State<T>) {
        let pause = match state.value {
            Some(_) => INTERVAL,
            None => RETRY,
        };
        if state
            .asked
            .as_ref()
            .is_some_and(|it| it.at.elapsed() < pause)
        {
            return;
        }
        let (sender, done) = watch::channel(false);
        let at = Moment::now();
        state.asked = Some(Asked { at, done });
        let (state, what, fetching) = (self.state.clone(), self.what.clone(), (self.fetch)());
        tokio::spawn(async move {
            match fetching.await {
                Ok(value) => lock(&state).replace(value),
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    warn!(what, %error, "what callers are checked with cannot be read");
                    debug!(cause, "why it cannot be read");
                }
            }
            sender.send_replace(true);
        });
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }
}

impl<T> State<T> {
    fn get(&self) -> Option<Read<T>> {
        let value = self.value.clone()?;
        let generation = self.generation;
        Some(Read { value, generation })
    }

    fn expire(&mut self, longest: Duration) {
        if self.read.elapsed() > longest {
            self.value = None;
        }
    }

    fn replace(&mut self, value: T) {
        self.value = Some(Arc::new(value));
        self.read = Moment::now();
        self.generation += 1;
    }
}

impl Moment {
    fn now() -> Moment {
        Moment(Instant::now(), SystemTime::now())
    }

    fn elapsed(self) -> Duration {
        self.0.elapsed().max(self.1.elapsed().unwrap_or_default())
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
