//! One slot of a worker: `lambda_runtime` calls it with one invocation after the other.
//!
//! The future that answers an invocation takes 18 KB. Making a new one for each invocation meant writing to memory that was
//! in no processor cache, so one future answers all invocations of a slot.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use lambda_runtime::LambdaInvocation;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::sleep;

use crate::lambda::runtime::api::ApiError;
use crate::lambda::runtime::worker::Worker;

/// Answers one invocation at a time. A clone is a new slot.
pub(crate) struct Slot {
    worker: Arc<Worker>,
    /// Is sent a message when `lambda_runtime` drops this slot, which it does not report otherwise.
    dropped: UnboundedSender<()>,
    state: Arc<Mutex<State>>,
    /// The future that answers all invocations of this slot; made for the first one.
    answering: Arc<Mutex<Option<BoxFuture<'static, Infallible>>>>,
}

/// Passes an invocation to the future that answers it.
#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// The future has not taken the invocation yet.
    Pending(Box<LambdaInvocation>),
    Running,
}

impl Slot {
    pub(crate) fn new(worker: Arc<Worker>, dropped: UnboundedSender<()>) -> Slot {
        Slot {
            worker,
            dropped,
            state: Arc::default(),
            answering: Arc::default(),
        }
    }

    /// Answers an invocation. The returned future completes when the response is posted.
    pub(crate) fn answer(
        &self,
        invocation: LambdaInvocation,
    ) -> impl Future<Output = Result<(), ApiError>> + Send + use<> {
        *lock(&self.state) = State::Pending(Box::new(invocation));
        let (worker, state) = (self.worker.clone(), self.state.clone());
        let answering = self.answering.clone();
        poll_fn(move |cx| {
            let start = || answer_all(worker.clone(), state.clone()).boxed();
            let mut answering = lock(&answering);
            if let Poll::Ready(never) = answering.get_or_insert_with(start).poll_unpin(cx) {
                match never {}
            }
            match *lock(&state) {
                State::Idle => Poll::Ready(Ok(())),
                State::Pending(_) | State::Running => Poll::Pending,
            }
        })
    }
}

impl Clone for Slot {
    fn clone(&self) -> Slot {
        Slot::new(self.worker.clone(), self.dropped.clone())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // This fails only while the process ends, when there is no receiver.
        let _ = self.dropped.send(());
    }
}

/// Answers each invocation that becomes pending. It is polled only while the slot has one, so it needs no waker.
async fn answer_all(worker: Arc<Worker>, state: Arc<Mutex<State>>) -> Infallible {
    let mut limit = pin!(sleep(Duration::ZERO));
    loop {
        let invocation = poll_fn(|_| lock(&state).take()).await;
        worker.run_in_loop(*invocation, limit.as_mut()).await;
        let mut state = lock(&state);
        if matches!(*state, State::Running) {
            *state = State::Idle;
        }
    }
}

impl State {
    /// Takes the pending invocation, which is running from then on.
    fn take(&mut self) -> Poll<Box<LambdaInvocation>> {
        match std::mem::replace(self, State::Running) {
            State::Pending(invocation) => Poll::Ready(invocation),
            other => {
                *self = other;
                Poll::Pending
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
