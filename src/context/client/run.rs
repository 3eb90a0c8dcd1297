//! A function while it runs: what it says to its client is taken out of it, until it has ended.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::coop::consume_budget;

use super::{Client, Message};

/// How long a stream may be quiet before it shows that it is alive: proxies drop what is silent for half a minute.
pub const QUIET: Duration = Duration::from_secs(15);

/// A running function that comes to a `T`. It goes on only while it is driven, and ends when this is dropped.
pub struct Run<T> {
    function: BoxFuture<'static, T>,
    client: Arc<Client>,
    ended: Option<T>,
}

/// What happens next.
pub enum Step<T> {
    /// The function said something.
    Said(VecDeque<Message>),
    /// It has ended, and all it said was taken.
    Ended(T),
    /// It waits.
    Waits,
}

impl<T> Run<T> {
    /// A function that sends its messages to that client.
    pub fn new(function: BoxFuture<'static, T>, client: Arc<Client>) -> Run<T> {
        Run {
            function,
            client,
            ended: None,
        }
    }

    /// Whether the function has ended, and only its last words were taken.
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Lets the function go on until something happens.
    pub async fn step(&mut self) -> Step<T> {
        breathe().await;
        poll_fn(|cx| match self.poll(cx) {
            Step::Waits => Poll::Pending,
            step => Poll::Ready(step),
        })
        .await
    }

    /// Lets the function go on as far as it can without waiting for anything.
    pub async fn advance(&mut self) -> Step<T> {
        breathe().await;
        poll_fn(|cx| Poll::Ready(self.poll(cx))).await
    }

    fn poll(&mut self, cx: &mut task::Context<'_>) -> Step<T> {
        // What a spawned task of the function reports after its end does not belong to the call.
        if let Some(ended) = self.ended.take() {
            return Step::Ended(ended);
        }
        let function = self.function.poll_unpin(cx);
        match (self.client.poll_messages(cx), function) {
            (Poll::Ready(said), Poll::Ready(ended)) => {
                self.ended = Some(ended);
                Step::Said(said)
            }
            (Poll::Ready(said), Poll::Pending) => Step::Said(said),
            (Poll::Pending, Poll::Ready(ended)) => Step::Ended(ended),
            (Poll::Pending, Poll::Pending) => Step::Waits,
        }
    }
}

/// Gives the thread back to the runtime from time to time: a function that says something each time it is polled would
/// else keep it for ever.
async fn breathe() {
    consume_budget().await;
}

impl<T> Drop for Run<T> {
    fn drop(&mut self) {
        self.client.close();
    }
}
