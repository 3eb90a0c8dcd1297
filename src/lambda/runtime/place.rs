//! A place in the loop of `lambda_runtime`, in which invocations are answered one after the other.
//!
//! The future that answers is as large as all that a call can be, 18 KB. Where each invocation made one of its own, it was
//! moved into memory that was in no cache; so one future answers all invocations of a place.

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

/// A place. A clone is another one.
pub(crate) struct Place {
    worker: Arc<Worker>,
    /// Told when the loop drops this place, which nothing else reports.
    lost: UnboundedSender<()>,
    desk: Arc<Mutex<Desk>>,
    /// Answers what comes to the desk; made for the first invocation.
    work: Arc<Mutex<Option<BoxFuture<'static, Infallible>>>>,
}

/// Where an invocation is handed over.
#[derive(Default)]
enum Desk {
    /// There is none, or it is answered.
    #[default]
    Free,
    Waiting(Box<LambdaInvocation>),
    Busy,
}

impl Place {
    pub(crate) fn new(worker: Arc<Worker>, lost: UnboundedSender<()>) -> Place {
        Place {
            worker,
            lost,
            desk: Arc::default(),
            work: Arc::default(),
        }
    }

    /// Answers an invocation, after which the loop goes on with the next one.
    pub(crate) fn answer(
        &self,
        invocation: LambdaInvocation,
    ) -> impl Future<Output = Result<(), ApiError>> + Send + use<> {
        *lock(&self.desk) = Desk::Waiting(Box::new(invocation));
        let Place { worker, desk, .. } = self;
        let (worker, desk, work) = (worker.clone(), desk.clone(), self.work.clone());
        poll_fn(move |cx| {
            let start = || answer_all(worker.clone(), desk.clone()).boxed();
            let mut work = lock(&work);
            if let Poll::Ready(never) = work.get_or_insert_with(start).poll_unpin(cx) {
                match never {}
            }
            match *lock(&desk) {
                Desk::Free => Poll::Ready(Ok(())),
                Desk::Waiting(_) | Desk::Busy => Poll::Pending,
            }
        })
    }
}

impl Clone for Place {
    fn clone(&self) -> Place {
        Place::new(self.worker.clone(), self.lost.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The receiver is dropped only where the process ends.
        let _ = self.lost.send(());
    }
}

/// Answers each invocation that comes to the desk. It is polled only while there is one, so no waker is kept.
async fn answer_all(worker: Arc<Worker>, desk: Arc<Mutex<Desk>>) -> Infallible {
    let mut limit = pin!(sleep(Duration::ZERO));
    loop {
        let invocation = poll_fn(|_| lock(&desk).take()).await;
        worker.run_in_loop(*invocation, limit.as_mut()).await;
        let mut now = lock(&desk);
        if matches!(*now, Desk::Busy) {
            *now = Desk::Free;
        }
    }
}

impl Desk {
    fn take(&mut self) -> Poll<Box<LambdaInvocation>> {
        match std::mem::replace(self, Desk::Busy) {
            Desk::Waiting(invocation) => Poll::Ready(invocation),
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
