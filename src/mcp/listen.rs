//! `subscriptions/listen`: one stream on which a client hears of the changes that it asked for.

mod filter;

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use super::events::Event;
use super::fault::Fault;
use super::message::Request;
use super::notify::notification;
use super::result::encode;
use super::version::Version;
use super::{Body, Endpoint, Reply, accept, gate, headers};
use crate::telemetry::{Outcome, Pending};
use crate::updates::{self, News, Update};

use filter::Filter;

/// How long the stream may be quiet before it shows that it is alive.
const QUIET: Duration = Duration::from_secs(15);

/// The key that tells to which subscription a message belongs: its value is the id of the request.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

#[derive(Deserialize)]
struct ListenParams {
    #[serde(default)]
    notifications: Filter,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListenResult<'a> {
    result_type: &'static str,
    #[serde(rename = "_meta")]
    meta: &'a Value,
}

/// One stream.
struct Listener {
    id: Box<RawValue>,
    filter: Filter,
    /// What ties its messages to it; none on the stream of a client of 2025.
    meta: Option<Value>,
    receiver: Receiver<News>,
    outgoing: Vec<Event>,
}

impl Endpoint {
    /// Listens as long as the client does, or the process. A process that is frozen between requests hears of nothing:
    /// it says so, and ends the stream.
    pub(super) fn listen(&self, request: &Request<'_>) -> Result<Reply, Fault> {
        let params: ListenParams = request.read_params()?;
        let filter = params.notifications.honoured(&self.updates);
        let id: Value = serde_json::from_str(request.id.get()).unwrap_or_default();
        let meta = json!({ SUBSCRIPTION: id, "io.modelcontextprotocol/serverInfo": self.payloads.server() });
        let acknowledged = json!({ "notifications": filter, "_meta": { SUBSCRIPTION: id } });
        let method = "notifications/subscriptions/acknowledged";
        let first = Event::Message(notification(method, acknowledged));
        let last = end(request.id, &meta);
        let receiver = self.updates.listen().filter(|_| !filter.is_empty());
        let Some(receiver) = receiver else {
            return Ok(stream_of(stream::iter([first, last]).boxed()));
        };
        let listener = Listener {
            id: request.id.to_owned(),
            filter,
            meta: Some(meta),
            receiver,
            outgoing: vec![first],
        };
        Ok(stream_of(listener.stream()))
    }

    /// Whether there is a stream for clients of 2025.
    pub fn tells(&self) -> bool {
        self.updates.are_told()
    }

    /// The stream of a client of 2025, which hears of everything that is told to all.
    pub fn listen_to_all(&self, headers: &HeaderMap) -> Reply {
        if let Err(fault) = gate::check(headers, &self.origins) {
            return Reply::fault(None, fault);
        }
        match headers::text(headers, headers::VERSION) {
            Ok(Some(version)) if Version::parse(version).is_none() => {
                return Reply::fault(None, Fault::unsupported_version(version));
            }
            Ok(_) => {}
            Err(fault) => return Reply::fault(None, fault),
        }
        if !accept::events(headers) {
            return Reply::fault(None, Fault::not_acceptable());
        }
        let Some(receiver) = self.updates.listen() else {
            return stream_of(stream::empty().boxed());
        };
        // Those of templates may name what is somebody's, so they are told only to who asks for them.
        let listed = self.registry.resources().iter();
        let listed = listed.filter(|it| !it.is_template());
        let listed = listed.map(|it| it.uri().to_owned()).collect();
        let listener = Listener {
            id: RawValue::NULL.to_owned(),
            filter: Filter::all(listed).honoured(&self.updates),
            meta: None,
            receiver,
            // Something must be sent, or some clients take the connection for one that hangs.
            outgoing: vec![Event::KeepAlive],
        };
        stream_of(listener.stream())
    }
}

impl Listener {
    fn stream(self) -> BoxStream<'static, Event> {
        let events = stream::unfold(Some(self), async |listener| Some(listener?.next().await));
        events.boxed()
    }

    /// The next event, and the listener unless it was the last.
    async fn next(mut self) -> (Event, Option<Listener>) {
        loop {
            if let Some(event) = self.outgoing.pop() {
                return (event, Some(self));
            }
            let updates = match timeout(QUIET, updates::next(&mut self.receiver)).await {
                Err(_) => return (Event::KeepAlive, Some(self)),
                Ok(Some(News::End)) => {
                    let last = self.meta.as_ref().map(|meta| end(&self.id, meta));
                    return (last.unwrap_or(Event::KeepAlive), None);
                }
                Ok(Some(News::Update(update))) => vec![update],
                // Some were missed, so all that it listens to may have changed.
                Ok(None) => self.filter.everything(),
            };
            let heard = updates.iter().filter(|it| self.filter.admits(it));
            let heard: Vec<Event> = heard.map(|it| self.event(it)).collect();
            self.outgoing.extend(heard);
        }
    }

    fn event(&self, update: &Update) -> Event {
        let (method, mut params) = match update {
            Update::Tools => ("notifications/tools/list_changed", json!({})),
            Update::Prompts => ("notifications/prompts/list_changed", json!({})),
            Update::Resources => ("notifications/resources/list_changed", json!({})),
            Update::Contents(uri) => ("notifications/resources/updated", json!({ "uri": uri })),
        };
        if let Some(meta) = &self.meta {
            params["_meta"] = json!({ SUBSCRIPTION: meta[SUBSCRIPTION] });
        }
        Event::Message(notification(method, params))
    }
}

/// The response, which ends the stream.
fn end(id: &RawValue, meta: &Value) -> Event {
    let result = ListenResult {
        result_type: "complete",
        meta,
    };
    Event::Message(encode(id, &result))
}

fn stream_of(events: BoxStream<'static, Event>) -> Reply {
    let method = "subscriptions/listen";
    Reply {
        status: StatusCode::OK,
        body: Body::Events(events, Pending::default()),
        // Listening ends when the client has heard enough, which is no failure.
        outcome: Outcome::of_method(method),
    }
}
