//! MCP over Streamable HTTP without sessions: bytes in, bytes out, for clients of both protocol eras.

mod call;
mod frame;
mod gate;
pub(crate) mod http;
mod messages;
mod methods;

use std::sync::Arc;

use ::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use serde_json::value::RawValue;

use crate::aws::invoke::Invoker;
use crate::config::Config;
use crate::context::Context;
use crate::context::updates::Updates;
use crate::error::Error;
use crate::http::origin::AllowedOrigins;
use crate::registry::{Info, Registry};
use crate::store::Store;
use crate::telemetry::{Outcome, Pending};

use call::pending::PendingRequests;
use call::request_state::StateCipher;
use call::shutdown::Shutdown;
use call::task::Tasks;
pub(crate) use frame::{Frame, refusal, unreadable, unreadable_in};
use messages::accept;
pub(crate) use messages::envelope::without_mark;
use messages::envelope::{self, Incoming, Message, Request};
use messages::error::RpcError;
pub use messages::events::Event;
pub(crate) use messages::id::same;
use messages::version::{self, Era};
use methods::rendered::Rendered;
use methods::{common, legacy, modern};

/// Messages of one batch.
const MAX_BATCH: usize = 100;

/// Calls of one batch that run at the same time.
const BATCH_WIDTH: usize = 8;

/// What stands around a result at the most, in the usual case.
const FRAME: usize = 256;

/// The MCP protocol of one application.
pub struct Endpoint {
    registry: Arc<Registry>,
    rendered: Rendered,
    origins: AllowedOrigins,
    /// What clients keep between two multi_round is encrypted with it.
    cipher: Arc<StateCipher>,
    /// Where clients answer what they are asked on a stream.
    pending_requests: PendingRequests,
    /// Where calls go on after their answer, if there are any that do.
    tasks: Option<Tasks>,
    /// Where changes are told.
    updates: Arc<Updates>,
    shutdown: Shutdown,
}

/// What an [`Endpoint`] stands on.
pub(crate) struct Dependencies<'a> {
    /// The functions.
    pub registry: Arc<Registry>,
    /// How the server introduces itself.
    pub info: &'a Info,
    /// Entries on one page of a list, at least 1.
    pub page_size: usize,
    /// The browser pages that may call.
    pub origins: AllowedOrigins,
    /// The settings of the process.
    pub config: &'a Config,
    /// What it shares with other processes.
    pub store: Store,
    /// How calls go on in a process that is frozen between requests, if they can.
    pub invoker: Option<Arc<Invoker>>,
    /// Where changes are told.
    pub updates: Arc<Updates>,
}

/// What goes back.
#[non_exhaustive]
pub struct McpResponse {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Body,
    /// What the log says of it; of a stream, if it is given up before its end.
    pub outcome: Outcome,
}

/// The body of a [`McpResponse`].
#[non_exhaustive]
pub enum Body {
    /// The answer to a notification.
    Empty,
    /// One JSON-RPC message (or batch) on one line.
    Json(Vec<u8>),
    /// What is sent until the response, this among it, and what the log says of it once it has ended.
    Events(BoxStream<'static, Event>, Pending),
}

impl Endpoint {
    /// The protocol of that registry. Processes that share the store and the keys go on with each other's calls.
    pub(crate) fn new(dependencies: Dependencies<'_>) -> Endpoint {
        let config = dependencies.config;
        let mut tools = dependencies.registry.tools().iter();
        let may_detach = tools.any(|tool| tool.on_mcp() && tool.may_detach());
        // A process that is frozen between requests goes on with a task only by invoking itself.
        let has_tasks = may_detach && (!config.is_frozen() || dependencies.invoker.is_some());
        let shutdown = Shutdown::new();
        let pending_requests = PendingRequests::new(
            dependencies.store.clone(),
            config.input_timeout,
            shutdown.clone(),
        );
        Endpoint {
            rendered: Rendered::new(&dependencies, has_tasks),
            cipher: Arc::new(StateCipher::new(&config.state_keys)),
            pending_requests,
            tasks: has_tasks.then(|| Tasks {
                store: dependencies.store,
                limit: config.task_timeout,
                invoker: dependencies.invoker,
                shutdown: shutdown.clone(),
            }),
            shutdown,
            registry: dependencies.registry,
            origins: dependencies.origins,
            updates: dependencies.updates,
        }
    }

    /// The process is to end: questions to clients of 2025 are given up, no call becomes a task any more, and the tasks
    /// of this process have a moment to end.
    pub(crate) fn close(&self) {
        self.shutdown.begin();
    }

    /// Ready when no question waits and no task runs in this process.
    pub(crate) async fn closed(&self) {
        self.shutdown.is_over().await;
    }

    /// Answers the body of one `POST /mcp`.
    pub async fn answer(&self, headers: &HeaderMap, body: &[u8], cx: &Context) -> McpResponse {
        let absent = version::absent_id(headers);
        if let Err(rpc_error) = gate::check(headers, &self.origins) {
            return McpResponse::rpc_error(absent, rpc_error);
        }
        match envelope::parse(body) {
            Ok(Incoming::Single(single)) => self.single(headers, single, cx).await,
            Ok(Incoming::Batch(batch)) => self.batch(headers, batch, cx).await,
            Err(rpc_error) => McpResponse::rpc_error(absent, rpc_error),
        }
    }

