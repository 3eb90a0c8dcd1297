//! `subscriptions/listen`: one stream with the changes that the client asked for.

mod filter;

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use crate::clock::Deadline;
use crate::context::updates::{self, Update, UpdateEvent, Updates};
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::events::Event;
use crate::mcp::messages::notification::notification;
use crate::mcp::messages::outgoing::Outgoing;
use crate::mcp::messages::params::Key;

use filter::Filter;

/// The interval of heartbeats on an idle stream.
const QUIET: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
struct ListenParams {
    #[serde(default)]
    notifications: Option<Filter>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListenResult<'a> {
    #[serde(rename = "_meta")]
    meta: Tie<'a>,
    result_type: &'static str,
}

#[derive(Serialize)]
struct Acknowledged<'a> {
    #[serde(rename = "_meta")]
    meta: Tie<'a>,
    notifications: &'a Filter,
}

#[derive(Serialize)]
struct Changed<'a> {
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<Tie<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
}

/// The stream that a message belongs to.
#[derive(Serialize)]
struct Tie<'a> {
    /// The id of the request, verbatim: it may exceed 64 bits.
    #[serde(rename = "io.modelcontextprotocol/subscriptionId")]
    subscription: &'a RawValue,
    #[serde(
        rename = "io.modelcontextprotocol/serverInfo",
        skip_serializing_if = "Option::is_none"
    )]
    server: Option<&'a RawValue>,
}

/// One stream.
struct Listener {
    id: Box<RawValue>,
    filter: Filter,
    /// The server's name and version for the final result. `None` on a `GET` stream, whose messages also carry no
    /// stream id.
    server: Option<Box<RawValue>>,
    updates: Arc<Updates>,
    receiver: Receiver<UpdateEvent>,
    outgoing: Vec<Event>,
    /// The time at which the credentials of the client expire.
    end: Option<Deadline>,
}

/// Streams changes until the client disconnects, its credentials expire at `until`, or the process stops. A process that is frozen between requests cannot
/// deliver changes, so it acknowledges an empty subscription and ends the stream.
pub(crate) fn listen(
    updates: &Arc<Updates>,
    server: &RawValue,
    request: &Request<'_>,
    until: Option<Deadline>,
) -> Result<BoxStream<'static, Event>, RpcError> {
    let params = request.params.decode(|it| {
        let notifications = it.optional_parsed(Key::Notifications)?;
        Some(ListenParams { notifications })
    })?;
    let filter = params.notifications.unwrap_or_default().honoured(updates);
    let acknowledged = Acknowledged {
        notifications: &filter,
        meta: Tie::to(request.id),
    };
    let method = "notifications/subscriptions/acknowledged";
    let first = Event::Message(notification(method, acknowledged));
    let receiver = updates.subscribe().filter(|_| !filter.is_empty());
    let Some(receiver) = receiver else {
        let last = end(request.id, server);
        return Ok(stream::iter([first, last]).boxed());
    };
    let listener = Listener {
        id: request.id.to_owned(),
        filter,
        server: Some(server.to_owned()),
        updates: updates.clone(),
        receiver,
        outgoing: vec![first],
        end: until,
    };
    Ok(listener.stream())
}

/// The `GET` stream, with every change that is announced to all clients; `None` if no changes are announced.
pub(crate) fn listen_to_all(
    updates: &Arc<Updates>,
    until: Option<Deadline>,
) -> Option<BoxStream<'static, Event>> {
    let receiver = updates.subscribe()?;
    let listener = Listener {
        id: RawValue::NULL.to_owned(),
        filter: Filter::lists().honoured(updates),
        server: None,
        updates: updates.clone(),
        receiver,
        // Some clients treat a connection without any bytes as stalled.
        outgoing: vec![Event::KeepAlive],
        end: until,
    };
    Some(listener.stream())
}

impl Listener {
    fn stream(self) -> BoxStream<'static, Event> {
        let events = stream::unfold(Some(self), async |listener| Some(listener?.next().await));
        events.boxed()
    }

    /// The next event, and the listener unless the event is the last.
    async fn next(mut self) -> (Event, Option<Listener>) {
        loop {
            let left = self.end.map_or(QUIET, Deadline::remaining);
            if left.is_zero() {
                return (self.last(), None);
            }
            if let Some(event) = self.outgoing.pop() {
                return (event, Some(self));
            }
            let updates = match timeout(left.min(QUIET), updates::receive(&mut self.receiver)).await
            {
                // The credentials have expired meanwhile.
                Err(_) if left < QUIET => continue,
                Err(_) => return (Event::KeepAlive, Some(self)),
                Ok(Some(UpdateEvent::Closed)) => return (self.last(), None),
                Ok(Some(UpdateEvent::Update(update))) => vec![update],
                // Some changes were missed, so everything in the subscription may have changed.
                Ok(None) => self.everything(),
            };
            let heard = updates.iter().filter(|it| self.admits(it));
            let heard: Vec<Event> = heard.map(|it| self.event(it)).collect();
            self.outgoing.extend(heard);
        }
    }

    fn last(&self) -> Event {
        let last = self.server.as_ref().map(|it| end(&self.id, it));
        last.unwrap_or(Event::KeepAlive)
    }

    /// Whether the client receives this change. A `GET` stream covers every resource in the current list; a document of
    /// a template may belong to one client, so only clients that subscribed to its URI are notified.
    fn admits(&self, update: &Update) -> bool {
        match update {
            Update::Contents(uri) if self.server.is_none() => self.updates.is_listed(uri),
            _ => self.filter.admits(update),
        }
    }

    /// Every change that the client receives.
    fn everything(&self) -> Vec<Update> {
        let mut all = self.filter.everything();
        if self.server.is_none() {
            all.extend(self.updates.listed().into_iter().map(Update::Contents));
        }
        all
    }

    fn event(&self, update: &Update) -> Event {
        let (method, uri) = match update {
            Update::Tools => ("notifications/tools/list_changed", None),
            Update::Prompts => ("notifications/prompts/list_changed", None),
            Update::Resources => ("notifications/resources/list_changed", None),
            Update::Contents(uri) => ("notifications/resources/updated", Some(&**uri)),
        };
        let meta = self.server.as_ref().map(|_| Tie::to(&self.id));
        Event::Message(notification(method, Changed { uri, meta }))
    }
}

impl<'a> Tie<'a> {
    fn to(subscription: &'a RawValue) -> Tie<'a> {
        Tie {
            subscription,
            server: None,
        }
    }
}

/// The response, which ends the stream.
fn end(id: &RawValue, server: &RawValue) -> Event {
    let result = ListenResult {
        result_type: "complete",
        meta: Tie {
            server: Some(server),
            ..Tie::to(id)
        },
    };
    let result = to_raw_value(&result).expect("a result of strings and JSON is JSON");
    Event::Message(Outgoing::of_result(id, &result))
}
