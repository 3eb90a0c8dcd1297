//! WebSocket: each text frame is one JSON-RPC message of MCP, processed like the body of a `POST /mcp`.
//!
//! # The protocol
//! - A client's frame is one message of either era; batches are refused. Headers of HTTP are not repeated, and a request
//!   without `_meta` uses a revision before 2026-07-28. The subprotocol `mcp` is accepted.
//! - The server answers a request with its notifications and requests to the client, in order, and exactly one response,
//!   which is the final frame. Each frame has a sequence number within its request, from 1, in `_meta["bifold/seq"]` of
//!   `params`, of `result`, or of `data` in `error`; it stays a valid message, because MCP reserves `_meta` for such
//!   extensions. A number is skipped where a notification may have been lost. A notification or a request to the client
//!   names its request in `_meta["bifold/request"]`.
//! - `notifications/cancelled` or closing the connection ends a request without a response. Clients answer requests of
//!   the server with frames.
//! - `ping` of the revisions before 2026-07-28 is answered at any time, and keeps a connection of API Gateway alive.
//!
//! # Two transports
//! Locally a connection is a socket, and one task drives all its requests. Behind API Gateway each frame is an event: a
//! message that calls no function is answered in its invocation, and one that calls a function is deferred to an
//! asynchronous invocation of the same Lambda function, because the integration waits 29 s and a running call cannot be
//! moved. A call never runs twice, and both transports behave alike. Frames are sent through the `@connections` API.

mod caller;
mod cancellation;
mod connection;
mod deferred_call;
mod delivery;
mod exchange;
mod gateway;
mod heartbeat;
mod remote;
mod sequence_number;
mod session;
mod socket;
mod times;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::WebSocketUpgrade;
use http::header::ORIGIN;
use http::{HeaderMap, Response};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::aws::invoke::Invoker;
use crate::config::Config;
use crate::context::Context;
use crate::context::request_log::RequestLog;
use crate::http::buffers::Intake;
use crate::http::origin::AllowedOrigins;
use crate::mcp::CurrentEndpoint;
use crate::store::Store;

use cancellation::Cancellations;
pub use connection::Connection;
use gateway::Gateway;
use session::Carrier;
pub(crate) use session::Session;
use socket::{Socket, readable};
pub use times::Times;

/// The time for a running call once the process on Lambda shuts down. The environment is killed after 300 ms, and the
/// rest is for telling the client.
const MOMENT: Duration = Duration::from_millis(200);

/// The read buffer of each connection, in bytes, idle or not.
const READ_BUFFER: usize = 16 << 10;

/// The subprotocol that clients may request.
pub const PROTOCOL: &str = "mcp";

/// The WebSocket protocol of one application.
pub struct Sockets {
    endpoint: CurrentEndpoint,
    origins: AllowedOrigins,
    gateway: Gateway,
    cancellations: Cancellations,
    /// The records of the callers of connections.
    store: Store,
    /// Runs calls in invocations of their own, where the process is frozen between requests.
    invoker: Option<Arc<Invoker>>,
    /// Whether the shutdown has begun. Each open local connection holds a receiver.
    closing: watch::Sender<Option<Instant>>,
}

/// The dependencies of [`Sockets`].
pub struct Dependencies<'a> {
    /// Answers the messages.
    pub endpoint: CurrentEndpoint,
    /// The origins of web pages that may connect.
    pub origins: AllowedOrigins,
    /// The settings of the process.
    pub config: &'a Arc<Config>,
    /// The store that all processes share.
    pub store: Store,
    /// Invokes the function itself, on Lambda.
    pub invoker: Option<Arc<Invoker>>,
}

impl Sockets {
    /// Builds the WebSocket protocol for an endpoint.
    ///
    /// # Errors
    /// A setting is invalid.
    pub fn new(dependencies: Dependencies<'_>) -> Result<Sockets, String> {
        Ok(Sockets {
            endpoint: dependencies.endpoint,
            origins: dependencies.origins,
            gateway: Gateway::new(dependencies.config)?,
            cancellations: Cancellations::new(dependencies.store.clone()),
            store: dependencies.store,
            invoker: dependencies.invoker,
            closing: watch::Sender::new(None),
        })
    }

    /// Whether a client with these headers may connect: browsers let every page connect, so the `Origin` decides.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(ORIGIN);
        origin.is_none_or(|origin| self.origins.admit(origin, headers))
    }

    /// Upgrades a request to a local connection, and serves it in its own task.
    pub fn upgrade(
        &self,
        upgrade: WebSocketUpgrade,
        cx: Context,
        intake: Intake,
    ) -> Response<Body> {
        let (endpoint, closing) = (self.endpoint.clone(), self.closing.subscribe());
        let most = readable(cx.config().max_request_bytes);
        upgrade
            .protocols([PROTOCOL])
            .max_message_size(most)
            .max_frame_size(most)
            .read_buffer_size(READ_BUFFER)
            .on_upgrade(move |socket| {
                let session = Session::new(Carrier::WebSocket, endpoint, cx);
                Socket::new(socket, session, intake).serve(closing)
            })
    }

    /// A session on standard input and output.
    pub(crate) fn stdio(&self, cx: Context) -> Session {
        Session::new(Carrier::Stdio, self.endpoint.clone(), cx)
    }

    /// Closes the local connections, each after its calls have ended. Calls of clients behind API Gateway have 200 ms
    /// to end.
    pub fn close(&self) {
        self.closing.send_modify(|since| {
            since.get_or_insert_with(Instant::now);
        });
    }

    /// Completes when no local connection is open.
    pub async fn closed(&self) {
        self.closing.closed().await;
    }

    /// Completes when the process shuts down and the remaining time is needed to tell its clients.
    async fn stopping(&self) {
        let mut closing = self.closing.subscribe();
        // The sender lives as long as `self`, so the wait cannot end otherwise.
        let since = closing.wait_for(Option::is_some).await;
        let since = since.ok().and_then(|since| *since);
        sleep_until(since.unwrap_or_else(Instant::now) + MOMENT).await;
    }
}

/// The beginning of an access line, for a message with this method.
fn entry(cx: &Context, method: Option<&'static str>) -> RequestLog {
    entry_of("ws", cx, method)
}

/// The same for another carrier of messages.
fn entry_of(protocol: &'static str, cx: &Context, method: Option<&'static str>) -> RequestLog {
    RequestLog {
        protocol,
        method,
        status: Some(200),
        since: Instant::now(),
        cx: cx.clone(),
        cold_start: cx.process().count(),
    }
}
