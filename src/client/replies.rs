//! The messages with which a server answers one request: one JSON document, or a stream.

use std::collections::VecDeque;
use std::time::Duration;

use super::failure::Failure;
use super::http::silent;
use super::message::{Message, parse};
use super::sse::Events;
use crate::clock::Deadline;
use crate::error::Error;
use crate::upstream::UpstreamResponse;

/// The messages of one response.
pub(super) struct Replies {
    name: String,
    ready: VecDeque<Message>,
    stream: Option<(UpstreamResponse, Events)>,
}

impl Replies {
    pub(super) fn none(name: &str) -> Replies {
        Replies {
            name: name.to_owned(),
            ready: VecDeque::new(),
            stream: None,
        }
    }

    /// The messages of a JSON document.
    ///
    /// # Errors
    /// It has another form.
    pub(super) fn whole(name: &str, text: &str) -> Result<Replies, Failure> {
        let mut replies = Replies::none(name);
        replies.take(text)?;
        Ok(replies)
    }

    /// The messages of an event stream, each of at most `most` bytes.
    pub(super) fn stream(name: &str, response: UpstreamResponse, most: usize) -> Replies {
        Replies {
            stream: Some((response, Events::new(most))),
            ..Replies::none(name)
        }
    }

    /// Whether the next message is a response.
    pub(super) fn is_response(&self) -> bool {
        matches!(self.ready.front(), Some(Message::Response(_)))
    }

    /// The next message, which is awaited for at most `wait`; `None` after the last one.
    ///
    /// # Errors
    /// The connection breaks, the server says nothing in time, or nothing that is a message.
    pub(super) async fn next(&mut self, wait: Duration) -> Result<Option<Message>, Failure> {
        let deadline = Deadline::after(wait);
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Ok(Some(message));
            }
            let Some((response, events)) = &mut self.stream else {
                return Ok(None);
            };
            let chunk = deadline.timeout(response.chunk()).await;
            let chunk = chunk.unwrap_or_else(|| Err(silent(&self.name, wait)))?;
            let Some(chunk) = chunk else {
                self.stream = None;
                continue;
            };
            let found = events.read(&chunk).map_err(|it| self.invalid(&it))?;
            for event in found {
                if let Some(message) = event.message() {
                    self.take(message)?;
                }
            }
        }
    }

    fn take(&mut self, text: &str) -> Result<(), Failure> {
        let messages = parse(text.as_bytes()).map_err(|it| self.invalid(&it))?;
        self.ready.extend(messages);
        Ok(())
    }

    fn invalid(&self, problem: &str) -> Error {
        Error::invalid_response(self.name.clone(), format!("sent {problem}"))
    }
}
