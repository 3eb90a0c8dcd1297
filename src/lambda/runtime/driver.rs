//! Runs the loop of `lambda_runtime`, and takes invocations without it where it ends.
//!
//! The loop ends when an invocation or its headers cannot be read, and panics when the platform refuses a request. If one of
//! several workers ends so, `lambda_runtime` does not report it; and if the platform does not respond, several workers ask
//! it again and again without a pause.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde::de::IgnoredAny;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tower::layer::layer_fn;
use tracing::{error, warn};

use crate::clock::Backoff;
use crate::lambda::runtime::api::{Api, ApiError};
use crate::lambda::runtime::health::WorkerHealth;
use crate::lambda::runtime::slot::Slot;
use crate::lambda::runtime::worker::Worker;

/// The retries after the platform failed to give an invocation; the wait doubles each time. A worker retries more often while
/// other workers of the process still get invocations.
const MAX_RETRIES: u32 = 5;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(1600));

/// The attempts to reach a platform that does not respond: few, because the workers of `lambda_runtime` spin meanwhile.
const GONE_AFTER: u32 = 3;

/// Takes invocations for a worker.
#[derive(Clone)]
pub(crate) struct Driver {
    pub(crate) worker: Arc<Worker>,
    pub(crate) api: Api,
    pub(crate) health: WorkerHealth,
}

impl Driver {
    /// Takes invocations, one at a time or several, until the process shuts down. Running ones are finished first.
    ///
    /// # Errors
    /// The platform gives no more invocations.
    pub(crate) async fn run(&self, concurrency: u32) -> Result<(), ApiError> {
        let taking = match concurrency {
            1 => self.one_at_a_time().boxed(),
            _ => self.several_at_once().boxed(),
        };
        tokio::select! {
            biased;
            () = self.worker.drained() => Ok(()),
            ended = taking => ended,
        }
    }

    /// After the loop has ended, the next invocation is taken without it: the platform delivers one that it could not read
    /// again until it is answered.
    async fn one_at_a_time(&self) -> Result<(), ApiError> {
        loop {
            let error = self.run_loop(unbounded_channel().0).await;
            let start = std::env::var("AWS_LAMBDA_INITIALIZATION_TYPE");
            if start.is_ok_and(|it| it == "snap-start") {
                // The loop would ask again to be restored.
                return Err(error);
            }
            warn!(%error, "the loop of `lambda_runtime` ended; the next invocation is taken without it");
            self.take().await?;
        }
    }

    /// Each worker that ends is replaced.
    async fn several_at_once(&self) -> Result<(), ApiError> {
        let (dropped, mut drops) = unbounded_channel();
        let mut looping = pin!(self.run_loop(dropped).fuse());
        let mut gone = pin!(gone(&self.api.authority));
        let mut replacements: JoinSet<Result<(), ApiError>> = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                Some(()) = drops.recv() => {
                    warn!("a worker of `lambda_runtime` ended, which may leave an invocation unanswered; it is replaced");
                    let driver = self.clone();
                    replacements.spawn(async move { loop { driver.take().await?; } });
                }
                Some(ended) = replacements.join_next() => ended??,
                error = &mut gone => return Err(error),
                _ = &mut looping => {}
            }
        }
    }

    /// Runs the loop of `lambda_runtime`, and returns why it ended.
    async fn run_loop(&self, dropped: UnboundedSender<()>) -> ApiError {
        let answering = layer_fn(|_| {
            let slot = Slot::new(self.worker.clone(), dropped.clone());
            service_fn(move |invocation| slot.answer(invocation))
        });
        let taking = AssertUnwindSafe(async {
            // The layer answers, so this handler is never called.
            let handler = service_fn(async |_: LambdaEvent<IgnoredAny>| Ok::<(), ApiError>(()));
            Runtime::new(handler)
                .layer(answering)
                .run_concurrent()
                .await
        });
        match taking.catch_unwind().await {
            Ok(ended) => ended.err().unwrap_or_else(|| "it has no more work".into()),
            Err(_) => "it panicked: the platform refused a request, or left out a header".into(),
        }
    }

    /// Takes one invocation without the loop.
    ///
    /// # Errors
    /// The platform refuses all workers repeatedly.
    async fn take(&self) -> Result<(), ApiError> {
        let mut failures = 0;
        loop {
            match self.api.next().await {
                Ok(invocation) => {
                    if failures > MAX_RETRIES {
                        self.health.mark_recovered();
                    }
                    let limit = pin!(tokio::time::sleep(Duration::ZERO));
                    // The future is large, and most processes never need it.
                    Box::pin(self.worker.run(invocation, limit)).await;
                    return Ok(());
                }
                Err(error) if failures == MAX_RETRIES && self.health.mark_refused() => {
                    error!(%error, "the platform gives no more invocations");
                    return Err(error);
                }
                Err(error) => {
                    warn!(%error, "no invocation could be taken; trying again");
                    failures = (failures + 1).min(MAX_RETRIES + 1);
                    // The API serves this process alone, so the waits need no jitter.
                    tokio::time::sleep(BACKOFF.limit(failures)).await;
                }
            }
        }
    }
}

/// Waits until the platform is gone: it has closed an idle connection, and accepts no new one.
async fn gone(authority: &str) -> ApiError {
    let mut failures = 0;
    loop {
        match TcpStream::connect(authority).await {
            // Nothing is requested, so the read returns when the connection is closed.
            Ok(mut socket) => {
                let _ = socket.read(&mut [0]).await;
                failures = 0;
            }
            Err(error) if failures == GONE_AFTER => {
                error!(%error, "the platform is gone");
                return error.into();
            }
            Err(_) => failures += 1,
        }
        tokio::time::sleep(BACKOFF.limit(failures + 1)).await;
    }
}
