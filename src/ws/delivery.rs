//! The way of frames to one client behind API Gateway.

use std::time::Duration;

use tracing::debug;

use super::connection::Connection;
use super::exchange::{Exchange, Frame};
use super::gateway::{Gateway, MOST_BYTES, Undelivered};
use super::stamp::Part;
use super::times::Times;
use crate::deadline::Deadline;
use crate::error::{Error, Result};

/// How long a notification is tried, while the call waits.
const NOTIFICATION: Duration = Duration::from_secs(5);

/// The same after one that was left out, until something gets through again: a call that says much must not spend its
/// time on what nobody hears.
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
    /// The address is none of API Gateway's.
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

    /// Posts all that is said, to the end. A notification that cannot be posted is left out, and a question that cannot
    /// be is the end of the call, whose client is told. A client that is gone ends the call, too.
    ///
    /// # Errors
    /// The last frame cannot be posted.
    pub(super) async fn carry(mut self, exchange: &mut Exchange) -> Result<()> {
        let mut next = exchange.next().await;
        while let Some(frame) = next {
            let (bytes, part) = (frame.text.len(), frame.part);
            next = match (self.post(frame).await, part) {
                (Ok(()), _) => {
                    self.patience = NOTIFICATION;
                    exchange.next().await
                }
                (Err(Undelivered::Gone), _) => {
                    debug!("the client of a connection is gone");
                    return Ok(());
                }
                (Err(Undelivered::TooLarge), Part::Notification) => {
                    debug!(bytes, "a notification was left out");
                    exchange.unsay();
                    exchange.next().await
                }
                // It keeps its number, because it may have arrived: another frame of that number would be taken for it.
                (Err(Undelivered::Failed(_)), Part::Notification) => {
                    self.patience = AFTER_LOSS;
                    exchange.next().await
                }
                (Err(Undelivered::TooLarge), _) => {
                    exchange.unsay();
                    let end = exchange.fail(&Error::answer_too_large(bytes, MOST_BYTES));
                    return self.end(exchange, end).await;
                }
                (Err(Undelivered::Failed(error)), Part::Question) => {
                    let error = error.adding(", so the client could not be asked");
                    let end = exchange.fail(&error);
                    return self.end(exchange, end).await;
                }
                (Err(Undelivered::Failed(error)), Part::Response) => {
                    exchange.undelivered();
                    return Err(error);
                }
            };
        }
        Ok(())
    }

    /// Posts one frame that ends what it belongs to.
    ///
    /// # Errors
    /// It cannot be posted.
    pub(super) async fn tell(&self, frame: Frame) -> Result<()> {
        match self.post(frame).await {
            Ok(()) | Err(Undelivered::Gone) => Ok(()),
            Err(Undelivered::TooLarge) => Err(Error::internal("an error is too large to be told")),
            Err(Undelivered::Failed(error)) => Err(error),
        }
    }

    async fn end(&self, exchange: &mut Exchange, frame: Option<Frame>) -> Result<()> {
        let Some(frame) = frame else {
            return Ok(());
        };
        let told = self.tell(frame).await;
        if told.is_err() {
            exchange.undelivered();
        }
        told
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
