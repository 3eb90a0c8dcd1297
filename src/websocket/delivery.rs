//! The way of frames to one client behind API Gateway.

use std::time::Duration;

use tracing::debug;

use super::connection::Connection;
use super::exchange::{Exchange, Frame};
use super::gateway::{Gateway, Undelivered};
use super::times::Times;
use crate::clock::Deadline;
use crate::error::{Error, Result};
use crate::mcp::Part;

/// How long a notification is tried, while the call waits.
const NOTIFICATION: Duration = Duration::from_secs(5);

/// The same after one that was left out, until something gets through again: a call with many notifications must not
/// spend its time on those that do not arrive.
const AFTER_LOSS: Duration = Duration::from_millis(500);

/// How long a question is tried.
const QUESTION: Duration = Duration::from_secs(30);

/// Posts frames one after the other.
pub(super) struct Delivery<'a> {
    gateway: &'a Gateway,
    address: String,
    times: Times,
    /// How long the next notification is tried.
    patience: Duration,
}

impl Delivery<'_> {
    /// # Errors
    /// The connection names a host that is not one of API Gateway.
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

    /// Posts all that is said, to the end; where `stop` is ready before that is known, the end is an error. A client that
    /// is gone ends the call, too.
    ///
    /// # Errors
    /// The last frame cannot be posted.
    pub(super) async fn carry(
        mut self,
        exchange: &mut Exchange,
        stop: impl Future<Output = ()>,
    ) -> Result<()> {
        // Once the last frame is known nothing may take its place: it may have arrived.
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

    /// Posts one frame that ends what it belongs to.
    ///
    /// # Errors
    /// It cannot be posted.
    pub(super) async fn tell(&self, frame: Frame) -> Result<()> {
        told(self.post(frame).await)
    }

    /// Posts all frames before the last one, and returns that one; `None` where there is none, or its client is gone. A notification that cannot be posted is left out, and a question that cannot be is the end of the call, whose
    /// client is told.
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
                // It keeps its number, because it may have arrived: another frame of that number would be taken for it.
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

    /// Posts one frame, for as long as it may take. What is not the last leaves time for that one.
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

/// What the client gets instead of a message that API Gateway has refused, be it smaller than what this takes by its own
/// word.
fn too_large(bytes: usize) -> Error {
    Error::too_large(format!(
        "API Gateway refuses a message of {bytes} bytes; ask for less at a time, or over HTTP"
    ))
}

/// What came of the frame that ends something: a client that is gone needs none.
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
