//! The limits of one upstream: concurrent requests and request rate. Requests that must wait are queued fairly.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::bucket::Bucket;
use super::declaration::Upstream;
use super::queue::FairQueue;
use crate::clock::Deadline;
use crate::upstream::single_flight::Waiters;

/// The limits of one upstream.
pub(super) struct Limiter {
    pub(super) state: Arc<Mutex<LimiterState>>,
}

/// The permission to send one request; dropping it lets the next request start.
pub(super) struct Permit {
    state: Arc<Mutex<LimiterState>>,
}

/// A request that cannot start before its deadline, or that finds the queue full.
#[derive(Debug)]
pub(super) struct LimitReached {
    /// When it could have started.
    pub(super) wait: Duration,
}

pub(super) struct LimiterState {
    in_flight: usize,
    running: usize,
    bucket: Option<Bucket>,
    queue: FairQueue,
}

/// A request in the queue; dropping it leaves the queue.
struct QueuedRequest {
    state: Arc<Mutex<LimiterState>>,
    ticket: u64,
    granted: oneshot::Receiver<()>,
    /// How many of the holders that joined the request have a position in the queue.
    joined: usize,
}

impl Limiter {
    pub(super) fn new(upstream: &Upstream) -> Limiter {
        let bucket = upstream.rate.map(Bucket::full);
        let state = LimiterState {
            in_flight: upstream.in_flight,
            running: 0,
            bucket,
            queue: FairQueue::default(),
        };
        Limiter {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Waits until the request may start, at most until the deadline of its waiters.
    pub(super) async fn acquire(&self, waiters: &Waiters) -> Result<Permit, LimitReached> {
        if lock(&self.state).try_start(waiters) {
            return Ok(self.permit());
        }
        let mut queued = self.enqueue(waiters)?;
        loop {
            let deadline = waiters.deadline();
            let now = Instant::now();
            let next_check = queued.next_check(waiters, deadline, now)?;
            tokio::select! {
                biased;
                granted = &mut queued.granted => {
                    return granted.map(|()| self.permit()).map_err(|_| lock(&self.state).limit_reached());
                }
                () = waiters.changed() => {}
                () = tokio::time::sleep_until(next_check) => lock(&self.state).start_queued(),
                () = tokio::time::sleep_until(deadline.instant()) => {
                    // A caller with more time may have joined.
                    if waiters.deadline() <= deadline {
                        return Err(lock(&self.state).limit_reached());
                    }
                }
            }
        }
    }

    fn permit(&self) -> Permit {
        let state = self.state.clone();
        Permit { state }
    }

    fn enqueue(&self, waiters: &Waiters) -> Result<QueuedRequest, LimitReached> {
        let mut state = lock(&self.state);
        let (ticket, granted) = state
            .queue
            .push(waiters.first())
            .ok_or_else(|| state.limit_reached())?;
        state.start_queued();
        Ok(QueuedRequest {
            state: self.state.clone(),
            ticket,
            granted,
            joined: 0,
        })
    }
}

impl LimiterState {
    /// Starts a request that need not wait.
    fn try_start(&mut self, waiters: &Waiters) -> bool {
        let is_free = self.queue.is_empty() && self.has_room();
        if is_free {
            self.queue.record_start(waiters.first());
            self.start();
        }
        is_free
    }

    /// Starts as many queued requests as the limits allow.
    fn start_queued(&mut self) {
        while self.has_room() {
            let Some(grant) = self.queue.pop() else {
                return;
            };
            // A request that was dropped while it was queued takes no token.
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

    /// The time in which a token is added; without a bucket, a second.
    fn limit_reached(&self) -> LimitReached {
        let period = self.bucket.as_ref().map(Bucket::period);
        LimitReached {
            wait: period.unwrap_or(Duration::from_secs(1)),
        }
    }
}

impl QueuedRequest {
    /// Gives every holder that joined its position, and returns when to check again. Requests ahead may leave the
    /// queue, so each request checks when the next token is due; a token that is available may be taken meanwhile, so
    /// it also checks after a period.
    fn next_check(
        &mut self,
        waiters: &Waiters,
        deadline: Deadline,
        now: Instant,
    ) -> Result<Instant, LimitReached> {
        let mut state = lock(&self.state);
        while let Some(holder) = waiters.other(self.joined) {
            state.queue.add_holder(self.ticket, holder);
            self.joined += 1;
        }
        let Some(bucket) = &state.bucket else {
            return Ok(now + Duration::from_secs(1));
        };
        let tokens = bucket.tokens_by(deadline.instant());
        let ahead = state.queue.ahead(self.ticket, tokens);
        if ahead.is_some_and(|ahead| ahead >= tokens) {
            let ahead = state.queue.ahead(self.ticket, usize::MAX);
            let turn = bucket.token_at(ahead.unwrap_or(0));
            return Err(LimitReached {
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

impl Drop for QueuedRequest {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        // A permit that was granted during the drop is returned.
        if !state.queue.remove(self.ticket) && self.granted.try_recv().is_ok() {
            state.running -= 1;
            state.start_queued();
        }
    }
}

impl Permit {
    /// No request was sent: the token is returned.
    pub(super) fn return_unused(self) {
        if let Some(bucket) = &mut lock(&self.state).bucket {
            bucket.give_back();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.running -= 1;
        state.start_queued();
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

    use super::{Limiter, Upstream, Waiters};
    use crate::clock::Deadline;
    use crate::upstream::single_flight::Holder;

    /// A request of the same holder with a deadline in `seconds`.
    fn after(seconds: u64) -> Waiters {
        of(1, seconds)
    }

    fn of(holder: u64, seconds: u64) -> Waiters {
        let deadline = Deadline::after(Duration::from_secs(seconds));
        Waiters::new(Holder(holder), deadline)
    }

    #[tokio::test(start_paused = true)]
    async fn holders_take_turns_whatever_their_deadlines() {
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
    async fn a_caller_that_joins_a_queued_request_adds_its_own_position_and_deadline() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let first = limiter.acquire(&of(1, 60)).await.unwrap();
        let mut heavy: Vec<_> = (0..100)
            .map(|_| {
                let limiter = &limiter;
                Box::pin(async move { limiter.acquire(&of(1, 60)).await })
            })
            .collect();
        for queued in &mut heavy {
            assert!(futures_util::poll!(queued).is_pending());
        }
        let waiters = of(1, 1);
        let mut shared = Box::pin(limiter.acquire(&waiters));
        assert!(futures_util::poll!(&mut shared).is_pending());
        waiters.add(Holder(2), Deadline::after(Duration::from_secs(60)));
        assert!(futures_util::poll!(&mut shared).is_pending());
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(futures_util::poll!(&mut shared).is_pending());
        drop(first);
        assert!(shared.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_beyond_the_queue_limit_of_its_holder_is_refused_at_once() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let _running = limiter.acquire(&after(60)).await.unwrap();
        let mut waiting = Vec::new();
        let busy = loop {
            let mut queued = Box::pin(async { limiter.acquire(&after(60)).await });
            match futures_util::poll!(&mut queued) {
                Poll::Pending => waiting.push(queued),
                Poll::Ready(result) => break result.err().unwrap(),
            }
        };
        assert_eq!((waiting.len(), busy.wait), (512, Duration::from_secs(1)));
        let mut other = Box::pin(async { limiter.acquire(&of(2, 60)).await });
        assert!(futures_util::poll!(&mut other).is_pending());
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_starts_at_once_and_one_more_request_each_period() {
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
    async fn a_request_that_cannot_start_in_time_is_refused_at_once_with_the_wait_it_would_need() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(1, Duration::from_secs(10)));
        limiter.acquire(&after(60)).await.unwrap();
        let since = Instant::now();
        let busy = limiter.acquire(&after(5)).await.err().unwrap();
        assert_eq!(
            (since.elapsed(), busy.wait),
            (Duration::ZERO, Duration::from_secs(10))
        );
        // Its queue position is free again: the next request does not wait for it.
        limiter.acquire(&after(11)).await.unwrap();
        assert_eq!(since.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn an_unused_permit_returns_its_token() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(1, Duration::from_secs(10)));
        let since = Instant::now();
        for _ in 0..5 {
            limiter.acquire(&after(60)).await.unwrap().return_unused();
        }
        limiter.acquire(&after(60)).await.unwrap();
        assert_eq!(since.elapsed(), Duration::ZERO);
        limiter.acquire(&after(60)).await.unwrap();
        assert_eq!(since.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_leaves_the_queue_does_not_delay_the_next() {
        let limiter = Limiter::new(&Upstream::new("it", "").rate(1, Duration::from_secs(10)));
        drop(limiter.acquire(&after(600)).await.unwrap());
        let since = Instant::now();
        let waiters = after(100);
        let line = || Box::pin(limiter.acquire(&waiters));
        let mut leaving: Vec<_> = (0..5).map(|_| line()).collect();
        for queued in &mut leaving {
            assert!(futures_util::poll!(queued).is_pending());
        }
        let waiters = after(600);
        let mut last = Box::pin(limiter.acquire(&waiters));
        assert!(futures_util::poll!(&mut last).is_pending());
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(leaving);
        last.await.unwrap();
        assert_eq!(since.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_queued_request_does_not_poll_continuously() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let _permit = limiter.acquire(&after(60)).await.unwrap();
        let waiters = after(60);
        let mut waiting = Box::pin(limiter.acquire(&waiters));
        let mut looks = 0;
        let counted = std::future::poll_fn(|cx| {
            looks += 1;
            waiting.as_mut().poll(cx).map(drop)
        });
        // This test cannot use paused time, because the clock would not advance between two polls.
        let limit = Duration::from_millis(100);
        assert!(tokio::time::timeout(limit, counted).await.is_err());
        assert!(looks < 5, "{looks}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_request_passes_its_permit_to_the_next() {
        let limiter = Limiter::new(&Upstream::new("it", "").in_flight(1));
        let first = limiter.acquire(&after(60)).await.unwrap();
        {
            let waiters = after(1);
            let mut leaving = Box::pin(limiter.acquire(&waiters));
            assert!(futures_util::poll!(&mut leaving).is_pending());
            // The permit is granted just before the request is dropped.
            drop(first);
        }
        let next = limiter.acquire(&after(60)).await;
        assert!(next.is_ok());
        assert_eq!(super::lock(&limiter.state).running, 1);
    }
}
