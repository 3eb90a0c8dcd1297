//! The end of the process, in two steps: first no more invocations are taken, then what still runs is given up.

use std::future::pending;

use tokio::sync::watch;

/// How far the end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Nobody has asked for it.
    None,
    /// No more invocations are taken.
    Stopping,
    /// What runs must be told to its caller as not done.
    Ending,
}

/// Where the steps are told.
pub(crate) struct Stopper(watch::Sender<Step>);

/// Where the steps are heard.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<Step>);

impl Stopper {
    /// One that has not begun.
    pub(crate) fn new() -> Stopper {
        Stopper(watch::Sender::new(Step::None))
    }

    /// A place where its steps are heard.
    pub(crate) fn stop(&self) -> Stop {
        Stop(self.0.subscribe())
    }

    /// Takes the step.
    pub(crate) fn reach(&self, step: Step) {
        self.0.send_replace(step);
    }
}

impl Stop {
    /// An end that never comes.
    pub(crate) fn never() -> Stop {
        Stopper::new().stop()
    }

    /// Whether the end has come that far.
    pub(crate) fn is_at(&self, step: Step) -> bool {
        *self.0.borrow() >= step
    }

    /// Ready once the end has come that far.
    pub(crate) async fn reached(&mut self, step: Step) {
        if self.0.wait_for(|it| *it >= step).await.is_err() {
            // Whoever could take a step is gone.
            pending().await
        }
    }
}
