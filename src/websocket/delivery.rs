//! Delivers frames to one client behind API Gateway.

use std::time::Duration;

use tracing::debug;

use super::connection::Connection;
use super::exchange::{Exchange, Frame};
use super::gateway::{Gateway, Undelivered};
use super::times::Times;
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::mcp::Part;

/// How long the delivery of a notification is tried, while the call waits.
const NOTIFICATION: Duration = Duration::from_secs(5);

/// The same after a notification was dropped, until one is delivered again: a call with many notifications must not
/// spend its time on failing deliveries.
const AFTER_LOSS: Duration = Duration::from_millis(500);

/// How long the delivery of a request to the client is tried.
const QUESTION: Duration = Duration::from_secs(30);

/// Posts frames one after the other.
pub(super) struct Delivery<'a> {
    gateway: &'a Gateway,
    address: String,
    times: Times,
    /// How long the delivery of the next notification is tried.
    patience: Duration,
}

impl Delivery<'_> {
    /// # Errors
    /// The connection names a host that is not an API Gateway host.
    pub(super) fn new<'a>(
        gateway: &'a Gateway,
        connection: &Connection,
        times: Times,
    ) -> Result<Delivery<'a>> {
        Ok(Delivery {
            gateway,
            address: gateway.address(connection)?,
            times,
            patience: NOTIFICATION,
        })
    }

    /// Posts all frames. If `stop` completes before the last frame is known, the last frame is an error. A call whose
    /// client has disconnected is cancelled.
    ///
    /// # Errors
    /// The last frame cannot be posted.
    pub(super) async fn carry(
        mut self,
        exchange: &mut Exchange,
        stop: impl Future<Output = ()>,
    ) -> Result<()> {
        // Once the last frame is known, no other may replace it: it may have been delivered.
        let last = tokio::select! {
            biased;
            last = self.carry_on(exchange) => last,
            () = stop => exchange.fail(&Error::stopping("the call could not be ended")),
        };
        let Some(last) = last else {
            return Ok(());
        };
        let bytes = last.text.len();
        let posted = match self.post(last).await {
            Err(Undelivered::TooLarge) => {
                exchange.unsay();
                match exchange.fail(&too_large(bytes)) {
                    Some(refusal) => self.tell(refusal).await,
                    None => Ok(()),
                }
            }
            posted => told(posted),
        };
        posted.inspect_err(|_| exchange.undelivered())
    }

    /// Posts a single final frame.
    ///
    /// # Errors
    /// The frame cannot be posted.
    pub(super) async fn tell(&self, frame: Frame) -> Result<()> {
        told(self.post(frame).await)
    }

    /// Posts all frames before the last one and returns the last one; `None` if there is none, or the client has
    /// disconnected. A notification that cannot be posted is dropped. If a request to the client cannot be posted, the
    /// call ends with an error.
    async fn carry_on(&mut self, exchange: &mut Exchange) -> Option<Frame> {
        while let Some(frame) = exchange.next().await {
            if frame.is_last() {
                return Some(frame);
            }
            let (bytes, part) = (frame.text.len(), frame.part);
            match (self.post(frame).await, part) {
                (Ok(()), _) => self.patience = NOTIFICATION,
                (Err(Undelivered::Gone), _) => {
                    debug!("the client of a connection is gone");
                    return None;
                }
                (Err(Undelivered::TooLarge), Part::Notification) => {
                    debug!(bytes, "a notification was left out");
                    exchange.unsay();
                }
                // The number is not reused: the frame may have been delivered, and another one with its number would
                // look like a duplicate.
                (Err(Undelivered::Failed(_)), Part::Notification) => self.patience = AFTER_LOSS,
                (Err(Undelivered::TooLarge), _) => {
                    exchange.unsay();
                    return exchange.fail(&too_large(bytes));
                }
                (Err(Undelivered::Failed(error)), _) => {
                    return exchange
                        .fail(&error.with_context(", so the client could not be asked"));
                }
            }
        }
        None
    }

    /// Posts one frame within its time limit. A frame that is not the last leaves time for the last one.
    async fn post(&self, Frame { text, part }: Frame) -> Result<(), Undelivered> {
        let before_the_end = |limit| Deadline::after(limit).min(self.times.answer);
        let deadline = match part {
            Part::Notification => before_the_end(self.patience),
            Part::Question => before_the_end(QUESTION),
            Part::Response => self.times.post,
        };
        self.gateway.post(&self.address, text, deadline).await
    }
}

/// The replacement for a message that API Gateway refused as too large, though it is below the documented limit.
fn too_large(bytes: usize) -> Error {
    Error::too_large(format!(
        "API Gateway refuses a message of {bytes} bytes; ask for less at a time, or over HTTP"
    ))
}

/// The result of a final frame: a client that has disconnected needs none.
fn told(posted: Result<(), Undelivered>) -> Result<()> {
    match posted {
        Ok(()) => Ok(()),
        Err(Undelivered::Gone) => {
            debug!("the client of a connection is gone");
            Ok(())
        }
        Err(Undelivered::TooLarge) => Err(Error::internal("an error is too large to be told")),
        Err(Undelivered::Failed(error)) => Err(error),
    }
}
