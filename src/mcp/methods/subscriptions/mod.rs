//! `subscriptions/listen`: one stream on which a client hears of the changes that it asked for.

mod filter;

use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;

use crate::context::updates::{self, News, Update};
use crate::mcp::messages::envelope::Request;
use crate::mcp::messages::error::RpcError;
use crate::mcp::messages::events::Event;
use crate::mcp::messages::notification::notification;
use crate::mcp::messages::result::encode;
use crate::mcp::messages::version::{Version, absent_id};
use crate::mcp::messages::{accept, headers};
use crate::mcp::{Body, Endpoint, McpResponse, gate};
use crate::telemetry::{Outcome, Pending};

use filter::Filter;

/// How long the stream may be quiet before it shows that it is alive.
const QUIET: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
struct ListenParams {
    #[serde(default)]
    notifications: Option<Filter>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListenResult<'a> {
    result_type: &'static str,
    #[serde(rename = "_meta")]
    meta: Tie<'a>,
}

#[derive(Serialize)]
struct Acknowledged<'a> {
    notifications: &'a Filter,
    #[serde(rename = "_meta")]
    meta: Tie<'a>,
}

#[derive(Serialize)]
struct Changed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<Tie<'a>>,
}

/// To which stream a message belongs.
#[derive(Serialize)]
struct Tie<'a> {
    /// The id of the request, as it stood there: it may have more digits than a number of this language.
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
    /// How the server introduces itself at the end; none on the stream of a client of 2025, whose messages are not tied
    /// to it either.
    server: Option<Box<RawValue>>,
    receiver: Receiver<News>,
    outgoing: Vec<Event>,
}

impl Endpoint {
    /// Listens as long as the client does, or the process. A process that is frozen between requests hears of nothing:
    /// it says so, and ends the stream.
    pub(crate) fn listen(&self, request: &Request<'_>) -> Result<McpResponse, RpcError> {
        let params: ListenParams = request.read_params()?;
        let filter = params
            .notifications
            .unwrap_or_default()
            .honoured(&self.updates);
        let server = self.rendered.server();
        let acknowledged = Acknowledged {
            notifications: &filter,
            meta: Tie::to(request.id),
        };
        let method = "notifications/subscriptions/acknowledged";
        let first = Event::Message(notification(method, acknowledged));
        let receiver = self.updates.listen().filter(|_| !filter.is_empty());
        let Some(receiver) = receiver else {
            let last = end(request.id, server);
            return Ok(stream_of(stream::iter([first, last]).boxed()));
        };
        let listener = Listener {
            id: request.id.to_owned(),
            filter,
            server: Some(server.to_owned()),
            receiver,
            outgoing: vec![first],
        };
        Ok(stream_of(listener.stream()))
    }

    /// Whether there is a stream for clients of 2025.
    pub(crate) fn tells(&self) -> bool {
        self.updates.are_told()
    }

    /// The stream of a client of 2025, which hears of everything that is told to all.
    pub(crate) fn listen_to_all(&self, headers: &HeaderMap) -> McpResponse {
        let absent = absent_id(headers);
        if let Err(rpc_error) = gate::check(headers, &self.origins) {
            return McpResponse::rpc_error(absent, rpc_error);
        }
        match headers::text(headers, headers::VERSION) {
            Ok(Some(version)) if Version::parse(version).is_none() => {
                return McpResponse::rpc_error(absent, RpcError::unsupported_version(version));
            }
            Ok(_) => {}
            Err(rpc_error) => return McpResponse::rpc_error(absent, rpc_error),
        }
        if !accept::events(headers) {
            return McpResponse::rpc_error(absent, RpcError::not_acceptable());
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
            server: None,
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
                    let last = self.server.as_ref().map(|it| end(&self.id, it));
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
    Event::Message(encode(id, &result))
}

fn stream_of(events: BoxStream<'static, Event>) -> McpResponse {
    let method = "subscriptions/listen";
    McpResponse {
        status: StatusCode::OK,
        body: Body::Events(events, Pending::default()),
        // Listening ends when the client has heard enough, which is no failure.
        outcome: Outcome::of_method(method),
    }
}
