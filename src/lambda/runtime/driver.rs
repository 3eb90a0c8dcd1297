//! Runs the loop of `lambda_runtime`, and stands in for it where it gives up.
//!
//! The loop ends for good where an invocation or its headers cannot be read, and panics where the platform refuses a
//! request. One of several workers that does so is lost without a report, and where the platform is gone, several workers
//! ask it again and again without a pause.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde::de::IgnoredAny;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tower::layer::layer_fn;
use tracing::{error, warn};

use crate::clock::Backoff;
use crate::lambda::runtime::api::{Api, ApiError};
use crate::lambda::runtime::health::WorkerHealth;
use crate::lambda::runtime::worker::{Place, Worker};

/// The retries after the platform failed to give an invocation; the wait doubles each time. There are more while other
/// workers of the process still get invocations.
const MAX_RETRIES: u32 = 5;
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(50), Duration::from_millis(1600));

/// The attempts to reach a platform that has closed a connection. They are few, because several workers of `lambda_runtime`
/// use all of the processor meanwhile.
const GONE_AFTER: u32 = 3;

/// Takes invocations until the process shuts down; running ones are finished first.
#[derive(Clone)]
pub(crate) struct Driver {
    worker: Arc<Worker>,
    api: Api,
    health: WorkerHealth,
}

impl Driver {
    pub(crate) fn new(worker: Arc<Worker>, api: Api, concurrency: u32) -> Driver {
        Driver {
            worker,
            api,
            health: WorkerHealth::new(concurrency),
        }
    }

    /// Takes invocations, one at a time or several, until the process shuts down.
    ///
    /// # Errors
    /// The platform gives no more invocations.
    pub(crate) async fn run(&self) -> Result<(), ApiError> {
        let taking = match self.health.is_alone() {
            true => self.one_at_a_time().boxed(),
            false => self.several_at_once().boxed(),
        };
        tokio::select! {
            biased;
            () = self.worker.drained() => Ok(()),
            ended = taking => ended,
        }
    }

    /// Where the loop ends, the next invocation is taken without it: one that it could not read is delivered again, until
    /// it is answered.
    async fn one_at_a_time(&self) -> Result<(), ApiError> {
        let (lost, _) = unbounded_channel();
        loop {
            let error = self.stock(lost.clone()).await;
            if is_snapshot() {
                // The loop would ask for the restore again.
                return Err(error);
            }
            warn!(%error, "the loop of `lambda_runtime` ended; the next invocation is taken without it");
            self.take().await?;
        }
    }

    /// Each worker that the loop loses is replaced.
    async fn several_at_once(&self) -> Result<(), ApiError> {
        let (lost, mut losses) = unbounded_channel();
        let mut loops = pin!(self.stock(lost).fuse());
        let mut gone = pin!(gone(&self.api));
        let mut replacements = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                Some(()) = losses.recv() => {
                    warn!("a worker of `lambda_runtime` ended, which may leave an invocation unanswered; it is replaced");
                    let driver = self.clone();
                    replacements.spawn(async move {
                        loop {
                            driver.take().await?;
                        }
                    });
                }
                _ = &mut loops => {}
                Some(ended) = replacements.join_next() => {
                    let ended: Result<(), ApiError> = ended.unwrap_or_else(|panic| Err(panic.into()));
                    ended?;
                }
                error = &mut gone => return Err(error),
            }
        }
    }

    /// Runs the loop of `lambda_runtime`, and returns why it ended.
    async fn stock(&self, lost: UnboundedSender<()>) -> ApiError {
        let place = layer_fn(|_| Place::new(self.worker.clone(), lost.clone()));
        let taking = AssertUnwindSafe(async {
            // The layer answers, so this handler is never called.
            let handler = service_fn(async |_: LambdaEvent<IgnoredAny>| Ok::<(), ApiError>(()));
            Runtime::new(handler).layer(place).run_concurrent().await
        });
        match taking.catch_unwind().await {
            Ok(Ok(())) => "it ended by itself".into(),
            Ok(Err(error)) => error,
            Err(panic) => message(&*panic).into(),
        }
    }

    /// Takes one invocation without the loop.
    ///
    /// # Errors
    /// The platform refuses all workers again and again.
    async fn take(&self) -> Result<(), ApiError> {
        let mut failures = 0;
        loop {
            match self.api.next().await {
                Ok(invocation) => {
                    if failures > MAX_RETRIES {
                        self.health.mark_recovered();
                    }
                    self.worker.run(invocation).await;
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

/// Waits until the platform is gone: it has closed an idle connection, and takes no other.
async fn gone(api: &Api) -> ApiError {
    let mut failures = 0;
    loop {
        match api.until_closed().await {
            Ok(()) => failures = 0,
            Err(error) if failures == GONE_AFTER => {
                error!(%error, "the platform is gone");
                return error;
            }
            Err(_) => failures += 1,
        }
        tokio::time::sleep(BACKOFF.limit(failures + 1)).await;
    }
}

/// Whether the process is started from a snapshot, as `lambda_runtime` sees it.
fn is_snapshot() -> bool {
    std::env::var("AWS_LAMBDA_INITIALIZATION_TYPE").is_ok_and(|it| it == "snap-start")
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}
