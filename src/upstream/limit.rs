//! How hard an upstream is asked: requests at the same time and requests a minute, in fair order where they must wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::bucket::Bucket;
use super::line::Line;
use super::policy::Upstream;
use crate::clock::Deadline;
use crate::upstream::flight::Until;

/// The limits of one upstream.
pub(super) struct Limiter {
    state: Arc<Mutex<LimiterState>>,
}

/// The right to send one request; the next in line gets it when it is dropped.
pub(super) struct Permit {
    state: Arc<Mutex<LimiterState>>,
}

/// A request that cannot start in time, or finds too many waiting.
#[derive(Debug)]
pub(super) struct TooBusy {
    /// When it could have started.
    pub(super) wait: Duration,
}

struct LimiterState {
    in_flight: usize,
    running: usize,
    bucket: Option<Bucket>,
    line: Line,
}

/// A place in the line, given up when it is dropped.
struct Place {
    state: Arc<Mutex<LimiterState>>,
    ticket: u64,
    granted: oneshot::Receiver<()>,
    /// How many of those who joined the request have a position in the line.
    joined: usize,
}

impl Limiter {
    pub(super) fn new(upstream: &Upstream) -> Limiter {
        let bucket = upstream.rate.map(Bucket::full);
        let state = LimiterState {
            in_flight: upstream.in_flight,
            running: 0,
            bucket,
            line: Line::default(),
        };
        Limiter {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Waits for the turn of a request that must start by the deadline of those who wait for it.
    pub(super) async fn acquire(&self, until: &Until) -> Result<Permit, TooBusy> {
        if lock(&self.state).pass(until) {
            return Ok(self.permit());
        }
        let mut place = self.line_up(until)?;
        loop {
            let deadline = until.deadline();
            let now = Instant::now();
            let look = place.look(until, deadline, now)?;
            tokio::select! {
                biased;
                granted = &mut place.granted => {
                    return granted.map(|()| self.permit()).map_err(|_| lock(&self.state).busy());
                }
                () = until.changed() => {}
                () = tokio::time::sleep_until(look) => lock(&self.state).serve(),
                () = tokio::time::sleep_until(deadline.instant()) => {
                    // Unless somebody has joined who has more time.
                    if until.deadline() <= deadline {
                        return Err(lock(&self.state).busy());
                    }
                }
            }
        }
    }

    fn permit(&self) -> Permit {
        let state = self.state.clone();
        Permit { state }
    }

    fn line_up(&self, until: &Until) -> Result<Place, TooBusy> {
        let mut state = lock(&self.state);
        let (ticket, granted) = state.line.push(until.first()).ok_or_else(|| state.busy())?;
        state.serve();
        Ok(Place {
            state: self.state.clone(),
            ticket,
            granted,
            joined: 0,
        })
    }
}

impl LimiterState {
    /// Lets a request in that need not wait.
    fn pass(&mut self, until: &Until) -> bool {
        let is_free = self.line.is_empty() && self.has_room();
        if is_free {
            self.line.pass(until.first());
            self.start();
        }
        is_free
    }

    /// Lets those in whose turn it is.
    fn serve(&mut self) {
        while self.has_room() {
            let Some(grant) = self.line.pop() else {
                return;
            };
            // A request that was given up while it stood in line takes no token.
            if grant.send(()).is_ok() {
                self.start();
            }
        }
    }

    fn has_room(&self) -> bool {
        self.running < self.in_flight && self.bucket.as_ref().is_none_or(Bucket::has_token)
    }

    fn start(&mut self) {
        self.running += 1;
        if let Some(bucket) = &mut self.bucket {
            bucket.take();
        }
    }

    /// The time in which a token comes; without a bucket, the time after which looking again costs nothing.
    fn busy(&self) -> TooBusy {
        let period = self.bucket.as_ref().map(Bucket::period);
        TooBusy {
            wait: period.unwrap_or(Duration::from_secs(1)),
        }
    }
}

impl Place {
    /// When to look again, once all who joined have their position. Those before may go away, so all look when the next
    /// token comes; one that is there may be gone when a request has ended, so its time is looked at again too.
    fn look(
        &mut self,
        until: &Until,
        deadline: Deadline,
        now: Instant,
    ) -> Result<Instant, TooBusy> {
        let mut state = lock(&self.state);
        while let Some(holder) = until.other(self.joined) {
            state.line.also(self.ticket, holder);
            self.joined += 1;
        }
        let Some(bucket) = &state.bucket else {
            return Ok(now + Duration::from_secs(1));
        };
        let tokens = bucket.tokens_by(deadline.instant());
        let before = state.line.before(self.ticket, tokens);
        if before.is_some_and(|before| before >= tokens) {
            let before = state.line.before(self.ticket, usize::MAX);
            let turn = bucket.token_at(before.unwrap_or(0));
            return Err(TooBusy {
                wait: turn.saturating_duration_since(now),
            });
        }
        let token = bucket.token_at(0);
        Ok(match token > now {
            true => token,
            false => now + bucket.period().max(Duration::from_millis(1)),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        // A turn that came in the moment of going away is given back.
        if !state.line.leave(self.ticket) && self.granted.try_recv().is_ok() {
            state.running -= 1;
            state.serve();
        }
    }
}

impl Permit {
    /// Nothing was sent: the token is there for another request.
    pub(super) fn unused(self) {
        if let Some(bucket) = &mut lock(&self.state).bucket {
            bucket.give_back();
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
    use std::task::Poll;
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::Instant;

    use super::{Limiter, Until, Upstream};
    use crate::clock::Deadline;
    use crate::upstream::flight::Holder;

    /// A request of the same holder with so many seconds.
    fn after(seconds: u64) -> Until {
        of(1, seconds)
    }

    fn of(holder: u64, seconds: u64) -> Until {
        let deadline = Deadline::after(Duration::from_secs(seconds));
        Until::new(Holder(holder), deadline)
    }

    #[tokio::test(start_paused = true)]
    async fn lets_so_many_run_and_holders_take_turns_whatever_their_deadlines() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let first = limiter.acquire(&of(1, 60)).await.unwrap();
        let order = Mutex::new(Vec::new());
        let wait = async |holder: u64, seconds: u64| {
            let _permit = limiter.acquire(&of(holder, seconds)).await.unwrap();
            order.lock().unwrap().push((holder, seconds));
        };
        let end = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(order.lock().unwrap().is_empty());
            drop(first);
        };
        tokio::join!(wait(1, 30), wait(1, 10), wait(1, 20), wait(2, 30), end);
        assert_eq!(*order.lock().unwrap(), [(2, 30), (1, 30), (1, 10), (1, 20)]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_joins_a_waiting_request_brings_its_own_position_and_time() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let first = limiter.acquire(&of(1, 60)).await.unwrap();
        let mut heavy: Vec<_> = (0..100)
            .map(|_| {
                let limiter = &limiter;
                Box::pin(async move { limiter.acquire(&of(1, 60)).await })
            })
            .collect();
        for place in &mut heavy {
            assert!(futures_util::poll!(place).is_pending());
        }
        let until = of(1, 1);
        let mut shared = Box::pin(limiter.acquire(&until));
        assert!(futures_util::poll!(&mut shared).is_pending());
        until.extend(Holder(2), Deadline::after(Duration::from_secs(60)));
        assert!(futures_util::poll!(&mut shared).is_pending());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(futures_util::poll!(&mut shared).is_pending());
        drop(first);
        assert!(shared.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_too_many_is_refused_at_once() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let _running = limiter.acquire(&after(60)).await.unwrap();
        let mut waiting = Vec::new();
        let busy = loop {
            let mut place = Box::pin(async { limiter.acquire(&after(60)).await });
            match futures_util::poll!(&mut place) {
                Poll::Pending => waiting.push(place),
                Poll::Ready(result) => break result.err().unwrap(),
            }
        };
        assert_eq!((waiting.len(), busy.wait), (512, Duration::from_secs(1)));
        let mut other = Box::pin(async { limiter.acquire(&of(2, 60)).await });
        assert!(futures_util::poll!(&mut other).is_pending());
    }

    #[tokio::test(start_paused = true)]
    async fn starts_a_burst_at_once_and_one_more_each_period() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(3, Duration::from_secs(2)));
        let since = Instant::now();
        let starts = join_all((0..6).map(async |_| {
            let _permit = limiter.acquire(&after(60)).await.unwrap();
            since.elapsed().as_secs_f64().round()
        }));
        assert_eq!(starts.await, [0.0, 0.0, 0.0, 2.0, 4.0, 6.0]);
        tokio::time::sleep(Duration::from_secs(4)).await;
        let since = Instant::now();
        for _ in 0..2 {
            limiter.acquire(&after(60)).await.unwrap();
        }
        assert_eq!(since.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_at_once_what_cannot_start_in_time_and_says_when_it_could() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(1, Duration::from_secs(10)));
        limiter.acquire(&after(60)).await.unwrap();
        let since = Instant::now();
        let busy = limiter.acquire(&after(5)).await.err().unwrap();
        assert_eq!(
            (since.elapsed(), busy.wait),
            (Duration::ZERO, Duration::from_secs(10))
        );
        // Its place is free again: the next one is not behind it.
        limiter.acquire(&after(11)).await.unwrap();
        assert_eq!(since.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_that_was_not_used_costs_no_token() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(1, Duration::from_secs(10)));
        let since = Instant::now();
        for _ in 0..5 {
            limiter.acquire(&after(60)).await.unwrap().unused();
        }
        limiter.acquire(&after(60)).await.unwrap();
        assert_eq!(since.elapsed(), Duration::ZERO);
        limiter.acquire(&after(60)).await.unwrap();
        assert_eq!(since.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_costs_those_behind_no_time() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(1, Duration::from_secs(10)));
        drop(limiter.acquire(&after(600)).await.unwrap());
        let since = Instant::now();
        let until = after(100);
        let line = || Box::pin(limiter.acquire(&until));
        let mut leaving: Vec<_> = (0..5).map(|_| line()).collect();
        for place in &mut leaving {
            assert!(futures_util::poll!(place).is_pending());
        }
        let until = after(600);
        let mut last = Box::pin(limiter.acquire(&until));
        assert!(futures_util::poll!(&mut last).is_pending());
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(leaving);
        last.await.unwrap();
        assert_eq!(since.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test]
    async fn who_waits_does_not_look_all_the_time() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let _permit = limiter.acquire(&after(60)).await.unwrap();
        let until = after(60);
        let mut waiting = Box::pin(limiter.acquire(&until));
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
        let first = limiter.acquire(&after(60)).await.unwrap();
        {
            let until = after(1);
            let mut leaving = Box::pin(limiter.acquire(&until));
            assert!(futures_util::poll!(&mut leaving).is_pending());
            // The turn comes in the moment before it goes away.
            drop(first);
        }
        let next = limiter.acquire(&after(60)).await;
        assert!(next.is_ok());
        assert_eq!(super::lock(&limiter.state).running, 1);
    }
}
