//! The way to a mounted server that is a child process: one task owns the process, and everybody else sends to that task.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::failure::Failure;
use super::link::{Request, Said};
use crate::error::Kind;

/// The commands and messages that wait to be taken.
pub(super) const WAITING: usize = 256;

/// The way to the task that owns the process. Cheap to clone.
#[derive(Clone)]
pub(super) struct StdioLink {
    mount: Arc<str>,
    commands: mpsc::Sender<Command>,
}

/// One request, and what the server says until its result.
pub(super) struct StdioExchange {
    link: StdioLink,
    id: u64,
    said: mpsc::Receiver<Said>,
    is_over: bool,
}

/// What the owner of the process is to do.
pub(super) enum Command {
    Open(Request, mpsc::Sender<Said>),
    Tell(Bytes),
    /// The caller of this request has gone.
    Forget(u64),
}

impl StdioLink {
    pub(super) fn new(mount: Arc<str>, commands: mpsc::Sender<Command>) -> StdioLink {
        StdioLink { mount, commands }
    }

    pub(super) fn mount(&self) -> &str {
        &self.mount
    }

    pub(super) async fn exchange(&self, request: Request) -> Result<StdioExchange, Failure> {
        let (sender, said) = mpsc::channel(WAITING);
        let id = request.id;
        self.send(Command::Open(request, sender)).await?;
        Ok(StdioExchange {
            link: self.clone(),
            id,
            said,
            is_over: false,
        })
    }

    pub(super) async fn tell(&self, body: Bytes) -> Result<(), Failure> {
        self.send(Command::Tell(body)).await
    }

    async fn send(&self, command: Command) -> Result<(), Failure> {
        let sent = self.commands.send(command).await;
        sent.map_err(|_| Failure::Unseen(ended(&self.mount)))
    }
}

impl StdioExchange {
    pub(super) async fn next(&mut self) -> Result<Said, Failure> {
        let said = self.said.recv().await;
        self.is_over = matches!(said, Some(Said::Ended(_)) | None);
        said.ok_or_else(|| Failure::Broken(ended(&self.link.mount)))
    }

    pub(super) async fn tell(&self, body: Bytes) -> Result<(), Failure> {
        self.link.tell(body).await
    }
}

impl Drop for StdioExchange {
    fn drop(&mut self) {
        if !self.is_over {
            // If the queue is full, the answer will find that its caller has gone.
            let _ = self.link.commands.try_send(Command::Forget(self.id));
        }
    }
}

fn ended(mount: &str) -> crate::error::Error {
    let problem = "ended before it answered; it is started again";
    super::failure::error(mount, Kind::UpstreamUnreachable, None, problem)
}
