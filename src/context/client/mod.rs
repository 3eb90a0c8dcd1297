//! The client of one call, to which its function can send messages while it runs.

mod ask;
pub(crate) mod form;
mod level;
pub(crate) mod run;
mod sampling;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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

/// The limit of bytes of progress reports and log entries that wait to be sent.
const MAX_UNSENT: usize = 8 << 20;

/// The messages of a function to its client wait here until the driver of the call takes them. The driver also runs the
/// function, and polls it only when all messages were taken. A task that the function has spawned keeps running while the
/// client reads nothing, so progress reports and log entries beyond 8 MiB are dropped.
pub struct Client {
    capabilities: Capabilities,
    wants_progress: bool,
    level: Option<Level>,
    /// For a client that answers by calling again: the names of the questions that it has answered this time.
    rounds: Option<Vec<String>>,
    has_asked: AtomicBool,
    /// The questions that wait for an answer.
    open: AtomicUsize,
    /// `None` once the call has ended.
    outbox: Mutex<Option<Outbox>>,
    reader: AtomicWaker,
}

/// A question that waits for an answer.
pub struct OpenQuestion<'c>(&'c Client);

/// The messages that were not taken yet.
#[derive(Default)]
struct Outbox {
    messages: VecDeque<Message>,
    /// The bytes of the messages that may be dropped.
    bytes: usize,
}

/// One message of a function to its client.
pub enum Message {
    /// A progress report.
    Progress(Progress),
    /// A log entry.
    Log(Log),
    /// A question, whose answer the function awaits.
    Ask(Ask),
    /// The rest of the call may run as a task. The sender is used once it does, and dropped if it cannot.
    Detach(oneshot::Sender<()>),
}

/// One progress report: `done` of `total`, in any unit.
pub struct Progress {
    /// The amount that is done.
    pub done: f64,
    /// The total amount, where it is known.
    pub total: Option<f64>,
    /// A message for the user.
    pub message: String,
}

/// One entry for the client's log.
pub struct Log {
    /// The severity.
    pub level: Level,
    /// Any JSON.
    pub data: Box<RawValue>,
}

impl Client {
    /// A client with these capabilities, which may want progress reports, and log entries from `level` on.
    pub fn new(capabilities: Capabilities, wants_progress: bool, level: Option<Level>) -> Client {
        Client {
            capabilities,
            wants_progress,
            level,
            rounds: None,
            has_asked: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            outbox: Mutex::new(Some(Outbox::default())),
            reader: AtomicWaker::new(),
        }
    }

    /// The same client, which answers by calling again and has answered these questions now.
    pub fn in_rounds(self, answered: Vec<String>) -> Client {
        Client {
            rounds: Some(answered),
            ..self
        }
    }

    /// The names of the questions that it has answered this time, if it answers by calling again.
    pub fn rounds(&self) -> Option<&[String]> {
        self.rounds.as_deref()
    }

    /// The level from which on it wants log entries.
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// The capabilities of the client.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Whether the client has this capability.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.has(capability)
    }

    /// Whether it wants progress reports.
    pub fn wants_progress(&self) -> bool {
        self.wants_progress
    }

    /// Whether it wants log entries of this level.
    pub fn wants(&self, level: Level) -> bool {
        self.level.is_some_and(|wanted| level >= wanted)
    }

    /// Whether the function has asked a question; then its result may be specific to this client.
    pub fn has_asked(&self) -> bool {
        self.has_asked.load(Ordering::Relaxed)
    }

    /// Whether the function waits for an answer.
    pub fn is_asking(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    /// Counts a question as open, as long as the result is kept.
    pub fn open_question(&self) -> OpenQuestion<'_> {
        self.open.fetch_add(1, Ordering::Relaxed);
        OpenQuestion(self)
    }

    /// Sends a message to the client; after the end of the call it is dropped.
    pub fn send(&self, message: Message) {
        if let Message::Ask(_) = message {
            self.has_asked.store(true, Ordering::Relaxed);
        }
        if let Some(outbox) = self.lock().as_mut() {
            outbox.put(message);
        }
        self.reader.wake();
    }

    /// Drops all messages, now and later. A task that outlives its function has no client any more, and must not wait for
    /// an answer.
    pub fn close(&self) {
        let outbox = self.lock().take();
        // Dropped outside of the lock, because dropping a question wakes its function.
        drop(outbox);
    }

    /// Takes the messages since the last call; the task is woken when there are some.
    pub fn poll_messages(&self, cx: &mut Context<'_>) -> Poll<VecDeque<Message>> {
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

impl Drop for OpenQuestion<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Outbox {
    fn put(&mut self, message: Message) {
        let bytes = match &message {
            Message::Progress(report) => size_of::<Message>() + report.message.len(),
            Message::Log(entry) => size_of::<Message>() + entry.data.get().len(),
            // The function waits for these, so they are never dropped.
            Message::Ask(_) | Message::Detach(_) => 0,
        };
        if self.bytes > 0 && self.bytes + bytes > MAX_UNSENT && bytes > 0 {
            debug!(
                bytes,
                "a client reads too slowly: a notification was dropped"
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
    fn unread_messages_are_bounded_and_questions_are_never_dropped() {
        let client = Client::new(Capabilities::default(), true, None);
        for _ in 0..100 {
            client.send(Message::Progress(Progress {
                done: 1.0,
                total: None,
                message: "x".repeat(1 << 20),
            }));
        }
        client.send(Message::Detach(oneshot::channel().0));
        let kept = client.lock().take().map_or(0, |it| it.messages.len());
        assert_eq!(kept, 7 + 1);
    }
}
