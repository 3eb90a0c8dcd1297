//! What has changed since clients last looked, told to all who listen to this process.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::broadcast::{self, Receiver, Sender};

/// Updates that a listener may be behind before it misses some.
const CAPACITY: usize = 64;

/// Something that clients can listen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
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
pub enum News {
    /// A change.
    Update(Update),
    /// There will be no more.
    End,
}

/// Where the changes of one process are told.
pub struct Updates {
    topics: Vec<Topic>,
    sender: Sender<News>,
    has_ended: AtomicBool,
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
            has_ended: AtomicBool::new(false),
        }
    }

    /// Whether changes of that topic are told.
    pub fn has(&self, topic: Topic) -> bool {
        self.topics.contains(&topic)
    }

    /// Whether any changes are told.
    pub fn are_told(&self) -> bool {
        !self.topics.is_empty()
    }

    /// Tells all who listen now.
    pub fn tell(&self, update: Update) {
        // That nobody listens is no failure.
        let _ = self.sender.send(News::Update(update));
    }

    /// Lets all who listen go.
    pub fn end(&self) {
        self.has_ended.store(true, Ordering::Release);
        let _ = self.sender.send(News::End);
    }

    /// Listens from now on; `None` after the end.
    pub fn listen(&self) -> Option<Receiver<News>> {
        let receiver = self.sender.subscribe();
        (!self.has_ended.load(Ordering::Acquire)).then_some(receiver)
    }
}

/// The next news; where some were missed, `None`: then anything may have changed.
pub async fn next(receiver: &mut Receiver<News>) -> Option<News> {
    match receiver.recv().await {
        Ok(news) => Some(news),
        Err(broadcast::error::RecvError::Lagged(_)) => None,
        Err(broadcast::error::RecvError::Closed) => Some(News::End),
    }
}
