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
use tracing::debug;

use crate::error::Capabilities;
pub use crate::error::Capability;
pub use ask::{Ask, ElicitResult, Elicited, Root, RootsResult};
pub use form::form;
pub use level::Level;
pub use sampling::{Sampled, Sampling};

/// The bytes of reports and log entries that wait to be sent.
const MAX_UNSENT: usize = 8 << 20;

/// What a function says to its client is kept here until the driver of the call takes it out. The driver runs the
/// function too, and lets it go on only when all was taken; but a task that the function has spawned runs on while the
/// client reads nothing, so reports and log entries beyond 8 MiB are left out.
pub struct Client {
    capabilities: Capabilities,
    wants_progress: bool,
    level: Option<Level>,
    has_asked: AtomicBool,
    /// None once the call has ended.
    outbox: Mutex<Option<Outbox>>,
    reader: AtomicWaker,
}

/// What was said and not taken.
#[derive(Default)]
struct Outbox {
    messages: VecDeque<Message>,
    /// The bytes of those that can be left out.
    bytes: usize,
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
            outbox: Mutex::new(Some(Outbox::default())),
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
            outbox.put(message);
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
            Some(said) if !said.messages.is_empty() => Poll::Ready(said.messages),
            _ => Poll::Pending,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Outbox>> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    fn put(&mut self, message: Message) {
        let bytes = match &message {
            Message::Progress(report) => size_of::<Message>() + report.message.len(),
            Message::Log(entry) => size_of::<Message>() + entry.data.get().len(),
            // The function waits for what comes of these.
            Message::Ask(_) | Message::Detach(_) => 0,
        };
        if self.bytes > 0 && self.bytes + bytes > MAX_UNSENT && bytes > 0 {
            debug!(
                bytes,
                "a client reads too slowly: a notification was left out"
            );
            return;
        }
        self.bytes += bytes;
        self.messages.push_back(message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_takes_is_bounded_and_questions_are_never_left_out() {
        let client = Client::new(Capabilities::default(), true, None);
        for _ in 0..100 {
            client.say(Message::Progress(Progress {
                done: 1.0,
                total: None,
                message: "x".repeat(1 << 20),
            }));
        }
        client.say(Message::Detach(oneshot::channel().0));
        let kept = client.lock().take().map_or(0, |it| it.messages.len());
        assert_eq!(kept, 7 + 1);
    }
}
