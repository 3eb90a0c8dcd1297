//! The way to a mounted server that is a child process: one task owns the process, and all others send to that task.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::failure::{Failure, error};
use super::link::{Request, Said};
use crate::error::{Error, Kind};

/// The commands that wait to be taken.
const WAITING: usize = 256;

/// The most requests that are open at a time.
const MAX_OPEN: usize = 1024;

/// The messages of the process that wait to be taken by one request.
const MAX_HEARD: usize = 256;

/// The bytes of those messages. One that is larger is taken only if no other waits.
const MAX_HELD: usize = 1 << 20;

/// The way to the task that owns the process. Cheap to clone.
#[derive(Clone)]
pub(super) struct StdioLink {
    mount: Arc<str>,
    commands: mpsc::Sender<Command>,
    forgotten: mpsc::Sender<u64>,
}

/// One request, and what the server says until its result.
pub(super) struct StdioExchange {
    link: StdioLink,
    id: u64,
    said: mpsc::Receiver<Said>,
    held: Arc<AtomicUsize>,
    /// While the request is open: room for the message that its caller has gone.
    forgetting: Option<mpsc::OwnedPermit<u64>>,
}

/// What the owner of the process is to do.
pub(super) enum Command {
    Open(Request, Teller),
    Tell(Bytes),
    /// The caller of this request has gone.
    Forget(u64),
}

/// The commands for the owner of the process.
pub(super) struct Commands {
    mount: Arc<str>,
    commands: mpsc::Receiver<Command>,
    forgotten: mpsc::Receiver<u64>,
}

/// Where the owner of the process puts what the process says to one request.
pub(super) struct Teller {
    said: mpsc::Sender<Said>,
    held: Arc<AtomicUsize>,
}

impl StdioLink {
    pub(super) fn new(mount: Arc<str>) -> (StdioLink, Commands) {
        let (sender, commands) = mpsc::channel(WAITING);
        let (forgetting, forgotten) = mpsc::channel(MAX_OPEN);
        let link = StdioLink {
            mount: mount.clone(),
            commands: sender,
            forgotten: forgetting,
        };
        let commands = Commands {
            mount,
            commands,
            forgotten,
        };
        (link, commands)
    }

    pub(super) fn mount(&self) -> &str {
        &self.mount
    }

    pub(super) async fn exchange(&self, request: Request) -> Result<StdioExchange, Failure> {
        let forgetting = self.forgotten.clone().try_reserve_owned();
        let forgetting = forgetting.map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => self.full(),
            mpsc::error::TrySendError::Closed(_) => Failure::Unseen(ended(&self.mount)),
        })?;
        // One place more is for the result.
        let (sender, said) = mpsc::channel(MAX_HEARD + 1);
        let held = Arc::<AtomicUsize>::default();
        let teller = Teller {
            said: sender,
            held: held.clone(),
        };
        let id = request.id;
        self.send(Command::Open(request, teller)).await?;
        Ok(StdioExchange {
            link: self.clone(),
            id,
            said,
            held,
            forgetting: Some(forgetting),
        })
    }

    pub(super) async fn tell(&self, body: Bytes) -> Result<(), Failure> {
        self.send(Command::Tell(body)).await
    }

    async fn send(&self, command: Command) -> Result<(), Failure> {
        let sent = self.commands.send(command).await;
        sent.map_err(|_| Failure::Unseen(ended(&self.mount)))
    }

    fn full(&self) -> Failure {
        let problem = format!("has {MAX_OPEN} open requests already; call again later");
        Failure::Unseen(error(
            &self.mount,
            Kind::UpstreamUnavailable,
            None,
            &problem,
        ))
    }
}

impl Commands {
    /// The next command; `None` once all links are dropped.
    pub(super) async fn next(&mut self) -> Option<Command> {
        tokio::select! {
            Some(id) = self.forgotten.recv() => Some(Command::Forget(id)),
            command = self.commands.recv() => command,
        }
    }

    /// Takes no more of them. Requests that wait fail as not seen, so that they can be sent to the next process.
    pub(super) fn close(&mut self) {
        self.commands.close();
        while let Ok(command) = self.commands.try_recv() {
            if let Command::Open(_, said) = command {
                let unseen = Failure::Unseen(ended(&self.mount));
                said.end(Said::Ended(Err(unseen)));
            }
        }
    }
}

impl Teller {
    /// Passes a message on, if there is room for it.
    pub(super) fn tell(&self, said: Said) -> bool {
        let (held, bytes) = (self.held.load(Ordering::Relaxed), said.bytes());
        let has_room = held == 0 || held + bytes <= MAX_HELD;
        // The last place is for the result.
        if !has_room || self.said.capacity() <= 1 {
            return false;
        }
        self.held.fetch_add(bytes, Ordering::Relaxed);
        self.said.try_send(said).is_ok()
    }

    /// Whether the caller has gone.
    pub(super) fn is_closed(&self) -> bool {
        self.said.is_closed()
    }

    /// Passes the result on, for which there is always room.
    pub(super) fn end(self, said: Said) {
        let _ = self.said.try_send(said);
    }
}

impl StdioExchange {
    pub(super) async fn next(&mut self) -> Result<Said, Failure> {
        let said = self.said.recv().await;
        match &said {
            Some(Said::Ended(_)) | None => self.forgetting = None,
            Some(said) => {
                self.held.fetch_sub(said.bytes(), Ordering::Relaxed);
            }
        }
        said.ok_or_else(|| Failure::Broken(ended(&self.link.mount)))
    }

    pub(super) async fn tell(&self, body: Bytes) -> Result<(), Failure> {
        self.link.tell(body).await
    }
}

impl Drop for StdioExchange {
    fn drop(&mut self) {
        if let Some(forgetting) = self.forgetting.take() {
            // First, because the request may still wait behind this message.
            self.said.close();
            forgetting.send(self.id);
        }
    }
}

fn ended(mount: &str) -> Error {
    let problem = "ended before it answered; it is started again";
    error(mount, Kind::UpstreamUnreachable, None, problem)
}
