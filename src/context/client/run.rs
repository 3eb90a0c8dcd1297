//! A running function, and its messages until it ends.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::coop::consume_budget;

use super::{Client, Message};

/// The interval of heartbeats on an idle stream: proxies close connections that are idle for 30 seconds.
pub const QUIET: Duration = Duration::from_secs(15);

/// A running function that ends with a `T`. It makes progress only while it is polled, and is cancelled when dropped.
pub struct Run<T> {
    function: BoxFuture<'static, T>,
    client: Arc<Client>,
    ended: Option<T>,
}

/// What happens next.
pub enum Step<T> {
    /// The function sent a message.
    Said(VecDeque<Message>),
    /// The function has ended, and all its messages were taken.
    Ended(T),
    /// The function waits.
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

    /// Whether the function has ended and only its remaining messages are taken.
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Runs the function until something happens.
    pub async fn step(&mut self) -> Step<T> {
        breathe().await;
        poll_fn(|cx| match self.poll(cx) {
            Step::Waits => Poll::Pending,
            step => Poll::Ready(step),
        })
        .await
    }

    /// Runs the function as far as it gets without waiting.
    pub async fn advance(&mut self) -> Step<T> {
        breathe().await;
        poll_fn(|cx| Poll::Ready(self.poll(cx))).await
    }

    fn poll(&mut self, cx: &mut task::Context<'_>) -> Step<T> {
        // Messages of a spawned task after the function's end do not belong to the call.
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

/// Yields the thread to the runtime from time to time: a function that sends a message at every poll would otherwise
/// block it.
async fn breathe() {
    consume_budget().await;
}

impl<T> Drop for Run<T> {
    fn drop(&mut self) {
        self.client.close();
    }
}
