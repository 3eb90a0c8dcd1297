//! The way to a mounted server: requests, each with what the server says until its result.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::value::RawValue;

use super::failure::Failure;
use super::http_link::{HttpExchange, HttpLink};
use super::session::Session;
#[cfg(unix)]
use super::stdio::{StdioExchange, StdioLink};
use super::wire;
use crate::client::{self, Call, Message, Response};

/// The way to one server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Link {
    way: Way,
    ids: Arc<AtomicU64>,
}

#[derive(Clone)]
enum Way {
    Http(Arc<HttpLink>),
    #[cfg(unix)]
    Stdio(StdioLink),
}

/// A request that is ready to be sent.
pub(super) struct Request {
    pub(super) id: u64,
    pub(super) method: &'static str,
    pub(super) body: Bytes,
    /// What the modern era repeats in headers.
    pub(super) headers: HeaderMap,
}

/// A request that was sent, until its result. Dropped before, it is cancelled.
pub(super) enum Exchange {
    Http(Box<HttpExchange>),
    #[cfg(unix)]
    Stdio(StdioExchange),
}

/// What the server says.
pub(super) enum Said {
    /// The outcome; nothing follows.
    Ended(Result<Box<RawValue>, Failure>),
    /// A request of the server.
    Asked {
        id: Box<RawValue>,
        method: String,
        params: Option<Box<RawValue>>,
    },
    /// A notification.
    Told {
        method: String,
        params: Option<Box<RawValue>>,
    },
}

impl Request {
    pub(super) fn new(id: u64, method: &'static str, params: &impl Serialize) -> Request {
        Request {
            id,
            method,
            body: wire::request(id, method, params),
            headers: HeaderMap::new(),
        }
    }

    /// Repeats a value in a header, in base64 where a header cannot hold it.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Request {
        if let Some(value) = client::header_value(value) {
            self.headers.insert(name, value);
        }
        self
    }
}

impl Link {
    pub(super) fn http(link: HttpLink) -> Link {
        Link::of(Way::Http(Arc::new(link)))
    }

    #[cfg(unix)]
    pub(super) fn stdio(link: StdioLink) -> Link {
        Link::of(Way::Stdio(link))
    }

    fn of(way: Way) -> Link {
        Link {
            way,
            ids: Arc::new(AtomicU64::new(1)),
        }
    }

    /// The name of the mount.
    pub(super) fn mount(&self) -> &str {
        match &self.way {
            Way::Http(link) => link.mount(),
            #[cfg(unix)]
            Way::Stdio(link) => link.mount(),
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request.
    pub(super) async fn open(
        &self,
        session: &Arc<Session>,
        request: Request,
    ) -> Result<Exchange, Failure> {
        Ok(match &self.way {
            Way::Http(link) => {
                Exchange::Http(Box::new(HttpExchange::open(link, session, request).await?))
            }
            #[cfg(unix)]
            Way::Stdio(link) => Exchange::Stdio(link.exchange(request).await?),
        })
    }

    /// Sends a notification, or the answer to a request of the server.
    pub(super) async fn tell(&self, session: &Session, body: Bytes) -> Result<(), Failure> {
        match &self.way {
            Way::Http(link) => link.tell(session, body).await,
            #[cfg(unix)]
            Way::Stdio(link) => link.tell(body).await,
        }
    }

    /// The HTTP side, for what only that has.
    pub(super) fn as_http(&self) -> Option<&Arc<HttpLink>> {
        match &self.way {
            Way::Http(link) => Some(link),
            #[cfg(unix)]
            Way::Stdio(_) => None,
        }
    }
}

impl Exchange {
    /// What the server says next.
    pub(super) async fn next(&mut self) -> Result<Said, Failure> {
        match self {
            Exchange::Http(exchange) => exchange.next().await,
            #[cfg(unix)]
            Exchange::Stdio(exchange) => exchange.next().await,
        }
    }

    /// Answers a request of the server.
    pub(super) async fn reply(&self, id: &RawValue, outcome: Result<&RawValue, (i64, &str)>) {
        let body = wire::reply(id, outcome);
        // A server that cannot be told notices that its request is not answered.
        let _ = match self {
            Exchange::Http(exchange) => exchange.tell(body).await,
            #[cfg(unix)]
            Exchange::Stdio(exchange) => exchange.tell(body).await,
        };
    }

    /// The id of the session that the response opens.
    pub(super) fn session_id(&self) -> Option<HeaderValue> {
        match self {
            Exchange::Http(exchange) => exchange.session_id(),
            #[cfg(unix)]
            Exchange::Stdio(_) => None,
        }
    }
}

impl Said {
    pub(super) fn of(message: Message) -> Said {
        match message {
            Message::Response(Response { outcome, .. }) => {
                Said::Ended(outcome.map_err(|it| Failure::Refused(it, None)))
            }
            Message::Request(Call { id, method, params }) => Said::Asked { id, method, params },
            Message::Notification { method, params } => Said::Told { method, params },
        }
    }

    /// The outcome. What the server asks without a client is answered as far as that is possible.
    pub(super) async fn outcome_or_tell(
        self,
        exchange: &Exchange,
    ) -> Option<Result<Box<RawValue>, Failure>> {
        match self {
            Said::Ended(outcome) => return Some(outcome),
            Said::Asked { id, method, .. } => exchange.reply(&id, unbidden(&method)).await,
            Said::Told { .. } => {}
        }
        None
    }
}

/// The answer to a request that belongs to no call of a client.
pub(super) fn unbidden(method: &str) -> Result<&'static RawValue, (i64, &'static str)> {
    let json = match method {
        "ping" => "{}",
        "roots/list" => "{\"roots\":[]}",
        _ => return Err((-32601, "there is no client here that could answer this")),
    };
    Ok(serde_json::from_str(json).expect("a constant is JSON"))
}
