//! What has changed since clients last looked, told to all who listen to this process.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::broadcast::{self, Receiver, Sender};

/// Updates that a listener may be behind before it misses some.
const CAPACITY: usize = 64;

/// Something that clients can listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Which tools there are.
    Tools,
    /// Which prompts there are.
    Prompts,
    /// Which resources there are.
    Resources,
    /// What a resource says.
    Contents,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// There are other tools.
    Tools,
    /// There are other prompts.
    Prompts,
    /// There are other resources.
    Resources,
    /// The resource of that URI says something else.
    Contents(String),
}

/// What a listener hears.
#[derive(Clone)]
pub enum UpdateEvent {
    /// A change.
    Update(Update),
    /// There will be no more.
    Closed,
}

/// Where the changes of one process are told.
pub struct Updates {
    topics: Vec<Topic>,
    sender: Sender<UpdateEvent>,
    is_closed: AtomicBool,
}

impl Update {
    /// What it is a change of.
    pub fn topic(&self) -> Topic {
        match self {
            Update::Tools => Topic::Tools,
            Update::Prompts => Topic::Prompts,
            Update::Resources => Topic::Resources,
            Update::Contents(_) => Topic::Contents,
        }
    }
}

impl Updates {
    /// Updates of those topics.
    pub fn new(topics: Vec<Topic>) -> Updates {
        Updates {
            topics,
            sender: Sender::new(CAPACITY),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Whether changes of that topic are told.
    pub fn has(&self, topic: Topic) -> bool {
        self.topics.contains(&topic)
    }

    /// Whether any changes are told.
    pub fn has_topics(&self) -> bool {
        !self.topics.is_empty()
    }

    /// Tells all who listen now.
    pub fn publish(&self, update: Update) {
        // That nobody listens is no failure.
        let _ = self.sender.send(UpdateEvent::Update(update));
    }

    /// Lets all who listen go.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        let _ = self.sender.send(UpdateEvent::Closed);
    }

    /// Listens from now on; `None` after the end.
    pub fn subscribe(&self) -> Option<Receiver<UpdateEvent>> {
        let receiver = self.sender.subscribe();
        (!self.is_closed.load(Ordering::Acquire)).then_some(receiver)
    }
}

/// The next news; where some were missed, `None`: then anything may have changed.
pub async fn receive(receiver: &mut Receiver<UpdateEvent>) -> Option<UpdateEvent> {
    match receiver.recv().await {
        Ok(news) => Some(news),
        Err(broadcast::error::RecvError::Lagged(_)) => None,
        Err(broadcast::error::RecvError::Closed) => Some(UpdateEvent::Closed),
    }
}
