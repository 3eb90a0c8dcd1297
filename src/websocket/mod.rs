//! WebSocket: each text frame is one JSON-RPC message of MCP, through the same path as the body of a `POST /mcp`.
//!
//! # The protocol
//! - A frame of the client is one message of either era; a batch is refused. What HTTP repeats in headers is not
//!   repeated, and a request without `_meta` is one of the revisions before 2026. The subprotocol `mcp` is taken up.
//! - A request is answered by its notifications and questions, in order, and by exactly one response, the last frame of
//!   the request. Each frame of the server carries its number among those of its request, from 1 on, as
//!   `_meta["bifold/seq"]`: in `params`, in `result`, or in `data` of `error`. So each stays a plain message, which
//!   clients validate against closed schemas, and `_meta` is where MCP leaves room. A number is passed over where a
//!   notification may not have arrived. A notification or a question names its request in
//!   `_meta["bifold/request"]`.
//! - `notifications/cancelled` ends the request without a response, as MCP wants it, and so does closing. Answers to
//!   questions come as frames.
//! - `ping` of the revisions before 2026 is answered at any time, and keeps a connection of API Gateway from being idle.
//!
//! # Two transports
//! On this machine a connection is a socket, and one task drives all that runs on it. Behind API Gateway each frame is an
//! event: what runs no function is answered within its invocation, and what runs one is handed on at once to an
//! asynchronous invocation of the same function, because the integration waits 29 s and a running call cannot move. So a
//! call never runs twice, and all behave alike. Frames leave through the `@connections` API.

mod cancellation;
mod connection;
mod deferred_call;
mod delivery;
mod exchange;
mod gateway;
mod heartbeat;
mod remote;
mod sequence_number;
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
use socket::{Socket, readable};
pub use times::Times;

/// How long a call may still take once its process on Lambda is to end. After 300 ms it would be dropped, so the rest is
/// for its client to be told.
const MOMENT: Duration = Duration::from_millis(200);

/// What is made ready to be read into, for each connection, be it idle or not.
const READ_BUFFER: usize = 16 << 10;

/// The subprotocol that clients may name.
pub const PROTOCOL: &str = "mcp";

/// The WebSocket protocol of one application.
pub struct Sockets {
    endpoint: CurrentEndpoint,
    origins: AllowedOrigins,
    gateway: Gateway,
    cancellations: Cancellations,
    /// How calls get an invocation of their own, where processes are frozen between requests.
    invoker: Option<Arc<Invoker>>,
    /// Since when the process is to end. Each open connection of this machine holds a receiver.
    closing: watch::Sender<Option<Instant>>,
}

/// What [`Sockets`] stand on.
pub struct Dependencies<'a> {
    /// What answers the messages.
    pub endpoint: CurrentEndpoint,
    /// The browser pages that may connect.
    pub origins: AllowedOrigins,
    /// The settings of the process.
    pub config: &'a Config,
    /// What it shares with other processes.
    pub store: Store,
    /// The way to invoke itself, on Lambda.
    pub invoker: Option<Arc<Invoker>>,
}

impl Sockets {
    /// The protocol of that endpoint.
    ///
    /// # Errors
    /// The setting that cannot be used.
    pub fn new(dependencies: Dependencies<'_>) -> Result<Sockets, String> {
        Ok(Sockets {
            endpoint: dependencies.endpoint,
            origins: dependencies.origins,
            gateway: Gateway::new(dependencies.config)?,
            cancellations: Cancellations::new(dependencies.store),
            invoker: dependencies.invoker,
            closing: watch::Sender::new(None),
        })
    }

    /// Whether a client with these headers may connect: a browser lets every page try, so the page's origin decides.
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let origin = headers.get(ORIGIN);
        origin.is_none_or(|origin| self.origins.admit(origin, headers))
    }

    /// Makes a connection of a request on this machine, and serves it in a task of its own.
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
            .on_upgrade(move |socket| Socket::new(socket, endpoint, cx, intake).serve(closing))
    }

    /// Closes the connections of this machine, each once what runs on it has ended. What runs for clients behind API Gateway
    /// has 200 ms to end.
    pub fn close(&self) {
        self.closing.send_modify(|since| {
            since.get_or_insert_with(Instant::now);
        });
    }

    /// Ready when no connection of this machine is open.
    pub async fn closed(&self) {
        self.closing.closed().await;
    }

    /// Ready when the process is to end, and the time that is left is needed to tell its clients.
    async fn stopping(&self) {
        let mut closing = self.closing.subscribe();
        // The sender lives as long as `self`, so the wait ends in no other way.
        let since = closing.wait_for(Option::is_some).await;
        let since = since.ok().and_then(|since| *since);
        sleep_until(since.unwrap_or_else(Instant::now) + MOMENT).await;
    }
}

/// The beginning of a line in the log, of a message with that method.
fn entry(cx: &Context, method: Option<&'static str>) -> RequestLog {
    RequestLog {
        protocol: "ws",
        method,
        status: Some(200),
        since: Instant::now(),
        cx: cx.clone(),
        cold_start: cx.process().count(),
    }
}
