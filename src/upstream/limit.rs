//! How hard an upstream is asked: requests at the same time and requests a minute, the nearest deadline first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::policy::{Rate, Upstream};
use crate::clock::Deadline;

/// The limits of one upstream.
pub(super) struct Limiter {
    state: Arc<Mutex<LimiterState>>,
}

/// The right to send one request; the next in line gets it when it is dropped.
pub(super) struct Permit {
    state: Arc<Mutex<LimiterState>>,
}

/// A request that cannot start in time.
#[derive(Debug)]
pub(super) struct TooBusy {
    /// When it could have started.
    pub(super) wait: Duration,
}

struct LimiterState {
    in_flight: usize,
    running: usize,
    bucket: Option<Bucket>,
    /// Who waits, by deadline and then by request_info.
    line: BTreeMap<(Instant, u64), oneshot::Sender<()>>,
    requests: u64,
}

/// A token bucket as the moment at which it will be full again.
struct Bucket {
    rate: Rate,
    full_at: Instant,
}

/// A place in the line, given up when it is dropped.
struct Place {
    state: Arc<Mutex<LimiterState>>,
    key: (Instant, u64),
    granted: oneshot::Receiver<()>,
}

impl Limiter {
    pub(super) fn new(upstream: &Upstream) -> Limiter {
        let bucket = upstream.rate.map(|rate| Bucket {
            rate,
            full_at: Instant::now(),
        });
        let state = LimiterState {
            in_flight: upstream.in_flight,
            running: 0,
            bucket,
            line: BTreeMap::new(),
            requests: 0,
        };
        Limiter {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Waits for the turn of a request that must start before `deadline`.
    pub(super) async fn acquire(&self, deadline: Deadline) -> Result<Permit, TooBusy> {
        let mut place = self.line_up(deadline);
        loop {
            let turn = place.turn();
            // Looked at after the turn, so that one that has come is not in the future.
            let now = Instant::now();
            if turn > deadline.instant() {
                return Err(TooBusy {
                    wait: turn.saturating_duration_since(now),
                });
            }
            let look = place.look(now);
            tokio::select! {
                biased;
                Ok(()) = &mut place.granted => return Ok(Permit { state: self.state.clone() }),
                () = tokio::time::sleep_until(look) => lock(&self.state).serve(),
                () = tokio::time::sleep_until(deadline.instant()) => return Err(TooBusy { wait: self.period() }),
            }
        }
    }

    /// The time in which a token comes; without a bucket, the time after which looking again costs nothing.
    fn period(&self) -> Duration {
        let state = lock(&self.state);
        state
            .bucket
            .as_ref()
            .map_or(Duration::from_secs(1), |bucket| bucket.rate.period)
    }

    fn line_up(&self, deadline: Deadline) -> Place {
        let mut state = lock(&self.state);
        state.requests += 1;
        let key = (deadline.instant(), state.requests);
        let (grant, granted) = oneshot::channel();
        state.line.insert(key, grant);
        state.serve();
        Place {
            state: self.state.clone(),
            key,
            granted,
        }
    }
}

impl LimiterState {
    /// Lets in whoever can start now.
    fn serve(&mut self) {
        while self.running < self.in_flight && self.bucket.as_ref().is_none_or(Bucket::has_token) {
            let Some((_, grant)) = self.line.pop_first() else {
                return;
            };
            // Who went away while standing in line takes no token.
            if grant.send(()).is_ok() {
                self.running += 1;
                if let Some(bucket) = &mut self.bucket {
                    bucket.take();
                }
            }
        }
    }
}

impl Bucket {
    fn has_token(&self) -> bool {
        self.token_at(0) <= Instant::now()
    }

    /// When the token after `before` others will be there.
    fn token_at(&self, before: usize) -> Instant {
        let full_at = self.full_at.max(Instant::now());
        let Rate { burst, period } = self.rate;
        // A full bucket has `burst` tokens; each one missing is a period away from full.
        let missing = period * u32::try_from(before + 1).unwrap_or(u32::MAX);
        (full_at + missing)
            .checked_sub(period * burst)
            .unwrap_or(full_at)
    }

    fn take(&mut self) {
        self.full_at = self.full_at.max(Instant::now()) + self.rate.period;
    }
}

impl Place {
    /// When the tokens of all before it and its own will be there.
    fn turn(&self) -> Instant {
        let state = lock(&self.state);
        let before = state.line.range(..self.key).count();
        match &state.bucket {
            Some(bucket) if state.line.contains_key(&self.key) => bucket.token_at(before),
            _ => Instant::now(),
        }
    }
}

impl Place {
    /// When to look again. Whoever stands before may go away, so all look when the next token comes; one that is there
    /// may be gone when a request has ended, so its time is looked at again too.
    fn look(&self, now: Instant) -> Instant {
        let state = lock(&self.state);
        let Some(bucket) = &state.bucket else {
            return now + Duration::from_secs(1);
        };
        let token = bucket.token_at(0);
        if token > now {
            token
        } else {
            now + bucket.rate.period.max(Duration::from_millis(1))
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let was_waiting = state.line.remove(&self.key).is_some();
        // A turn that came in the moment of going away is given back.
        if !was_waiting && self.granted.try_recv().is_ok() {
            state.running -= 1;
            state.serve();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.running -= 1;
        state.serve();
    }
}

fn lock(state: &Mutex<LimiterState>) -> MutexGuard<'_, LimiterState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::Instant;

    use super::{Limiter, Upstream};
    use crate::clock::Deadline;

    fn after(seconds: u64) -> Deadline {
        Deadline::after(Duration::from_secs(seconds))
    }

    #[tokio::test(start_paused = true)]
    async fn lets_so_many_run_and_the_nearest_deadline_goes_first() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let first = limiter.acquire(after(60)).await.unwrap();
        let order = Mutex::new(Vec::new());
        let wait = async |seconds: u64| {
            let _permit = limiter.acquire(after(seconds)).await.unwrap();
            order.lock().unwrap().push(seconds);
        };
        let end = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(*order.lock().unwrap(), [0; 0]);
            drop(first);
        };
        tokio::join!(wait(30), wait(10), wait(20), end);
        assert_eq!(*order.lock().unwrap(), [10, 20, 30]);
    }

    #[tokio::test(start_paused = true)]
    async fn starts_a_burst_at_once_and_one_more_each_period() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(3, Duration::from_secs(2)));
        let since = Instant::now();
        let starts = join_all((0..6).map(async |_| {
            let _permit = limiter.acquire(after(60)).await.unwrap();
            since.elapsed().as_secs_f64().round()
        }));
        assert_eq!(starts.await, [0.0, 0.0, 0.0, 2.0, 4.0, 6.0]);
        tokio::time::sleep(Duration::from_secs(4)).await;
        let since = Instant::now();
        for _ in 0..2 {
            limiter.acquire(after(60)).await.unwrap();
        }
        assert_eq!(since.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_at_once_what_cannot_start_in_time_and_says_when_it_could() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(1, Duration::from_secs(10)));
        limiter.acquire(after(60)).await.unwrap();
        let since = Instant::now();
        let busy = limiter.acquire(after(5)).await.err().unwrap();
        assert_eq!(
            (since.elapsed(), busy.wait),
            (Duration::ZERO, Duration::from_secs(10))
        );
        // Its place is free again: the next one is not behind it.
        limiter.acquire(after(11)).await.unwrap();
        assert_eq!(since.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_costs_those_behind_no_time() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(1, Duration::from_secs(10)));
        drop(limiter.acquire(after(600)).await.unwrap());
        let since = Instant::now();
        let line = || Box::pin(limiter.acquire(after(100)));
        let mut leaving: Vec<_> = (0..5).map(|_| line()).collect();
        for place in &mut leaving {
            assert!(futures_util::poll!(place).is_pending());
        }
        let mut last = Box::pin(limiter.acquire(after(600)));
        assert!(futures_util::poll!(&mut last).is_pending());
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(leaving);
        last.await.unwrap();
        assert_eq!(since.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test]
    async fn who_waits_does_not_look_all_the_time() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let _permit = limiter.acquire(after(60)).await.unwrap();
        let mut waiting = Box::pin(limiter.acquire(after(60)));
        let mut looks = 0;
        let counted = std::future::poll_fn(|cx| {
            looks += 1;
            waiting.as_mut().poll(cx).map(drop)
        });
        // Not in paused time, in which no clock moves between two looks.
        let limit = Duration::from_millis(100);
        assert!(tokio::time::timeout(limit, counted).await.is_err());
        assert!(looks < 5, "{looks}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_leaves_place_and_turn_to_the_next() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let first = limiter.acquire(after(60)).await.unwrap();
        {
            let mut leaving = Box::pin(limiter.acquire(after(1)));
            assert!(futures_util::poll!(&mut leaving).is_pending());
            // The turn comes in the moment before it goes away.
            drop(first);
        }
        let next = limiter.acquire(after(60)).await;
        assert!(next.is_ok());
        assert_eq!(super::lock(&limiter.state).running, 1);
    }
}
