//! The shutdown of the process, in two phases: first no more invocations are taken, then running ones are given up.

use std::future::pending;

use tokio::sync::watch;

/// The phases of the process, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Invocations are taken.
    Running,
    /// No more invocations are taken; running ones may finish.
    Draining,
    /// Running invocations are answered with a failure.
    Terminating,
}

/// The sending side: announces each phase.
pub(crate) struct ShutdownSender(watch::Sender<Phase>);

/// The receiving side: waits for a phase.
#[derive(Clone)]
pub(crate) struct Shutdown(watch::Receiver<Phase>);

impl ShutdownSender {
    /// A sender for a process that is running.
    pub(crate) fn new() -> ShutdownSender {
        ShutdownSender(watch::Sender::new(Phase::Running))
    }

    /// A receiver of its phases.
    pub(crate) fn subscribe(&self) -> Shutdown {
        Shutdown(self.0.subscribe())
    }

    /// Announces that the process enters this phase.
    pub(crate) fn enter(&self, phase: Phase) {
        self.0.send_replace(phase);
    }
}

impl Shutdown {
    /// A shutdown that never happens.
    pub(crate) fn never() -> Shutdown {
        ShutdownSender::new().subscribe()
    }

    /// Whether the process is in this phase or a later one.
    pub(crate) fn has_reached(&self, phase: Phase) -> bool {
        *self.0.borrow() >= phase
    }

    /// Waits until the process is in this phase or a later one.
    pub(crate) async fn reached(&mut self, phase: Phase) {
        if self.0.wait_for(|it| *it >= phase).await.is_err() {
            // The sender is dropped, so no further phase can come.
            pending().await
        }
    }
}
