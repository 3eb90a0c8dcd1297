//! The deadline of a call.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The maximum time of a call, which keeps the arithmetic of `Instant` from overflowing.
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// The time by which a call must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// The remaining time of one call. It is paused while the client's user is asked, because that wait is not the
/// function's time.
pub struct Countdown {
    state: Mutex<CountdownState>,
}

struct CountdownState {
    deadline: Deadline,
    /// When the platform ends the call, despite pauses.
    end: Option<Deadline>,
    /// The number of active pauses.
    pauses: u32,
    /// The latest end of all pauses.
    until: Deadline,
    /// The remaining time after the pauses.
    left: Duration,
}

/// A pause of the countdown, which ends when it is dropped.
pub struct Pause<'a>(&'a Countdown);

impl Deadline {
    /// The deadline `left` from now, at most a year from now.
    pub fn after(left: Duration) -> Deadline {
        Deadline(Instant::now() + left.min(YEAR))
    }

    /// The deadline as an `Instant`.
    pub fn instant(self) -> Instant {
        self.0
    }

    /// The remaining time; zero after the deadline.
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The time limit of one step of the call: at most `limit`, and a tenth (at most 250 ms) less than the remaining
    /// time, so that the call can still answer after a slow step.
    pub fn budget(self, limit: Duration) -> Duration {
        let left = self.remaining();
        let reserve = (left / 10).min(Duration::from_millis(250));
        limit.min(left - reserve)
    }

    /// Runs `future` until the deadline; `None` if the deadline passes first.
    pub async fn timeout<F: Future>(self, future: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.0, future).await.ok()
    }
}

impl Countdown {
    /// Ends at `deadline`, and at `end` despite pauses.
    pub fn new(deadline: Deadline, end: Option<Deadline>) -> Countdown {
        let state = CountdownState {
            deadline,
            end,
            pauses: 0,
            until: deadline,
            left: Duration::ZERO,
        };
        Countdown {
            state: Mutex::new(state),
        }
    }

    /// The current deadline.
    pub fn deadline(&self) -> Deadline {
        self.lock().deadline
    }

    /// Pauses for at most `longest`, until the pause is dropped.
    pub fn pause(&self, longest: Duration) -> Pause<'_> {
        let mut state = self.lock();
        let until = Deadline::after(longest);
        if state.pauses == 0 {
            state.left = state.deadline.remaining();
            state.until = until;
        }
        state.until = state.until.max(until);
        state.pauses += 1;
        state.settle();
        Pause(self)
    }

    /// Starts again with `limit`, after the active pauses.
    pub fn restart(&self, limit: Duration) {
        let mut state = self.lock();
        state.left = limit;
        state.settle();
    }

    /// Moves the end to `end` if that is earlier.
    pub fn end_by(&self, end: Deadline) {
        let mut state = self.lock();
        state.end = Some(state.end.map_or(end, |it| it.min(end)));
        state.deadline = state.deadline.min(end);
    }

    /// Runs `future` until the deadline, even if pauses move it; `None` if the deadline passes first.
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

    fn lock(&self) -> MutexGuard<'_, CountdownState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CountdownState {
    /// Moves the start of the remaining time after the pauses, or to now.
    fn settle(&mut self) {
        let deadline = match self.pauses {
            0 => Deadline::after(self.left),
            _ => Deadline(self.until.0 + self.left),
        };
        self.deadline = self.end.map_or(deadline, |end| end.min(deadline));
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.pauses -= 1;
        if state.pauses == 0 {
            state.settle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const SECOND: Duration = Duration::from_secs(1);

    fn of(seconds: u32, end: Option<u32>) -> Countdown {
        let end = end.map(|it| Deadline::after(it * SECOND));
        Countdown::new(Deadline::after(seconds * SECOND), end)
    }

    /// The remaining time in seconds.
    fn left(countdown: &Countdown) -> u64 {
        countdown.deadline().remaining().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_gives_back_what_was_left_when_it_began() {
        let countdown = of(30, None);
        advance(10 * SECOND).await;
        let pause = countdown.pause(100 * SECOND);
        assert_eq!(left(&countdown), 120);
        advance(50 * SECOND).await;
        assert_eq!(left(&countdown), 70);
        drop(pause);
        assert_eq!(left(&countdown), 20);
        let pause = countdown.pause(5 * SECOND);
        advance(10 * SECOND).await;
        assert_eq!(left(&countdown), 15, "a pause ends at its limit");
        drop(pause);
        assert_eq!(left(&countdown), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn of_several_pauses_the_last_one_to_end_counts() {
        let countdown = of(30, None);
        let first = countdown.pause(100 * SECOND);
        advance(10 * SECOND).await;
        let second = countdown.pause(20 * SECOND);
        assert_eq!(left(&countdown), 120, "the first pause may last 90 s more");
        drop(first);
        advance(10 * SECOND).await;
        assert_eq!(left(&countdown), 110);
        drop(second);
        assert_eq!(left(&countdown), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_goes_beyond_the_end() {
        let countdown = of(30, Some(60));
        let pause = countdown.pause(100 * SECOND);
        assert_eq!(left(&countdown), 60);
        advance(50 * SECOND).await;
        drop(pause);
        assert_eq!(left(&countdown), 10);
        countdown.restart(100 * SECOND);
        assert_eq!(left(&countdown), 10);
        advance(20 * SECOND).await;
        assert_eq!(left(&countdown), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_restart_counts_from_now_or_from_the_end_of_the_pause() {
        let countdown = of(30, None);
        advance(20 * SECOND).await;
        countdown.restart(50 * SECOND);
        assert_eq!(left(&countdown), 50);
        let pause = countdown.pause(10 * SECOND);
        countdown.restart(70 * SECOND);
        assert_eq!(left(&countdown), 80);
        advance(5 * SECOND).await;
        drop(pause);
        assert_eq!(left(&countdown), 70);
    }

    #[tokio::test(start_paused = true)]
    async fn what_runs_ends_at_the_deadline_wherever_that_has_moved() {
        let countdown = of(10, None);
        let since = Instant::now();
        let asking = async {
            let pause = countdown.pause(100 * SECOND);
            tokio::time::sleep(60 * SECOND).await;
            drop(pause);
            std::future::pending::<()>().await;
        };
        assert_eq!(countdown.timeout(asking).await, None);
        assert_eq!(since.elapsed(), 70 * SECOND);
        assert_eq!(countdown.timeout(std::future::ready(1)).await, Some(1));
    }
}
