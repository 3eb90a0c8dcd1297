//! How far a call is, told to whoever asked while it still runs.

use tokio::sync::mpsc::UnboundedSender;

/// One report of a function: `done` of `total`, in units of its own.
pub struct Progress {
    /// What is done.
    pub done: f64,
    /// What there is to do, where that is known.
    pub total: Option<f64>,
    /// What happened, for people.
    pub message: String,
}

/// Where the reports of one call go. Nothing bounds it, because the one that reads it also runs the function, and lets
/// it go on only when all its reports are read.
pub type Reporter = UnboundedSender<Progress>;
