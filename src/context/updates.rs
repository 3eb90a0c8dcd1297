//! Change notifications, sent to all subscribers of this process.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use tokio::sync::broadcast::{self, Receiver, Sender};

/// The number of updates that are buffered for a subscriber; a slower one misses some.
const CAPACITY: usize = 64;

/// Something that clients can subscribe to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topic {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources.
    Resources,
    /// The contents of a resource.
    Contents,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update {
    /// The list of tools has changed.
    Tools,
    /// The list of prompts has changed.
    Prompts,
    /// The list of resources has changed.
    Resources,
    /// The contents of the resource with this URI have changed.
    Contents(String),
}

/// What a subscriber receives.
#[derive(Clone)]
pub enum UpdateEvent {
    /// A change.
    Update(Update),
    /// No more changes will follow.
    Closed,
}

/// The channel for the change notifications of one process.
pub struct Updates {
    topics: Vec<Topic>,
    sender: Sender<UpdateEvent>,
    is_closed: AtomicBool,
    /// The URIs of the resources that are in the list.
    listed: RwLock<BTreeSet<String>>,
}

impl Update {
    /// The topic of the change.
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
    /// A channel for these topics.
    pub fn new(topics: Vec<Topic>) -> Updates {
        Updates {
            topics,
            sender: Sender::new(CAPACITY),
            is_closed: AtomicBool::new(false),
            listed: RwLock::default(),
        }
    }

    /// Says which resources are in the list now.
    pub fn list(&self, uris: BTreeSet<String>) {
        *self.listed.write().unwrap_or_else(PoisonError::into_inner) = uris;
    }

    /// Whether the resource of that URI is in the list.
    pub fn is_listed(&self, uri: &str) -> bool {
        let listed = self.listed.read();
        listed.unwrap_or_else(PoisonError::into_inner).contains(uri)
    }

    /// The URIs of all resources in the list.
    pub fn listed(&self) -> Vec<String> {
        let listed = self.listed.read();
        let listed = listed.unwrap_or_else(PoisonError::into_inner);
        listed.iter().cloned().collect()
    }

    /// Whether changes of this topic are announced.
    pub fn has(&self, topic: Topic) -> bool {
        self.topics.contains(&topic)
    }

    /// Whether any changes are announced.
    pub fn has_topics(&self) -> bool {
        !self.topics.is_empty()
    }

    /// Sends the update to all current subscribers.
    pub fn publish(&self, update: Update) {
        // Sending fails only without subscribers, which is fine.
        let _ = self.sender.send(UpdateEvent::Update(update));
    }

    /// Closes the channel: all subscriptions end.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        let _ = self.sender.send(UpdateEvent::Closed);
    }

    /// Subscribes from now on; `None` once the channel is closed.
    pub fn subscribe(&self) -> Option<Receiver<UpdateEvent>> {
        let receiver = self.sender.subscribe();
        (!self.is_closed.load(Ordering::Acquire)).then_some(receiver)
    }
}

/// The next event; `None` where some were missed, so anything may have changed.
pub async fn receive(receiver: &mut Receiver<UpdateEvent>) -> Option<UpdateEvent> {
    match receiver.recv().await {
        Ok(news) => Some(news),
        Err(broadcast::error::RecvError::Lagged(_)) => None,
        Err(broadcast::error::RecvError::Closed) => Some(UpdateEvent::Closed),
    }
}
