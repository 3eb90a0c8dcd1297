//! The client of one call, as far as its function may talk to it while it runs.

mod ask;
pub(crate) mod form;
mod level;
mod sampling;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

pub use crate::error::{Capabilities, Capability};
pub use ask::{Ask, ElicitResult, Elicited, Root, RootsResult};
pub use form::form;
pub use level::Level;
pub use sampling::{Sampled, Sampling};

/// What a function says to its client is kept here until whoever drives the call takes it out. That one runs the
/// function too, and lets it go on only when all was taken, so nothing bounds what is kept.
pub struct Client {
    capabilities: Capabilities,
    wants_progress: bool,
    level: Option<Level>,
    has_asked: AtomicBool,
    /// None once the call has ended.
    outbox: Mutex<Option<VecDeque<Message>>>,
    reader: AtomicWaker,
}

/// One thing that a function says to its client.
pub enum Message {
    /// How far it is.
    Progress(Progress),
    /// What happened.
    Log(Log),
    /// A question, on whose answer the function waits.
    Ask(Ask),
    /// The rest of the call may run as a task; the sender is told once it does, or cannot.
    Detach(oneshot::Sender<()>),
}

/// One report of a function: `done` of `total`, in units of its own.
pub struct Progress {
    /// What is done.
    pub done: f64,
    /// What there is to do, where that is known.
    pub total: Option<f64>,
    /// What happened, for people.
    pub message: String,
}

/// One entry for the client's log.
pub struct Log {
    /// How grave it is.
    pub level: Level,
    /// Any JSON.
    pub data: Box<RawValue>,
}

impl Client {
    /// A client with those capabilities, which wants to know how far the call is, and the log from that level on.
    pub fn new(capabilities: Capabilities, wants_progress: bool, level: Option<Level>) -> Client {
        Client {
            capabilities,
            wants_progress,
            level,
            has_asked: AtomicBool::new(false),
            outbox: Mutex::new(Some(VecDeque::new())),
            reader: AtomicWaker::new(),
        }
    }

    /// What the client can do.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Whether the client takes such questions.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.has(capability)
    }

    /// Whether it wants to know how far the call is.
    pub fn wants_progress(&self) -> bool {
        self.wants_progress
    }

    /// Whether it wants entries of that level.
    pub fn wants(&self, level: Level) -> bool {
        self.level.is_some_and(|wanted| level >= wanted)
    }

    /// Whether the function has asked anything, so that its answer may be for this client alone.
    pub fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// Says something to the client; after the end of the call, to nobody.
    pub fn say(&self, message: Message) {
        if let Message::Ask(_) = message {
            self.has_asked.store(true, Ordering::Relaxed);
        }
        if let Some(outbox) = self.lock().as_mut() {
            outbox.push_back(message);
        }
        self.reader.wake();
    }

    /// Ends what is said: a task that the function left behind has nobody to say anything to, and would be kept waiting
    /// for an answer.
    pub fn close(&self) {
        let unheard = self.lock().take();
        drop(unheard);
    }

    /// What was said since it was last taken; whoever polls is woken when there is something.
    pub fn poll_said(&self, cx: &mut Context<'_>) -> Poll<VecDeque<Message>> {
        self.reader.register(cx.waker());
        match self.lock().as_mut().map(std::mem::take) {
            Some(said) if !said.is_empty() => Poll::Ready(said),
            _ => Poll::Pending,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<VecDeque<Message>>> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
