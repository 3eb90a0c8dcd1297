//! The end of this process, for what would outlast it: questions that wait for an answer, and tasks.

use tokio::sync::watch;

/// Whether the process is to end. All clones share one state.
#[derive(Clone)]
pub(crate) struct Shutdown(watch::Sender<bool>);

/// What the process waits for before it ends, until this is dropped.
pub(crate) struct Stay(watch::Receiver<bool>);

impl Shutdown {
    pub(crate) fn new() -> Shutdown {
        Shutdown(watch::Sender::new(false))
    }

    /// The process is to end: pending requests to clients are abandoned, no call becomes a task any more, and running tasks
    /// get a short time to finish.
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// From now on the process waits for one more.
    pub(crate) fn stay(&self) -> Stay {
        Stay(self.0.subscribe())
    }

    /// Ready when the process waits for nothing.
    pub(crate) async fn is_over(&self) {
        self.0.closed().await;
    }
}

impl Stay {
    /// Ready when the process is to end.
    pub(crate) async fn ends(&mut self) {
        // The waiting task keeps a sender too, so the wait ends in no other way.
        drop(self.0.wait_for(|it| *it).await);
    }
}
