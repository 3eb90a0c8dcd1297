//! What is known of the state of a mounted server, for `/health`, `GET /mounts` and the command line.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::offer::{Offer, Refused};

/// The state of one mounted server.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct MountStatus {
    /// The name of the mount.
    pub(crate) name: String,
    /// `starting`, `kept` (its lists are those of an earlier process), `up`, `down` or `stopped`.
    pub(crate) state: &'static str,
    /// `http` or `stdio`.
    pub(crate) transport: &'static str,
    /// The revision that was agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revision: Option<&'static str>,
    /// How many are offered.
    pub(crate) tools: usize,
    pub(crate) resources: usize,
    pub(crate) prompts: usize,
    /// What is not offered, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) refused: Vec<Refused>,
    /// The last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// How often the connection was lost.
    pub(crate) reconnects: u32,
    /// The calls so far, and how long the last one took.
    pub(crate) calls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_ms: Option<u64>,
}

/// The state of one mounted server, which changes.
pub(super) struct Status(Mutex<MountStatus>);

impl Status {
    pub(super) fn new(name: &str, transport: &'static str) -> Status {
        Status(Mutex::new(MountStatus {
            name: name.to_owned(),
            state: "starting",
            transport,
            ..MountStatus::default()
        }))
    }

    pub(super) fn current(&self) -> MountStatus {
        self.lock().clone()
    }

    /// This is offered: the server has answered, or its lists are `kept`.
    pub(super) fn offers(&self, is_kept: bool, revision: &'static str, offer: &Offer) {
        let mut status = self.lock();
        status.state = if is_kept { "kept" } else { "up" };
        status.error = None;
        status.revision = Some(revision);
        status.tools = offer.functions.tools.len();
        let listed = offer.functions.resources.iter();
        status.resources = listed.filter(|it| it.is_listed()).count();
        status.prompts = offer.functions.prompts.len();
        status.refused = offer.refused.clone();
    }

    /// The server cannot be reached. True if it could before.
    pub(super) fn down(&self, error: String) -> bool {
        let mut status = self.lock();
        let was_up = status.state == "up";
        status.reconnects += u32::from(was_up);
        status.state = "down";
        status.error = Some(error);
        was_up
    }

    pub(super) fn stopped(&self) {
        self.lock().state = "stopped";
    }

    /// A call has ended.
    pub(super) fn record(&self, time: Duration, problem: Option<String>) {
        let mut status = self.lock();
        status.calls += 1;
        status.latency_ms = Some(time.as_millis() as u64);
        if status.state == "kept" && problem.is_none() {
            status.state = "up";
        }
        status.error = problem.or(status.error.take());
    }

    fn lock(&self) -> MutexGuard<'_, MountStatus> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
