//! The end of an application: what it does after its last request, such as closing a database.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::BoxError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tracing::error;

use super::App;
use crate::clock::Deadline;
use crate::context::Context;

/// What runs after the last request.
pub(crate) type OnStop =
    Box<dyn FnOnce(Context) -> BoxFuture<'static, Result<(), BoxError>> + Send>;

/// What is still to run at the end; empty once it has run.
pub(super) struct Stopping(Mutex<Vec<OnStop>>);

impl Stopping {
    pub(super) fn new(on_stop: Vec<OnStop>) -> Stopping {
        Stopping(Mutex::new(on_stop))
    }

    fn take(&self) -> Vec<OnStop> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl App {
    /// Runs what [`Server::on_stop`](crate::Server::on_stop) was given, the last first, for `limit` in all. A failure is
    /// logged, and the others still run. A second call does nothing. The transports of the library call it after the last
    /// request; a program that brings its own transport calls it there.
    pub async fn stop(&self, limit: Duration) {
        let end = Deadline::after(limit);
        if let Some(mounts) = &self.mounts {
            mounts.stop(end.remaining()).await;
        }
        for on_stop in self.stopping.take().into_iter().rev() {
            let cx = self.context().part(end);
            let running = AssertUnwindSafe(async move { on_stop(cx).await }).catch_unwind();
            match end.timeout(running).await {
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => error!(%error, "what runs at the end failed"),
                // The panic hook has written where.
                Some(Err(_)) => error!("what runs at the end panicked"),
                None => error!("what runs at the end was given up: the time is over"),
            }
        }
    }
}