    async fn single(&self, headers: &HeaderMap, message: &RawValue, cx: &Context) -> McpResponse {
        match envelope::read(message) {
            Ok(Message::Request(mut request)) => {
                request.takes_events = accept::events(headers);
                self.request(Some(headers), &request, cx).await
            }
            // None that a client may send means anything without a session.
            Ok(Message::Notification { .. }) => McpResponse::accepted("notification"),
            Ok(Message::Response(id)) => {
                let absent = version::absent_id(headers);
                self.response(&id, message, absent, cx).await
            }
            Err((id, rpc_error)) => {
                McpResponse::rpc_error(id.or(version::absent_id(headers)), rpc_error)
            }
        }
    }

    /// The answer to a question that a function of another request waits on, perhaps in another process.
    /// A refusal has the `absent` id, because that of the message is not one of a request.
    async fn response(
        &self,
        id: &str,
        message: &RawValue,
        absent: Option<&RawValue>,
        cx: &Context,
    ) -> McpResponse {
        let delivered = cx.timeout(self.pending_requests.deliver(id, message)).await;
        match delivered.unwrap_or_else(|| Err(Error::deadline_exceeded())) {
            Ok(true) => McpResponse::accepted("response"),
            Ok(false) => {
                let problem = "no question of this `id` waits for an answer: it was answered, or its call has ended";
                McpResponse::rpc_error(absent, RpcError::invalid_request(problem))
            }
            Err(error) => McpResponse::rpc_error(absent, RpcError::undelivered(&error)),
        }
    }

    /// Answers one request, which has headers where it came over HTTP.
    async fn request(
        &self,
        headers: Option<&HeaderMap>,
        request: &Request<'_>,
        cx: &Context,
    ) -> McpResponse {
        if let Some(trace) = request.meta.trace() {
            cx.belongs_to(trace);
        }
        let mut response = match Era::of(headers, request) {
            Ok(Era::Modern) => modern::answer(self, headers, request, cx).await,
            Ok(Era::Legacy(version)) => legacy::answer(self, version, request, cx).await,
            Err(rpc_error) => McpResponse::rpc_error(Some(request.id), rpc_error),
        };
        let method = &mut response.outcome.method;
        *method = method.or(common::of_function(&request.method));
        response
    }

    /// A batch, which only revision 2025-03-26 knows: the answers in the order of the requests.
    async fn batch(&self, headers: &HeaderMap, batch: Vec<&RawValue>, cx: &Context) -> McpResponse {
        let absent = version::absent_id(headers);
        if let Err(rpc_error) = version::allows_batch(headers) {
            return McpResponse::rpc_error(absent, rpc_error);
        }
        if batch.len() > MAX_BATCH {
            let problem = format!("{} messages, at most {MAX_BATCH} are taken", batch.len());
            return McpResponse::rpc_error(absent, RpcError::invalid_request(problem));
        }
        let cx = &cx.member();
        // Collected first, because the compiler cannot name the lifetimes of a closure's futures in a stream.
        let mut answers = Vec::with_capacity(batch.len());
        for message in batch {
            answers.push(self.batched(message, cx));
        }
        let answers: Vec<McpResponse> = stream::iter(answers).buffered(BATCH_WIDTH).collect().await;
        let error = answers.iter().find_map(|response| response.outcome.error);
        let bodies: Vec<Vec<u8>> = answers.into_iter().filter_map(McpResponse::json).collect();
        match bodies.is_empty() {
            true => McpResponse::accepted("batch"),
            false => {
                let outcome = Outcome {
                    error,
                    ..Outcome::of_method("batch")
                };
                let body = [b"[".as_slice(), &bodies.join(&b','), b"]"].concat();
                McpResponse {
                    status: StatusCode::OK,
                    body: Body::Json(body),
                    outcome,
                }
            }
        }
    }

    /// One message of a batch. What stands around its result counts for the response of all.
    async fn batched(&self, message: &RawValue, cx: &Context) -> McpResponse {
        let response = self.answer_member(message, cx).await;
        if let Body::Json(json) = &response.body {
            cx.charge_anyway(json.len().min(FRAME));
        }
        response
    }

    async fn answer_member(&self, message: &RawValue, cx: &Context) -> McpResponse {
        // The revision that has batches wants an id in every response.
        let absent = Some(RawValue::NULL);
        match envelope::read(message) {
            Ok(Message::Request(request)) if request.method == "initialize" => {
                let rpc_error = RpcError::invalid_request("`initialize` must not stand in a batch");
                McpResponse::rpc_error(Some(request.id), rpc_error)
            }
            Ok(Message::Request(request)) => {
                legacy::answer(self, version::BATCH, &request, cx).await
            }
            Ok(Message::Notification { .. }) => McpResponse::accepted("notification"),
            Ok(Message::Response(id)) => self.response(&id, message, absent, cx).await,
            Err((id, rpc_error)) => McpResponse::rpc_error(id.or(absent), rpc_error),
        }
    }
}

impl McpResponse {
    fn accepted(what: &'static str) -> McpResponse {
        McpResponse {
            status: StatusCode::ACCEPTED,
            body: Body::Empty,
            outcome: Outcome::of_method(what),
        }
    }

    /// The message, of a response that is one.
    fn json(self) -> Option<Vec<u8>> {
        match self.body {
            Body::Json(json) => Some(json),
            Body::Empty | Body::Events(..) => None,
        }
    }

    fn rpc_error(id: Option<&RawValue>, rpc_error: RpcError) -> McpResponse {
        let outcome = Outcome {
            error: Some(rpc_error.name()),
            ..Outcome::default()
        };
        McpResponse {
            status: rpc_error.status,
            body: Body::Json(rpc_error.encode(id)),
            outcome,
        }
    }
}
