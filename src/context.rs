//! What a function may use: upstreams, the clock, its deadline, the application's own state.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::Extensions;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::config::Config;
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::progress::{Progress, Reporter};
use crate::upstream::{Freshness, Meter, Upstream, Upstreams};

/// What a function may use while it answers one call. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    services: Arc<Services>,
    call: Arc<Call>,
    reporter: Option<Reporter>,
}

/// What all calls of one process share.
pub struct Services {
    /// The settings of the process.
    pub config: Config,
    /// The door to the upstream APIs.
    pub upstreams: Upstreams,
    /// The application's own values, one of each type.
    pub state: Extensions,
    /// The life of this process.
    pub process: Process,
}

/// The life of this process.
pub struct Process {
    started: Instant,
    requests: AtomicU64,
}

/// What belongs to one request, or to one part of it.
pub struct Call {
    /// The id in the log and in `x-request-id`.
    pub id: String,
    /// When the answer must be ready.
    pub deadline: Deadline,
    /// The same for an answer that is a stream, which keeps more time to end in good order.
    pub stream_deadline: Deadline,
    /// What it cost upstream.
    pub meter: Arc<Meter>,
    /// Whether it is a part of another call.
    pub is_part: bool,
}

impl Context {
    /// The context of one call.
    pub fn new(services: Arc<Services>, call: Arc<Call>) -> Context {
        Context {
            services,
            call,
            reporter: None,
        }
    }

    /// The same call for a function whose reports of progress are read, as a stream that ends with its answer.
    pub fn reporting(self, reporter: Reporter) -> Context {
        let call = Arc::new(self.call.until(self.call.stream_deadline));
        Context {
            call,
            reporter: Some(reporter),
            ..self
        }
    }

    /// A context for one part of this call: it ends at `deadline`, at the latest with the call, what it costs and how
    /// fresh its data is counts for both, and nobody reads its progress.
    pub fn part(&self, deadline: Deadline) -> Context {
        let call = Call {
            meter: Arc::new(Meter::part(self.call.meter.clone())),
            is_part: true,
            ..self.call.until(deadline)
        };
        Context::new(self.services.clone(), Arc::new(call))
    }

    /// Whether this is the context of a part of a call.
    pub fn is_part(&self) -> bool {
        self.call.is_part
    }

    /// Tells the client how far the call is: `done` of `total`, and what happened. It is free when nobody asked. What
    /// is not more than the last report is not sent.
    pub fn progress(&self, done: f64, total: Option<f64>, message: &str) {
        let Some(reporter) = &self.reporter else {
            return;
        };
        let message = message.to_owned();
        // The reader is gone only when the client is, and then nothing is left to tell.
        let _ = reporter.send(Progress {
            done,
            total,
            message,
        });
    }

    /// Asks an upstream for the JSON at `path` (with its query), within the call's deadline.
    ///
    /// # Errors
    /// `NotFound` for a 404, an upstream kind for every other failure.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        upstream: &Upstream,
        path: &str,
    ) -> Result<T> {
        self.services
            .upstreams
            .get_json(upstream, path, self.call.deadline, &self.call.meter)
            .await
    }

    /// How fresh the data is that the call has got from upstreams so far.
    pub fn freshness(&self) -> Option<Freshness> {
        self.call.meter.freshness()
    }

    /// Says that the answer lacks a part: then nobody keeps it, and the log tells.
    pub fn lost(&self) {
        self.call.meter.lost();
    }

    /// Drops what was kept of all that this call asked of upstreams, because it cannot be.
    pub fn distrust(&self) {
        self.services.upstreams.distrust(&self.call.meter);
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.services.config.clock.now()
    }

    /// When the answer must be ready.
    pub fn deadline(&self) -> Deadline {
        self.call.deadline
    }

    /// The id in the log and in `x-request-id`.
    pub fn request_id(&self) -> &str {
        &self.call.id
    }

    /// The settings of the process.
    pub fn config(&self) -> &Config {
        &self.services.config
    }

    /// The life of this process.
    pub fn process(&self) -> &Process {
        &self.services.process
    }

    /// The value of type `T` that the application was built with.
    ///
    /// # Errors
    /// `Internal` where there is none.
    pub fn state<T: Send + Sync + 'static>(&self) -> Result<&T> {
        let missing = || {
            Error::internal(format!(
                "no state of type `{}` was registered",
                std::any::type_name::<T>()
            ))
        };
        self.services.state.get().ok_or_else(missing)
    }
}

impl Call {
    /// The same call, which ends at `deadline` if that is earlier.
    fn until(&self, deadline: Deadline) -> Call {
        Call {
            id: self.id.clone(),
            deadline: deadline.min(self.deadline),
            stream_deadline: self.stream_deadline,
            meter: self.meter.clone(),
            is_part: self.is_part,
        }
    }
}

impl Process {
    /// A process that has just started.
    pub fn start() -> Process {
        Process {
            started: Instant::now(),
            requests: AtomicU64::new(0),
        }
    }

    /// Counts one request; true for the first.
    pub fn count(&self) -> bool {
        self.requests.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Requests so far, the running ones included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Time since start.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}
