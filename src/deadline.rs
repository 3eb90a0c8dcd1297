//! The moment by which a call must have answered.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The moment by which a call must have answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// The time of one call, which stands still while a person is asked: what they take is not the function's.
pub struct Countdown {
    state: Mutex<State>,
}

struct State {
    deadline: Deadline,
    /// When the platform ends the call, whoever is asked.
    end: Option<Deadline>,
    pauses: u32,
    left: Duration,
}

/// A pause of the countdown, until it is dropped.
pub struct Pause<'a>(&'a Countdown);

impl Deadline {
    /// The deadline that is `left` from now.
    pub fn after(left: Duration) -> Deadline {
        Deadline(Instant::now() + left)
    }

    /// What can be used of `left` before its end, so that `margin` of it remains: at most a quarter, because little
    /// time is for the work and not for the margin.
    pub fn usable(left: Duration, margin: Duration) -> Duration {
        left - margin.min(left / 4)
    }

    /// The moment.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// What is left; zero once the moment has passed.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The time one step of the call may take: at most `limit`, and a tenth less than what is left
    /// (at most 250 ms less), so that the caller of a slow step can still answer with the rest.
    pub fn budget(self, limit: Duration) -> Duration {
        let left = self.remaining();
        let reserve = (left / 10).min(Duration::from_millis(250));
        limit.min(left - reserve)
    }

    /// Runs `future` until the deadline; `None` once it has passed.
    pub async fn timeout<F: Future>(self, future: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.0, future).await.ok()
    }
}

impl Countdown {
    /// Runs until `deadline`, and with all its pauses until `end`.
    pub fn new(deadline: Deadline, end: Option<Deadline>) -> Countdown {
        let state = State {
            deadline,
            end,
            pauses: 0,
            left: Duration::ZERO,
        };
        Countdown {
            state: Mutex::new(state),
        }
    }

    /// The deadline as it is now.
    pub fn deadline(&self) -> Deadline {
        self.lock().deadline
    }

    /// Stands still for at most `longest`, and for as long as it is not dropped.
    pub fn pause(&self, longest: Duration) -> Pause<'_> {
        let mut state = self.lock();
        if state.pauses == 0 {
            state.left = state.deadline.remaining();
        }
        state.pauses += 1;
        let left = state.left;
        state.run(longest + left);
        Pause(self)
    }

    /// Begins anew with that time.
    pub fn restart(&self, limit: Duration) {
        let mut state = self.lock();
        state.left = limit;
        state.run(limit);
    }

    /// Ends at `end` at the latest.
    pub fn end_by(&self, end: Deadline) {
        let mut state = self.lock();
        state.end = Some(state.end.map_or(end, |it| it.min(end)));
        state.deadline = state.deadline.min(end);
    }

    /// Runs `future` until the deadline, wherever that moves meanwhile; `None` once it has passed.
    pub async fn timeout<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut sleep = pin!(sleep_until(self.deadline().0));
        std::future::poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Some(output));
            }
            let deadline = self.deadline().0;
            if sleep.deadline() != deadline {
                sleep.as_mut().reset(deadline);
            }
            sleep.as_mut().poll(cx).map(|()| None)
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn run(&mut self, time: Duration) {
        let deadline = Deadline::after(time);
        self.deadline = self.end.map_or(deadline, |end| end.min(deadline));
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.pauses -= 1;
        if state.pauses == 0 {
            let left = state.left;
            state.run(left);
        }
    }
}
